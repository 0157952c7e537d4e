/** Clients of the library that work in transactions, for the simulated world. */
import { createCluster } from '../../src/client/cluster/kafka-cluster.ts'
import type { KafkaCluster } from '../../src/client/cluster/kafka-cluster.ts'
import { TransactionError } from '../../src/client/producer/transaction/transaction-error.ts'
import type { Transaction } from '../../src/client/producer/transaction/transaction.ts'
import { TransactionalProducer } from '../../src/client/producer/transaction/transactional-producer.ts'
import { resolveClientOptions } from '../../src/client/resolve-options.ts'
import { silentLog } from '../../src/observe/index.ts'
import type { Platform } from '../../src/platform/index.ts'
import type { RunningTransaction } from '../../src/testing/index.ts'
import { offsetBehind, runMember } from './group-worker.ts'
import type { TransformWorkload } from './group-worker.ts'
import type { ProducerWorkload } from './producers.ts'

const usualTimeoutMs = 6_000

interface ClientAddress {
  readonly platform: Platform
  readonly host: string
  readonly port: number
  readonly clientId: string
  /** Those of the nodes follow the first one. @defaultValue 1 */
  readonly nodes?: number
  /** @defaultValue 3000 */
  readonly requestTimeoutMs?: number
}

/** A client of the library in a process of the simulated world. */
export function connectCluster(address: ClientAddress): KafkaCluster {
  const { platform, host, port, clientId, nodes = 1, requestTimeoutMs = 3_000 } = address
  const brokers = Array.from({ length: nodes }, (_, index) => `${host}:${port + index}`)
  const options = { brokers, clientId, allowPlaintext: true, tls: false, requestTimeoutMs }
  return createCluster(resolveClientOptions(options), { platform, log: silentLog })
}

/** A transactional id for as long as its user wants it: a producer that is at its end is replaced. */
export class ProducerSeat {
  readonly #cluster: KafkaCluster
  readonly #transactionalId: string
  readonly #transactionTimeoutMs: number
  #producer: TransactionalProducer

  constructor(
    cluster: KafkaCluster,
    transactionalId: string,
    transactionTimeoutMs: number = usualTimeoutMs,
  ) {
    this.#cluster = cluster
    this.#transactionalId = transactionalId
    this.#transactionTimeoutMs = transactionTimeoutMs
    this.#producer = this.#open()
  }

  /** Undefined when there is none to be had now. */
  async begin(): Promise<Transaction | undefined> {
    const { clock, random } = this.#cluster.platform
    try {
      return await this.#producer.begin()
    } catch (error) {
      if (!(error instanceof TransactionError)) throw error
      if (error.action === 'close') await this.replace()
      await clock.sleep(random.integer(500))
      return undefined
    }
  }

  async replace(): Promise<void> {
    await this.close()
    this.#producer = this.#open()
  }

  close(): Promise<void> {
    return this.#producer.close()
  }

  #open(): TransactionalProducer {
    const { random } = this.#cluster.platform
    return new TransactionalProducer(this.#cluster, {
      transactionalId: this.#transactionalId,
      transactionTimeoutMs: this.#transactionTimeoutMs,
      // With little time for a call its caller meets what is not known.
      callTimeoutMs: random.integer(3) === 0 ? 8_000 : 250,
      lingerMs: random.integer(2) * 5,
    })
  }
}

type Outcome = 'committed' | 'not-committed' | 'unknown'

/**
 * Ends a transaction, doing what its errors say, and writes down what is certain about it. The outcome is asked
 * for until it is known or the producer is at its end.
 */
export async function endTransaction(
  transaction: Transaction,
  commits: boolean,
  noted: RunningTransaction,
  seat: ProducerSeat,
): Promise<Outcome> {
  let isCommit = commits
  for (;;) {
    try {
      await (isCommit ? transaction.commit() : transaction.abort())
      if (isCommit) noted.ok()
      else noted.failed('aborted')
      return isCommit ? 'committed' : 'not-committed'
    } catch (error) {
      if (!(error instanceof TransactionError)) throw error
      if (error.action === 'retry') continue
      if (error.action === 'abort') {
        isCommit = false
        continue
      }
      if (error.mayBeCommitted) noted.unknown(error)
      else noted.failed(error)
      await seat.replace()
      return error.mayBeCommitted ? 'unknown' : 'not-committed'
    }
  }
}

export interface TransactionalWorkload extends Omit<ProducerWorkload, 'session'> {
  readonly cluster: KafkaCluster
  readonly transactionalId: string
  /** @defaultValue 6000 */
  readonly transactionTimeoutMs?: number
}

/** A producer of transactions: a few records to several partitions at a time, then a commit or an abort. */
export async function runTransactions(workload: TransactionalWorkload): Promise<void> {
  const { cluster, history, name, goesOn, pauseMs, transactionalId } = workload
  const { clock, random } = cluster.platform
  const seat = new ProducerSeat(cluster, transactionalId, workload.transactionTimeoutMs)
  for (let number = 0; goesOn(); number++) {
    const transaction = await seat.begin()
    if (transaction === undefined) continue
    const noted = history.begin({ kind: 'transaction', process: name })
    const sends = sendSome(workload, transaction, noted, `${name}-${number}`)
    const waits = random.integer(2) === 0
    const isWhole = !waits || (await sends)
    await endTransaction(transaction, isWhole && random.integer(3) > 0, noted, seat)
    await clock.sleep(random.integer(pauseMs))
  }
  await seat.close()
}

/** Answers whether all records were written. */
async function sendSome(
  { cluster, topic, partitions }: TransactionalWorkload,
  transaction: Transaction,
  noted: RunningTransaction,
  name: string,
): Promise<boolean> {
  const { random } = cluster.platform
  const sends = Array.from({ length: 1 + random.integer(6) }, async (_, index) => {
    const partition = random.integer(partitions)
    const value = `${name}.${index}`
    const sent = noted.send({ topic, partition, value })
    const { offset } = await transaction.send({ topic, partition, value })
    sent.acknowledged(offset)
  })
  const results = await Promise.allSettled(sends)
  return results.every(({ status }) => status === 'fulfilled')
}

/**
 * A member of a group that reads, writes and commits in transactions of the library: each record of the
 * topic has one of the target made of it, whatever happens.
 */
export async function runTransformations(
  workload: TransformWorkload & { readonly cluster: KafkaCluster },
): Promise<void> {
  const { cluster, history, group, target, transactionalId } = workload
  const seat = new ProducerSeat(cluster, transactionalId)
  let attempt = 0
  await runMember(workload, async ({ memberId, generationId }, records, process) => {
    const transaction = await seat.begin()
    if (transaction === undefined) return false
    attempt += 1
    const noted = history.begin({ kind: 'transaction', process })
    noted.polled(records)
    const sends = records.map(async ({ partition, value }) => {
      const made = `${value}>${workload.name}.${attempt}`
      const sent = noted.send({ topic: target, partition, value: made })
      const { offset } = await transaction.send({ topic: target, partition, value: made })
      sent.acknowledged(offset)
    })
    const next = offsetBehind(records)
    noted.offsets(group, [next])
    const member = {
      groupId: group,
      memberId,
      generation: generationId,
      groupInstanceId: undefined,
    }
    const offsets = transaction.sendOffsets(member, [{ ...next, leaderEpoch: -1, metadata: '' }])
    const results = await Promise.allSettled([...sends, offsets])
    const isWhole = results.every(({ status }) => status === 'fulfilled')
    // Some are given up, as by a handler that has failed.
    const commits = isWhole && cluster.platform.random.integer(8) > 0
    return (await endTransaction(transaction, commits, noted, seat)) === 'committed'
  })
}
