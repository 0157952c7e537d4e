import type { SourceRecord } from '../../driver/index.ts'
import type { Delivery } from '../delivery.ts'

/** What runs one after another: the records of a key, those of a partition, or none. */
export type RecordOrder = 'key' | 'partition' | 'none'

export const recordOrders = ['key', 'partition', 'none'] as const satisfies RecordOrder[]

const wholePartition = ''

/**
 * The lane of a record within its partition: its raw key bytes, one character each. Undefined for a record that
 * has no order: it is alone in its lane. An empty key is a key.
 */
export function laneKeyOf(order: RecordOrder, record: SourceRecord): string | undefined {
  if (order === 'none') return undefined
  if (order === 'partition') return wholePartition
  return record.key?.toString('latin1')
}

/** What tells lanes of all partitions apart; undefined for a record that has no order. */
export function orderKeyOf(order: RecordOrder, delivery: Delivery): string | undefined {
  const key = laneKeyOf(order, delivery.record)
  return key === undefined ? undefined : `${delivery.topic} ${delivery.partition} ${key}`
}
