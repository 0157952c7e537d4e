import type { Refusal } from '../refusal.ts'

/** What ends a transaction in one partition: a control record with the outcome. */
export interface TransactionMarker {
  readonly producerId: number
  readonly producerEpoch: number
  /** Partitions refuse the markers of a coordinator that has been replaced. */
  readonly coordinatorEpoch: number
  readonly commit: boolean
  /**
   * From 2 on the epoch is above the one of the transaction's records; a marker that is not above
   * it is a late one of an earlier transaction, and a partition must refuse it (KIP-1228), unless
   * no transaction of the producer is open there.
   */
  readonly transactionVersion: number
}

/** Writes a marker to a partition, and resolves once it is durable. */
export type WriteMarker = (
  topic: string,
  partition: number,
  marker: TransactionMarker,
) => Promise<Refusal | undefined>
