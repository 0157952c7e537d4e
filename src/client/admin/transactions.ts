import { OptionError } from '../../errors.ts'
import { shown, wholeNumber } from '../../option-checks.ts'
import type { TopicPartition } from '../topic-partition.ts'
import { adminCall } from './admin-call.ts'
import type { AdminCall, AdminCallOptions } from './admin-call.ts'
import type { AdminWorld } from './admin-world.ts'
import type { BrokerResults } from './ask-every-broker.ts'
import {
  describeProducers,
  describeTransactions,
  listTransactions,
  transactionStates,
} from './describe-transactions.ts'
import type {
  PartitionProducers,
  ProducerDescription,
  TransactionDescription,
  TransactionFilter,
  TransactionListing,
} from './describe-transactions.ts'
import {
  abortTransactions,
  findHangingTransactions,
  transactionKey,
} from './hanging-transactions.ts'
import type { HangingTransactions, OpenTransaction } from './hanging-transactions.ts'
import { answerOf, onlyAnswer } from './item-result.ts'
import type { Done, ItemResult, PartitionResult } from './item-result.ts'
import { codeOf } from './named-codes.ts'
import { byKey, byPartition, nameOf, partitionResults } from './partitions.ts'

export interface ListTransactionsOptions extends AdminCallOptions, TransactionFilter {}

export interface FindHangingOptions extends AdminCallOptions {
  /** Only in these topics. @defaultValue all */
  readonly topics?: readonly string[]
  /**
   * Only those whose last record is older. Less than the brokers' `transaction.max.timeout.ms` finds some
   * that are still written to.
   * @defaultValue 900000
   */
  readonly openLongerThanMs?: number
}

/** What Kafka allows a transaction by default. */
const transactionTimeoutMsMax = 900_000

/** Producers and transactions. */
export class TransactionAdmin {
  readonly #world: AdminWorld

  constructor(world: AdminWorld) {
    this.#world = world
  }

  /** All transactional ids, in order. Throws when a broker cannot be asked, because its own would be missing. */
  async list(options: ListTransactionsOptions = {}): Promise<TransactionListing[]> {
    const found = new Map<string, TransactionListing>()
    for (const result of (await this.listByBroker(options)).values()) {
      for (const each of answerOf(result).transactions) found.set(each.transactionalId, each)
    }
    return [...found.values()].sort((a, b) => (a.transactionalId < b.transactionalId ? -1 : 1))
  }

  /** The transactional ids that each broker coordinates. */
  listByBroker(
    options: ListTransactionsOptions = {},
  ): Promise<BrokerResults<{ readonly transactions: readonly TransactionListing[] }>> {
    const known = ['states', 'producerIds', 'openLongerThanMs', 'pattern']
    return this.#call('list', options, known, (call) => {
      for (const state of options.states ?? []) codeOf('states', state, transactionStates)
      return listTransactions(call, options)
    })
  }

  /** The last transaction of a transactional id. One that is not known is TRANSACTIONAL_ID_NOT_FOUND. */
  async describe(
    transactionalId: string,
    options: AdminCallOptions = {},
  ): Promise<TransactionDescription> {
    return onlyAnswer(await this.describeMany([transactionalId], options))
  }

  /** The last transactions of transactional ids. */
  describeMany(
    transactionalIds: readonly string[],
    options: AdminCallOptions = {},
  ): Promise<Map<string, ItemResult<TransactionDescription>>> {
    return this.#call('describe', options, [], (call) => {
      const ids = byKey('transactionalIds', transactionalIds, (id) => nameOf('transactionalId', id))
      return describeTransactions(call, ids)
    })
  }

  /** The producers that a partition remembers, and where their open transactions begin. */
  async producers(
    partition: TopicPartition,
    options: AdminCallOptions = {},
  ): Promise<readonly ProducerDescription[]> {
    return onlyAnswer(await this.producersOfMany([partition], options)).producers
  }

  /** The producers that partitions remember, in their order. */
  producersOfMany(
    partitions: readonly TopicPartition[],
    options: AdminCallOptions = {},
  ): Promise<PartitionResult<PartitionProducers>[]> {
    return this.#call('producers', options, [], async (call) => {
      const items = byPartition('partitions', partitions)
      return partitionResults(items, await describeProducers(this.#world, call, items))
    })
  }

  /**
   * Looks for transactions that are open in a partition and that no coordinator will end: readers of
   * committed records stop there.
   *
   * @example
   * const { transactions } = await admin.transactions.findHanging({ topics: ['orders'] })
   * for (const transaction of transactions) await admin.transactions.abort(transaction)
   */
  findHanging(options: FindHangingOptions = {}): Promise<HangingTransactions> {
    const known = ['topics', 'openLongerThanMs']
    return this.#call('findHanging', options, known, (call) => {
      const given = { ...options }
      const bounds = { min: 0, max: Number.MAX_SAFE_INTEGER }
      const longerThanMs = wholeNumber(given, 'openLongerThanMs', transactionTimeoutMsMax, bounds)
      return findHangingTransactions(this.#world, call, options.topics, longerThanMs)
    })
  }

  /**
   * Aborts a hanging transaction in a partition. It does not ask the coordinator: one that is not hanging
   * loses what it has written to this partition, and still commits the rest.
   */
  async abort(transaction: OpenTransaction, options: AdminCallOptions = {}): Promise<Done> {
    const [result] = await this.abortMany([transaction], options)
    return answerOf<Done>(result)
  }

  /** Aborts hanging transactions, each for itself; in their order. */
  abortMany(
    transactions: readonly OpenTransaction[],
    options: AdminCallOptions = {},
  ): Promise<(OpenTransaction & ItemResult<Done>)[]> {
    return this.#call('abort', options, [], async (call) => {
      for (const each of transactions) {
        byPartition('transaction', [each])
        checkOffset(each.startOffset)
      }
      const items = byKey('transactions', transactions, transactionKey)
      const results = await abortTransactions(this.#world, call, items)
      return [...items].flatMap(([key, { topic, partition, startOffset }]) => {
        const result = results.get(key)
        return result === undefined ? [] : [{ topic, partition, startOffset, ...result }]
      })
    })
  }

  #call<Result>(
    method: string,
    options: AdminCallOptions,
    known: readonly string[],
    work: (call: AdminCall) => Promise<Result>,
  ): Promise<Result> {
    return adminCall(this.#world.cluster, `transactions.${method}`, options, known, work)
  }
}

function checkOffset(offset: unknown): void {
  if (typeof offset === 'number' && Number.isSafeInteger(offset) && offset >= 0) return
  throw new OptionError('startOffset', `(${shown(offset)}) must be a whole number from 0 up`)
}
