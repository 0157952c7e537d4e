import { kafkaError, listOffsetsApi } from '../../protocol/index.ts'
import type { RequestOf, ResponseInput } from '../../protocol/index.ts'
import type { Partition } from '../cluster/cluster.ts'
import type { Isolation, OffsetAtTimestamp } from '../log/index.ts'
import { isRefusal } from '../refusal.ts'
import type { Refusal } from '../refusal.ts'
import { defineHandler } from './handler.ts'
import type { RequestContext } from './handler.ts'
import { findLedPartition } from './partition-access.ts'

type ListOffsetsRequest = RequestOf<typeof listOffsetsApi>
type Asked = ListOffsetsRequest['topics'][number]['partitions'][number]
type Answer = ResponseInput<typeof listOffsetsApi>['topics'][number]['partitions'][number]

/** What a negative timestamp asks for; `since` is the first version that may ask it. */
const special = {
  latest: { timestamp: -1, since: 1 },
  earliest: { timestamp: -2, since: 1 },
  largestTimestamp: { timestamp: -3, since: 7 },
  earliestLocal: { timestamp: -4, since: 8 },
  latestTiered: { timestamp: -5, since: 9 },
} as const

const readCommitted = 1

/**
 * ListOffsets 1-10: the offset at a timestamp, exact to the record, or one of the special ones.
 * Nothing is tiered here: the earliest local offset is the earliest, and no offset was ever tiered.
 */
export const listOffsets = defineHandler({
  api: listOffsetsApi,
  versions: [1, 10],
  handle(request, context) {
    const isolation = request.isolationLevel === readCommitted ? 'committed' : 'uncommitted'
    return {
      topics: request.topics.map(({ name, partitions }) => ({
        name,
        partitions: partitions.map((asked) => answer(name, asked, isolation, context)),
      })),
    }
  },
})

function answer(
  topic: string,
  asked: Asked,
  isolation: Isolation,
  { broker, nodeId, header }: RequestContext,
): Answer {
  const { partitionIndex, currentLeaderEpoch, timestamp } = asked
  const reference = { name: topic, id: '', byId: false }
  const partition = findLedPartition(
    broker.cluster,
    reference,
    partitionIndex,
    nodeId,
    currentLeaderEpoch,
  )
  if (isRefusal(partition)) return failed(partitionIndex, kafkaError[partition.error])
  const asksTooNew = Object.values(special).some(
    (kind) => kind.timestamp === timestamp && kind.since > header.version,
  )
  if (timestamp < special.latestTiered.timestamp || asksTooNew) {
    return failed(partitionIndex, kafkaError.UNSUPPORTED_VERSION)
  }
  const found = find(partition, timestamp, isolation)
  if (isRefusal(found)) return failed(partitionIndex, kafkaError[found.error])
  return {
    partitionIndex,
    errorCode: kafkaError.NONE,
    timestamp: found?.timestamp ?? -1,
    offset: found?.offset ?? -1,
    leaderEpoch: found === undefined ? -1 : epochOf(partition, found.offset),
  }
}

/** What comes at the end of the log will be written in the epoch that has begun. */
function epochOf({ log, leaderEpoch }: Partition, offset: number): number {
  return offset < log.logEndOffset ? log.epochAt(offset) : leaderEpoch
}

function find(
  { log }: Partition,
  timestamp: number,
  isolation: Isolation,
): OffsetAtTimestamp | Refusal | undefined {
  switch (timestamp) {
    case special.latest.timestamp: {
      const offset = isolation === 'committed' ? log.lastStableOffset : log.highWatermark
      return { offset, timestamp: -1 }
    }
    case special.earliest.timestamp:
    case special.earliestLocal.timestamp:
      return { offset: log.logStartOffset, timestamp: -1 }
    case special.largestTimestamp.timestamp:
      return log.largestTimestamp(isolation)
    case special.latestTiered.timestamp:
      return undefined
    default:
      return log.offsetForTimestamp(timestamp, isolation)
  }
}

function failed(partitionIndex: number, errorCode: number): Answer {
  return { partitionIndex, errorCode, timestamp: -1, offset: -1, leaderEpoch: -1 }
}
