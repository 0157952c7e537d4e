import { OptionError } from '../../errors.ts'
import type { MillraceError } from '../../errors.ts'
import { listOffsetsApi } from '../../protocol/index.ts'
import { KafkaError } from '../client-error.ts'
import type { Broker } from '../cluster/cluster.ts'
import type { IsolationLevel } from '../consumer/consumer-options.ts'
import { byTopic, partitionKey } from '../topic-partition.ts'
import type { TopicPartition } from '../topic-partition.ts'
import { shown } from '../../option-checks.ts'
import type { AdminCall, Need } from './admin-call.ts'
import { partitionMayRetry } from './admin-world.ts'
import type { AdminWorld } from './admin-world.ts'
import { addTo, askEach } from './ask-each.ts'
import type { Asked } from './ask-each.ts'
import type { ItemResult } from './item-result.ts'
import { leaderRoute } from './routes.ts'

/** Places in a partition that have a name: what ListOffsets takes for them, and since when. */
const places = {
  earliest: { timestamp: -2, need: {} },
  latest: { timestamp: -1, need: {} },
  'max-timestamp': {
    timestamp: -3,
    need: { versionMin: 7, feature: 'the offset of the highest timestamp (Kafka 3.0)' },
  },
  'earliest-local': {
    timestamp: -4,
    need: { versionMin: 8, feature: 'the earliest local offset (Kafka 3.4)' },
  },
  'latest-tiered': {
    timestamp: -5,
    need: { versionMin: 9, feature: 'the latest tiered offset (Kafka 3.9)' },
  },
} as const satisfies Record<string, { readonly timestamp: number; readonly need: Need }>

/**
 * Where in a partition: at its first record, behind its last one, at the record with the highest timestamp,
 * at the first record that is on the broker's own disk, at the last one that is in tiered storage, or at the
 * first record with this timestamp (milliseconds since the epoch) or a later one.
 */
export type OffsetPlace = keyof typeof places | { readonly timestamp: number }

/** A partition, and which of its offsets is wanted. */
export interface OffsetQuestion extends TopicPartition {
  readonly at: OffsetPlace
}

export interface FoundOffset {
  /** Undefined where there is no such record. */
  readonly offset: number | undefined
  /** The timestamp of the record, where the broker tells. */
  readonly timestamp: number | undefined
  /** The leader epoch of the record, where the broker tells. */
  readonly leaderEpoch: number | undefined
}

export const isolationLevels = {
  read_uncommitted: 0,
  read_committed: 1,
} as const satisfies Record<IsolationLevel, number>

/** Asks the leaders for offsets. */
export function findOffsets(
  world: AdminWorld,
  call: AdminCall,
  questions: ReadonlyMap<string, OffsetQuestion>,
  isolation: IsolationLevel,
): Promise<Map<string, ItemResult<FoundOffset>>> {
  for (const { at } of questions.values()) checkPlace(at)
  return askEach<OffsetQuestion, FoundOffset>(call, questions, {
    route: leaderRoute(call),
    effect: 'reads',
    name: (question) => `offset of ${partitionKey(question)}`,
    mayRetry: partitionMayRetry(world),
    async ask(broker, asked) {
      // What an old broker cannot answer must not fail what it can.
      const byNeed = new Map<Need, Asked<OffsetQuestion>[]>()
      for (const each of asked) addTo(byNeed, needOf(each.item), each)
      const answers = [...byNeed].map(([need, group]) =>
        askLeader(call, broker, group, need, isolation),
      )
      return new Map((await Promise.all(answers)).flatMap((each) => [...each]))
    },
  })
}

const timestampNeed: Need = places.latest.need

function needOf({ at }: OffsetQuestion): Need {
  if (typeof at !== 'string') return timestampNeed
  const { need } = places[at]
  return 'versionMin' in need ? need : timestampNeed
}

async function askLeader(
  call: AdminCall,
  broker: Broker,
  asked: readonly Asked<OffsetQuestion>[],
  need: Need,
  isolation: IsolationLevel,
): Promise<Map<string, FoundOffset | MillraceError>> {
  const { metadata } = call.cluster
  const topics = byTopic(asked.map(({ item }) => item))
  try {
    const request = {
      replicaId: -1,
      isolationLevel: isolationLevels[isolation],
      topics: [...topics].map(([name, questions]) => ({
        name,
        partitions: questions.map(({ topic, partition, at }) => ({
          partitionIndex: partition,
          currentLeaderEpoch: metadata.partition(topic, partition)?.leaderEpoch ?? -1,
          timestamp: typeof at === 'string' ? places[at].timestamp : at.timestamp,
        })),
      })),
      timeoutMs: call.brokerTimeoutMs,
    }
    const answer = await call.request(broker, listOffsetsApi, request, need)
    return new Map(answer.topics.flatMap(({ name, partitions }) => readOffsets(name, partitions)))
  } catch (error) {
    call.throwIfAborted()
    return new Map(asked.map(({ key }) => [key, error as MillraceError]))
  }
}

interface OffsetResponse {
  readonly partitionIndex: number
  readonly errorCode: number
  readonly timestamp: number
  readonly offset: number
  readonly leaderEpoch: number
}

function readOffsets(
  topic: string,
  partitions: readonly OffsetResponse[],
): [string, FoundOffset | KafkaError][] {
  return partitions.map((found) => {
    const partition = { topic, partition: found.partitionIndex }
    const key = partitionKey(partition)
    if (found.errorCode !== 0) {
      return [key, new KafkaError(found.errorCode, `offset of ${partitionKey(partition)}`)]
    }
    const { offset, timestamp, leaderEpoch } = found
    const told = (value: number) => (value < 0 ? undefined : value)
    const answer = {
      offset: told(offset),
      timestamp: told(timestamp),
      leaderEpoch: told(leaderEpoch),
    }
    return [key, answer]
  })
}

function checkPlace(at: unknown): void {
  if (typeof at === 'string' && Object.hasOwn(places, at)) return
  const timestamp =
    typeof at === 'object' && at !== null ? (at as { timestamp?: unknown }).timestamp : undefined
  if (typeof timestamp === 'number' && Number.isSafeInteger(timestamp) && timestamp >= 0) return
  const names = Object.keys(places).join(', ')
  const value = timestamp === undefined ? shown(at) : `timestamp ${shown(timestamp)}`
  const problem = `(${value}) must be one of ${names}, or a timestamp in milliseconds since the epoch`
  throw new OptionError('at', problem)
}
