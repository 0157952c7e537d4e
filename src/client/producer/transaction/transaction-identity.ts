import type { FailedBatch, IdentitySource, ProducerIdentity } from '../producer-identity.ts'
import type { TransactionSession } from './transaction-session.ts'
import type { TopicPartition } from '../../topic-partition.ts'

/** The last version of Produce that leaves partitions to AddPartitionsToTxn. */
const produceVersionOfFirstTransactions = 11

/** A transaction as the sender of its records sees it. */
export class TransactionIdentity implements IdentitySource {
  readonly #session: TransactionSession

  constructor(session: TransactionSession) {
    this.#session = session
  }

  get transactionalId(): string {
    return this.#session.transactionalId
  }

  get current(): ProducerIdentity | undefined {
    return this.#session.closedBy === undefined ? this.#session.identity : undefined
  }

  /** A transaction has an identity before it takes records: there is nothing to wait for. */
  ready(): Promise<void> {
    return this.#session.ready()
  }

  get produceVersionMax(): number | undefined {
    return this.#session.version === 1 ? produceVersionOfFirstTransactions : undefined
  }

  admit(partitions: readonly TopicPartition[]): Promise<void> | undefined {
    return this.#session.admit(partitions)
  }

  /** What is behind it in the partition would be in a transaction that is not committed any more. */
  batchFailed(batch: FailedBatch): 'failed' {
    this.#session.batchFailed(batch)
    return 'failed'
  }
}
