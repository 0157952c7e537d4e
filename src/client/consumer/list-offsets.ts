import { OptionError } from '../../errors.ts'
import { asksForMetadata, kafkaError, listOffsetsApi } from '../../protocol/index.ts'
import { KafkaError } from '../client-error.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { partitionKey } from '../topic-partition.ts'
import type { TopicPartition } from '../topic-partition.ts'
import { retry } from '../retry.ts'
import type { IsolationLevel } from './consumer-options.ts'

/** What is asked of a partition; `timestamp` as ListOffsets takes it. */
export interface OffsetQuestion extends TopicPartition {
  readonly timestamp: number
}

export interface FoundOffset extends TopicPartition {
  /** -1 when no record is so young. */
  readonly offset: number
  /** Of the record at `offset`; -1 where it is not told. */
  readonly timestamp: number
  readonly leaderEpoch: number
}

/** What became of each question, by partition key. */
export interface OffsetAnswers {
  readonly found: Map<string, FoundOffset>
  readonly failed: Map<string, Error>
}

export const isolationLevels = { read_uncommitted: 0, read_committed: 1 } as const

/** Asks the leaders once, all at the same time. What failed can be asked again. */
export async function listOffsets(
  cluster: Cluster,
  questions: readonly OffsetQuestion[],
  isolation: IsolationLevel,
): Promise<OffsetAnswers> {
  const answers: OffsetAnswers = { found: new Map(), failed: new Map() }
  const byLeader = new Map<number, OffsetQuestion[]>()
  for (const question of questions) {
    const { topic, partition } = question
    const leaderId = cluster.metadata.partition(topic, partition)?.leaderId ?? -1
    if (leaderId < 0)
      answers.failed.set(partitionKey({ topic, partition }), noLeader(cluster, question))
    else byLeader.set(leaderId, [...(byLeader.get(leaderId) ?? []), question])
  }
  const asked = [...byLeader].map(([leaderId, asked]) =>
    askLeader(cluster, leaderId, asked, isolation, answers),
  )
  await Promise.all(asked)
  const stale = [...answers.failed.values()].some(
    (error) => !(error instanceof KafkaError) || asksForMetadata(error.kafkaCode),
  )
  if (stale) cluster.metadataIsStale()
  return answers
}

/** Asks until every partition has answered, in the order of the questions; rejects when the time is over. */
export async function listOffsetsOfAll(
  cluster: Cluster,
  questions: readonly OffsetQuestion[],
  isolation: IsolationLevel,
  signal?: AbortSignal,
): Promise<FoundOffset[]> {
  checkDistinct(questions)
  const found = new Map<string, FoundOffset>()
  let left = questions
  const watch = cluster.watchTopics(new Set(questions.map(({ topic }) => topic)))
  try {
    const isKnown = ({ topic }: TopicPartition) => cluster.metadata.topics.has(topic)
    if (!questions.every(isKnown)) await cluster.refreshMetadata(signal)
    const timeoutMs = cluster.options.requestTimeoutMs
    await retry(cluster, { what: 'offsets of partitions', timeoutMs, signal }, async () => {
      const answers = await listOffsets(cluster, left, isolation)
      for (const [key, offset] of answers.found) found.set(key, offset)
      left = left.filter(({ topic, partition }) => !found.has(partitionKey({ topic, partition })))
      for (const error of answers.failed.values()) throw error
    })
  } finally {
    watch.release()
  }
  return questions.flatMap(
    ({ topic, partition }) => found.get(partitionKey({ topic, partition })) ?? [],
  )
}

/** A request has one answer for each partition: the others would be lost. */
function checkDistinct(partitions: readonly TopicPartition[]): void {
  const seen = new Set<string>()
  for (const { topic, partition } of partitions) {
    const key = partitionKey({ topic, partition })
    if (seen.has(key)) {
      throw new OptionError('partitions', `(${topic}-${partition} twice) must not repeat one`)
    }
    seen.add(key)
  }
}

function noLeader(cluster: Cluster, { topic, partition }: OffsetQuestion): KafkaError {
  const known = cluster.metadata.topics.get(topic)
  const isMissing = known?.partitions[partition] === undefined
  const code = isMissing ? kafkaError.UNKNOWN_TOPIC_OR_PARTITION : kafkaError.LEADER_NOT_AVAILABLE
  const refused = known?.errorCode ?? 0
  return new KafkaError(refused === 0 ? code : refused, `offset of ${topic}-${partition}`)
}

async function askLeader(
  cluster: Cluster,
  leaderId: number,
  questions: readonly OffsetQuestion[],
  isolation: IsolationLevel,
  { found, failed }: OffsetAnswers,
): Promise<void> {
  const unanswered = new Map(questions.map((each) => [partitionKey(each), each]))
  try {
    const response = await cluster.broker(leaderId, 'main').request(listOffsetsApi, {
      replicaId: -1,
      isolationLevel: isolationLevels[isolation],
      topics: topicsOf(cluster, questions),
      timeoutMs: cluster.options.requestTimeoutMs,
    })
    for (const { name: topic, partitions } of response.topics) {
      for (const { partitionIndex: partition, errorCode, ...offset } of partitions) {
        const key = partitionKey({ topic, partition })
        if (!unanswered.delete(key)) continue
        if (errorCode === 0) found.set(key, { topic, partition, ...offset })
        else failed.set(key, new KafkaError(errorCode, `offset of ${topic}-${partition}`))
      }
    }
    const { UNKNOWN_SERVER_ERROR } = kafkaError
    for (const [key, { topic, partition }] of unanswered) {
      const what = `offset of ${topic}-${partition}`
      failed.set(key, new KafkaError(UNKNOWN_SERVER_ERROR, what, 'the broker said nothing of it'))
    }
  } catch (error) {
    for (const key of unanswered.keys()) failed.set(key, error as Error)
  }
}

function topicsOf(cluster: Cluster, questions: readonly OffsetQuestion[]) {
  const names = [...new Set(questions.map(({ topic }) => topic))]
  return names.map((name) => ({
    name,
    partitions: questions
      .filter(({ topic }) => topic === name)
      .map(({ topic, partition, timestamp }) => ({
        partitionIndex: partition,
        currentLeaderEpoch: cluster.metadata.partition(topic, partition)?.leaderEpoch ?? -1,
        timestamp,
      })),
  }))
}
