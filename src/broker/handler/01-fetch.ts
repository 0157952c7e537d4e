import { fetchApi, kafkaError } from '../../protocol/index.ts'
import type { RequestOf, ResponseInput } from '../../protocol/index.ts'
import { waitForBytes } from './fetch-wait.ts'
import { readPartitions } from './fetch-read.ts'
import type { FetchedPartition, ReadRequest } from './fetch-read.ts'
import type { FetchSession, FetchTarget } from './fetch-sessions.ts'
import { defineHandler } from './handler.ts'
import type { RequestContext } from './handler.ts'
import { hintedNodes } from './leader-hint.ts'

type FetchRequest = RequestOf<typeof fetchApi>
type FetchResponse = ResponseInput<typeof fetchApi>
type PartitionAnswer = FetchResponse['responses'][number]['partitions'][number]

const versionWithTopicIds = 13
const readCommitted = 1

/**
 * Fetch 4-18: whole batches from the one that holds the offset, as they were stored. Answers at once
 * when there is enough (`minBytes`), an error, or no time to wait; else when there is enough or
 * `maxWaitMs` has passed. Sessions (KIP-227) are kept for those who ask.
 *
 * Not implemented: reading from followers and `preferredReadReplica` (the nodes share their logs),
 * diverging epochs (no log is ever cut behind a reader's back).
 */
export const fetch = defineHandler({
  api: fetchApi,
  versions: [4, 18],
  async handle(request, context) {
    const choice = context.broker.fetchSessions.choose(request.sessionId, request.sessionEpoch)
    if (choice.kind === 'refused') {
      return { errorCode: kafkaError[choice.error], sessionId: 0, responses: [] }
    }
    const session = choice.kind === 'none' ? undefined : choice.session
    const requested = targetsOf(request.topics, context)
    session?.update(requested, forgottenOf(request, context))
    const read: ReadRequest = {
      targets: session?.targets() ?? requested,
      byId: context.header.version >= versionWithTopicIds,
      committed: request.isolationLevel === readCommitted,
      bytesMax: Math.min(request.maxBytes, context.broker.config.fetchMaxBytes),
    }
    const partitions = await readOrWait(read, request, context)
    const incremental = choice.kind === 'incremental'
    return response(partitions, session, incremental, context)
  },
})

async function readOrWait(
  read: ReadRequest,
  { minBytes, maxWaitMs }: FetchRequest,
  context: RequestContext,
): Promise<FetchedPartition[]> {
  const fetched = readPartitions(read, context)
  const bytes = fetched.reduce((sum, partition) => sum + partition.bytes, 0)
  const failed = fetched.some((partition) => partition.errorCode !== kafkaError.NONE)
  if (bytes >= minBytes || failed || maxWaitMs <= 0 || fetched.length === 0) return fetched
  await waitForBytes(read, fetched, { minBytes, maxWaitMs }, context)
  return readPartitions(read, context)
}

function targetsOf(
  topics: FetchRequest['topics'],
  { header, broker }: RequestContext,
): FetchTarget[] {
  const byId = header.version >= versionWithTopicIds
  return topics.flatMap(({ topic, topicId, partitions }) => {
    const name = byId ? (broker.cluster.topicById(topicId)?.name ?? '') : topic
    return partitions.map((asked) => ({
      topic: name,
      topicId,
      partition: asked.partition,
      fetchOffset: asked.fetchOffset,
      currentLeaderEpoch: asked.currentLeaderEpoch,
      partitionMaxBytes: asked.partitionMaxBytes,
    }))
  })
}

function forgottenOf(request: FetchRequest, context: RequestContext): FetchTarget[] {
  const topics = request.forgottenTopicsData.map(({ topic, topicId, partitions }) => ({
    topic,
    topicId,
    partitions: partitions.map((partition) => ({
      partition,
      currentLeaderEpoch: -1,
      fetchOffset: -1,
      lastFetchedEpoch: -1,
      logStartOffset: -1,
      partitionMaxBytes: 0,
      replicaDirectoryId: '',
    })),
  }))
  return targetsOf(topics, context)
}

/** A full response names every partition that was asked for, an incremental one what has changed. */
function response(
  partitions: readonly FetchedPartition[],
  session: FetchSession | undefined,
  incremental: boolean,
  context: RequestContext,
): FetchResponse {
  const told = partitions.filter((partition) => {
    const news = session?.mustTell(partition.target, partition) ?? true
    return news || !incremental
  })
  const responses = new Map<
    string,
    { topic: string; topicId: string; partitions: PartitionAnswer[] }
  >()
  for (const partition of told) {
    const { topic, topicId } = partition.target
    const key = topic === '' ? topicId : topic
    const group = responses.get(key) ?? { topic, topicId, partitions: [] }
    group.partitions.push(answerOf(partition))
    responses.set(key, group)
  }
  return {
    errorCode: kafkaError.NONE,
    sessionId: session?.id ?? 0,
    responses: [...responses.values()],
    nodeEndpoints: hintedNodes(
      context.broker.cluster,
      told.map((partition) => partition.leaderHint),
    ),
  }
}

function answerOf(partition: FetchedPartition): PartitionAnswer {
  return {
    partitionIndex: partition.target.partition,
    errorCode: partition.errorCode,
    highWatermark: partition.highWatermark,
    lastStableOffset: partition.lastStableOffset,
    logStartOffset: partition.logStartOffset,
    abortedTransactions: partition.abortedTransactions,
    currentLeader: partition.leaderHint,
    records: partition.chunks,
  }
}
