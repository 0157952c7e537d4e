import { OptionError } from '../../errors.ts'
import type { MillraceError } from '../../errors.ts'
import { shown } from '../../option-checks.ts'
import { partitionKey } from '../topic-partition.ts'
import type { TopicPartition } from '../topic-partition.ts'
import type { AdminCall } from './admin-call.ts'
import type { AdminWorld } from './admin-world.ts'
import { describeTopics } from './describe-topics.ts'
import { findOffsets } from './find-offsets.ts'
import type { FoundOffset, OffsetPlace } from './find-offsets.ts'
import { alterGroupOffsets, readGroupOffsets } from './group-offsets.ts'
import type { NewGroupOffset } from './group-offsets.ts'
import { answerOf } from './item-result.ts'
import type { ItemResult, PartitionResult } from './item-result.ts'
import { byKey, byPartition, nameOf } from './partitions.ts'

/**
 * Where a group goes on: at the first record, behind the last one, at the first one with a timestamp (behind
 * the last one where none is so young), at an offset, or so many records further on (back, when negative) from
 * where it is. What would lie outside of the partition is taken to its nearest end.
 */
export type ResetTarget =
  | 'earliest'
  | 'latest'
  | { readonly timestamp: number }
  | { readonly offset: number }
  | { readonly shiftBy: number }

export interface OffsetReset {
  readonly to: ResetTarget
  /** All partitions of these topics. @defaultValue all partitions in which the group has an offset */
  readonly topics?: readonly string[]
  /** These partitions, in place of `topics`. */
  readonly partitions?: readonly TopicPartition[]
}

export interface ResetOffset {
  readonly offset: number
  /** Undefined where the group had none. */
  readonly previousOffset: number | undefined
}

interface Bounds {
  readonly earliest: Map<string, ItemResult<FoundOffset>>
  readonly latest: Map<string, ItemResult<FoundOffset>>
  readonly at: Map<string, ItemResult<FoundOffset>>
}

/** Finds where a group goes on in its partitions, and sets that unless it is only asked for. */
export async function resetOffsets(
  world: AdminWorld,
  call: AdminCall,
  groupId: string,
  reset: OffsetReset,
  validateOnly: boolean,
): Promise<PartitionResult<ResetOffset>[]> {
  checkTarget(reset.to)
  const committed = await committedOffsets(call, groupId)
  const partitions = await partitionsOf(world, call, reset, committed)
  const bounds = await findBounds(world, call, partitions, reset.to)
  const failed = new Map<string, MillraceError>()
  const chosen = new Map<string, NewGroupOffset>()
  for (const [key, partition] of partitions) {
    const place = choose(key, reset.to, bounds, committed.get(key)?.offset)
    if (place.error === undefined) chosen.set(key, { ...pure(partition), ...place })
    else failed.set(key, place.error)
  }
  const altered = validateOnly ? undefined : await alterGroupOffsets(world, call, groupId, chosen)
  return [...partitions].map(([key, partition]) => {
    const error = failed.get(key) ?? altered?.get(key)?.error
    if (error !== undefined) return { ...pure(partition), error }
    const offset = chosen.get(key)?.offset ?? 0
    return { ...pure(partition), offset, previousOffset: committed.get(key)?.offset }
  })
}

function pure({ topic, partition }: TopicPartition): TopicPartition {
  return { topic, partition }
}

type Committed = Map<string, TopicPartition & { readonly offset: number }>

async function committedOffsets(call: AdminCall, groupId: string): Promise<Committed> {
  const read = await readGroupOffsets(call, new Map([[groupId, { groupId }]]), false)
  const known: Committed = new Map()
  for (const each of answerOf(read.get(groupId)).offsets) {
    if (each.error === undefined) known.set(partitionKey(each), each)
  }
  return known
}

async function partitionsOf(
  world: AdminWorld,
  call: AdminCall,
  { topics, partitions }: OffsetReset,
  committed: Committed,
): Promise<Map<string, TopicPartition>> {
  if (topics !== undefined && partitions !== undefined) {
    throw new OptionError('topics', 'cannot be given with partitions: either names what to reset')
  }
  if (partitions !== undefined) return byPartition('partitions', partitions)
  if (topics === undefined) return new Map(committed)
  const names = byKey('topics', topics, (topic) => nameOf('topics', topic))
  const described = await describeTopics(world, call, names, false)
  const found = [...described.values()].flatMap((each) => {
    const { name, partitions: all } = answerOf(each)
    return all.map(({ partition }) => ({ topic: name, partition }))
  })
  return byPartition('topics', found)
}

async function findBounds(
  world: AdminWorld,
  call: AdminCall,
  partitions: ReadonlyMap<string, TopicPartition>,
  to: ResetTarget,
): Promise<Bounds> {
  const find = (at: OffsetPlace) => {
    const questions = new Map([...partitions].map(([key, each]) => [key, { ...pure(each), at }]))
    return findOffsets(world, call, questions, 'read_uncommitted')
  }
  const none = Promise.resolve(new Map<string, ItemResult<FoundOffset>>())
  const byTime = typeof to === 'object' && 'timestamp' in to
  const [earliest, latest, at] = await Promise.all([
    to === 'latest' || byTime ? none : find('earliest'),
    to === 'earliest' ? none : find('latest'),
    byTime ? find(to) : none,
  ])
  return { earliest, latest, at }
}

/** Where to go on in a partition, or why that cannot be told. */
function choose(
  key: string,
  to: ResetTarget,
  { earliest, latest, at }: Bounds,
  committed: number | undefined,
): ItemResult<{ readonly offset: number; readonly leaderEpoch?: number }> {
  for (const bound of [earliest, latest, at]) {
    const error = bound.get(key)?.error
    if (error !== undefined) return { error }
  }
  const first = offsetIn(earliest, key) ?? 0
  const end = offsetIn(latest, key) ?? first
  if (to === 'earliest') return { offset: first }
  if (to === 'latest') return { offset: end }
  if ('timestamp' in to) return { offset: offsetIn(at, key) ?? end }
  const wanted = 'offset' in to ? to.offset : (committed ?? first) + to.shiftBy
  return { offset: Math.min(Math.max(wanted, first), end) }
}

function offsetIn(
  found: ReadonlyMap<string, ItemResult<FoundOffset>>,
  key: string,
): number | undefined {
  const result = found.get(key)
  return result?.error === undefined ? result?.offset : undefined
}

function checkTarget(to: unknown): void {
  if (to === 'earliest' || to === 'latest') return
  if (typeof to === 'object' && to !== null) {
    const { timestamp, offset, shiftBy } = to as Record<string, unknown>
    const given = [timestamp, offset, shiftBy].filter((value) => value !== undefined)
    const isWhole = typeof given[0] === 'number' && Number.isSafeInteger(given[0])
    if (given.length === 1 && isWhole && (shiftBy !== undefined || Number(given[0]) >= 0)) return
  }
  const allowed = "'earliest', 'latest', { timestamp }, { offset } or { shiftBy }"
  throw new OptionError('to', `(${shown(to)}) must be ${allowed} with a whole number`)
}
