import type { TopicPartition } from '../../client/index.ts'
import type { RecordSource } from '../../driver/index.ts'
import { OptionError } from '../../errors.ts'
import type { PlaceInPartitions } from './replay-options.ts'
import type { ReplayRange } from './range-source.ts'

export interface RangeRequest {
  readonly topic: string
  /** Undefined for all. */
  readonly partitions: readonly number[] | undefined
  readonly from: 'beginning' | PlaceInPartitions
  readonly to: 'end' | PlaceInPartitions
  /** How many partitions the topic has. */
  readonly partitionCount: number
}

type Finder = Pick<RecordSource, 'beginningOffsets' | 'endOffsets' | 'offsetsForTimes'>

/** Which offsets are meant, as the partitions are now: what is written later is in no range. */
export async function findRanges(source: Finder, request: RangeRequest): Promise<ReplayRange[]> {
  const { topic, partitionCount, from, to } = request
  const numbers = request.partitions ?? Array.from({ length: partitionCount }, (_, index) => index)
  const unknown = numbers.find((number) => number >= partitionCount)
  if (unknown !== undefined) {
    const problem = `(${unknown}) is none of ${topic}, which has ${partitionCount}`
    throw new OptionError('replay.partitions', problem)
  }
  const places = [...new Set(numbers)].map((partition) => ({ topic, partition }))
  const [starts, ends] = await Promise.all([
    source.beginningOffsets(places),
    source.endOffsets(places),
  ])
  const startOf = offsetIn(starts)
  const endOf = offsetIn(ends)
  const first = from === 'beginning' ? startOf : await offsetsAt(source, places, from, endOf)
  const behind = to === 'end' ? endOf : await offsetsAt(source, places, to, endOf)
  return places.map((place) => ({
    ...place,
    from: Math.max(first(place), startOf(place)),
    to: Math.min(behind(place), endOf(place)),
  }))
}

type OffsetOf = (partition: TopicPartition) => number

function offsetIn(
  found: readonly { readonly partition: number; readonly offset: number | undefined }[],
  absent: OffsetOf = () => 0,
): OffsetOf {
  const offsets = new Map(found.map(({ partition, offset }) => [partition, offset]))
  return (place) => offsets.get(place.partition) ?? absent(place)
}

async function offsetsAt(
  source: Finder,
  places: readonly TopicPartition[],
  place: PlaceInPartitions,
  endOf: OffsetOf,
): Promise<OffsetOf> {
  if ('offset' in place) return () => place.offset
  const { timestamp } = place
  const found = await source.offsetsForTimes(places.map((each) => ({ ...each, timestamp })))
  return offsetIn(found, endOf)
}
