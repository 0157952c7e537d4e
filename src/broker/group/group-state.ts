import { ClassicGroup } from './classic/classic-group.ts'
import { restoredGroup } from './classic/classic-records.ts'
import { ConsumerGroup } from './consumer/consumer-group.ts'
import type { ConsumerGroupRecord, GroupRecord } from './group-record.ts'
import { committedOffset, OffsetStore } from './offset/offset-store.ts'
import { ShareGroup } from './share/share-group.ts'
import { isShareGroupRecord } from './share/share-record.ts'
import type { ShareGroupRecord } from './share/share-record.ts'

export type Group = ClassicGroup | ConsumerGroup | ShareGroup

/**
 * The groups of a partition and their offsets: what its records say, in order. Compaction removes
 * records that later ones replace, so no record may rely on an earlier one being there: what comes
 * last is true.
 */
export class GroupState {
  readonly offsets = new OffsetStore()
  readonly #groups = new Map<string, Group>()

  get groups(): ReadonlyMap<string, Group> {
    return this.#groups
  }

  group(groupId: string): Group | undefined {
    return this.#groups.get(groupId)
  }

  /** Puts a group in the place of what its record made: it knows more than a record holds. */
  install(group: Group): void {
    this.#groups.set(group.groupId, group)
  }

  /** Changes the state as a record says that is in the log at `recordOffset`. */
  apply(record: GroupRecord, recordOffset: number, producerId: number | undefined): void {
    switch (record.kind) {
      case 'offset': {
        const { group, topic, partition, value } = record
        if (value === null) {
          this.offsets.remove(group, topic, partition)
          return
        }
        this.#ensureSimpleGroup(group, value.commitTimestamp)
        const offset = committedOffset(recordOffset, value)
        this.offsets.store(group, topic, partition, offset, producerId)
        return
      }
      case 'classic-group':
        if (record.value === null) this.#groups.delete(record.group)
        else this.#groups.set(record.group, restoredGroup(record.group, record.value))
        return
      default:
        if (isShareGroupRecord(record)) this.#applyToShareGroup(record)
        else this.#applyToConsumerGroup(record)
    }
  }

  /** To be called when all records were applied: a group whose record was compacted away keeps its offsets. */
  complete(nowMs: number): void {
    for (const group of this.offsets.groups()) this.#ensureSimpleGroup(group, nowMs)
  }

  #applyToConsumerGroup(record: ConsumerGroupRecord): void {
    const known = this.#groups.get(record.group)
    if (record.value !== null) {
      const group = known?.type === 'consumer' ? known : new ConsumerGroup(record.group)
      this.#groups.set(record.group, group)
      group.apply(record)
      return
    }
    if (known?.type !== 'consumer') return
    if (record.kind === 'group-epoch') this.#groups.delete(record.group)
    else known.apply(record)
  }

  #applyToShareGroup(record: ShareGroupRecord): void {
    const known = this.#groups.get(record.group)
    if (record.value !== null) {
      const group = known?.type === 'share' ? known : new ShareGroup(record.group)
      this.#groups.set(record.group, group)
      group.apply(record)
      return
    }
    if (known?.type !== 'share') return
    if (record.kind === 'share-epoch') this.#groups.delete(record.group)
    else known.apply(record)
  }

  /** Offsets can be committed to a group that nobody has ever joined. */
  #ensureSimpleGroup(groupId: string, nowMs: number): void {
    if (this.#groups.has(groupId)) return
    this.#groups.set(
      groupId,
      new ClassicGroup({
        groupId,
        state: 'Empty',
        stateSinceMs: nowMs,
        generation: 0,
        protocolType: undefined,
        protocolName: undefined,
        leaderId: undefined,
      }),
    )
  }
}
