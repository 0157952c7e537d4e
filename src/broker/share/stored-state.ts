import { Reader, shareSnapshotKey, shareSnapshotValue, Writer } from '../../protocol/index.ts'
import type { DecodedMessage } from '../../protocol/index.ts'
import type { StateRecord } from '../coordinator-log.ts'
import { availableRun, finishedRun } from './delivery-runs.ts'
import type { Run } from './delivery-runs.ts'
import { settled } from './share-state.ts'
import type { ShareState } from './share-state.ts'

/** What a share partition is called: a group, and a partition of a topic. */
export interface SharePartitionKey {
  readonly groupId: string
  readonly topicId: string
  readonly partition: number
}

/** The state of a share partition as it is kept in `__share_group_state`. */
export type StoredState = DecodedMessage<typeof shareSnapshotValue>

/** Kafka's number of the record that holds a whole state: the first two bytes of its key. */
const snapshotType = 0
const snapshotVersion = 0

/** Kafka's numbers of deliveries. Nobody has acquired anything after a restart. */
const storedDelivery = { available: 0, acknowledged: 2, archived: 4 } as const

/** The name by which a share partition finds its place in `__share_group_state`, as in Kafka. */
export function sharePartitionName({ groupId, topicId, partition }: SharePartitionKey): string {
  return `${groupId}:${topicId}:${partition}`
}

/** The record that says what is known of a share partition; null: nothing any more. */
export function stateRecord(key: SharePartitionKey, state: StoredState | null): StateRecord {
  const writer = new Writer()
  writer.int16(snapshotType)
  shareSnapshotKey.write(writer, key, 0)
  return { key: writer.toBuffer(), value: state === null ? null : encodeState(state) }
}

function encodeState(state: StoredState): Buffer {
  const writer = new Writer()
  writer.int16(snapshotVersion)
  shareSnapshotValue.write(writer, state, snapshotVersion)
  return writer.toBuffer()
}

/** Answers undefined for records of other kinds, which this broker does not write. */
export function readStateRecord(
  record: StateRecord,
): { readonly key: SharePartitionKey; readonly state: StoredState | null } | undefined {
  const reader = new Reader(record.key)
  if (reader.int16() !== snapshotType) return undefined
  const key = shareSnapshotKey.read(reader, 0)
  if (record.value === null) return { key, state: null }
  const value = new Reader(record.value)
  return { key, state: shareSnapshotValue.read(value, value.int16()) }
}

/**
 * What outlives the process. Who has acquired what does not: such records are as they were before,
 * and those that were handed out for the first time are not mentioned at all.
 */
export function storedBatches({ runs }: ShareState): StoredState['stateBatches'] {
  return runs.flatMap((run): StoredState['stateBatches'] => {
    const { first: firstOffset, last: lastOffset, delivery, count } = run
    if (delivery !== 'available' && delivery !== 'acquired') {
      const deliveryState = storedDelivery[delivery]
      return [{ firstOffset, lastOffset, deliveryState, deliveryCount: count }]
    }
    const deliveryCount = delivery === 'acquired' ? count - 1 : count
    if (deliveryCount === 0) return []
    return [{ firstOffset, lastOffset, deliveryState: storedDelivery.available, deliveryCount }]
  })
}

/** The state as it goes on from what was stored. What lies between batches was not done with. */
export function restoredState({ startOffset, stateBatches }: StoredState): ShareState {
  const runs: Run[] = []
  let next = startOffset
  const ascending = [...stateBatches].sort((a, b) => a.firstOffset - b.firstOffset)
  for (const { firstOffset, lastOffset, deliveryState, deliveryCount } of ascending) {
    const first = Math.max(firstOffset, next)
    if (lastOffset < first) continue
    if (first > next) runs.push(availableRun(next, first - 1, 0))
    runs.push(restoredRun(first, lastOffset, deliveryState, deliveryCount))
    next = lastOffset + 1
  }
  return settled({ startOffset, runs }, runs)
}

function restoredRun(first: number, last: number, delivery: number, count: number): Run {
  switch (delivery) {
    case storedDelivery.acknowledged:
      return finishedRun(first, last, 'acknowledged', count)
    case storedDelivery.archived:
      return finishedRun(first, last, 'archived', count)
    default:
      return availableRun(first, last, count)
  }
}

/** Whether two states would be stored alike. */
export function storedAlike(a: ShareState, b: ShareState): boolean {
  if (a === b) return true
  if (a.startOffset !== b.startOffset) return false
  const mine = storedBatches(a)
  const others = storedBatches(b)
  if (mine.length !== others.length) return false
  return mine.every((batch, index) => {
    const other = others[index]
    return (
      batch.firstOffset === other?.firstOffset &&
      batch.lastOffset === other.lastOffset &&
      batch.deliveryState === other.deliveryState &&
      batch.deliveryCount === other.deliveryCount
    )
  })
}
