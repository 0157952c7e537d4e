import { kafkaError, shareFetchApi } from '../../protocol/index.ts'
import type { RequestOf, ResponseInput } from '../../protocol/index.ts'
import { isRefusal, refuse } from '../refusal.ts'
import type { Refusal } from '../refusal.ts'
import { sessionEpoch } from '../share/index.ts'
import type { SharedTarget, ShareSession } from '../share/index.ts'
import { defineHandler } from './handler.ts'
import type { RequestContext } from './handler.ts'
import { hintedNodes } from './leader-hint.ts'
import { refusalFields } from './refusal-fields.ts'
import {
  byTopicId,
  findSharedPartition,
  openSharePartition,
  prepareShares,
  refuseShares,
  sharedLeaderHint,
} from './share-access.ts'
import { acknowledgePartitions } from './share-acknowledge.ts'
import type { AcknowledgeOutcome } from './share-acknowledge.ts'
import { readShared, sharedReader } from './share-read.ts'
import type { SharedRead, SharedSource } from './share-read.ts'
import { waitForShared } from './share-wait.ts'

type ShareFetchRequest = RequestOf<typeof shareFetchApi>
type ShareFetchResponse = ResponseInput<typeof shareFetchApi>
type PartitionAnswer = ShareFetchResponse['responses'][number]['partitions'][number]

/**
 * ShareFetch 1: acquires records for a member of a share group, after taking note of what it says of
 * earlier ones. Answers at once when there is something, or an error, or no time to wait; else when
 * there is something or `maxWaitMs` has passed. Epoch 0 begins a share session, -1 ends it: then
 * nothing is acquired, and what the member still has is free.
 */
export const shareFetch = defineHandler({
  api: shareFetchApi,
  versions: [1, 1],
  async handle(request, context) {
    const session =
      refuseShares(context) ?? (await prepareShares(context)) ?? choose(request, context)
    if (isRefusal(session)) return refused(session)
    const { groupId, memberId } = session
    const said = acknowledged(request)
    const outcomes = await acknowledgePartitions(groupId, memberId, said, context)
    const isFinal = request.shareSessionEpoch === sessionEpoch.final
    const reads = isFinal ? [] : await readSession(request, session, outcomes, context)
    if (isFinal) context.broker.shareSessions.endOne(context.nodeId, session)
    // Nobody is left to work on what was acquired, also when the session has ended meanwhile.
    if (session.ended) {
      await context.broker.shares.releaseMember(groupId, memberId, session.targets())
    }
    return response(groupId, memberId, reads, outcomes, context)
  },
})

/** The session that a request is of; a new one lives no longer than its connection. */
function choose(request: ShareFetchRequest, context: RequestContext): ShareSession | Refusal {
  const { groupId, memberId, shareSessionEpoch: epoch, topics } = request
  const { nodeId, broker, session: connection } = context
  const { shareSessions, shares } = broker
  if (groupId === null || memberId === null || groupId === '' || memberId === '') {
    return refuse('INVALID_REQUEST', 'a group and a member must be named')
  }
  if (epoch !== sessionEpoch.first) {
    const session = shareSessions.proceed(nodeId, groupId, memberId, epoch)
    if (isRefusal(session)) return session
    if (epoch !== sessionEpoch.final) session.update(targetsOf(request), forgottenOf(request))
    return session
  }
  const says = topics.some(({ partitions }) =>
    partitions.some(({ acknowledgementBatches }) => acknowledgementBatches.length > 0),
  )
  if (says) return refuse('INVALID_REQUEST', 'a member has nothing yet that it could acknowledge')
  const session = shareSessions.begin(nodeId, groupId, memberId)
  if (isRefusal(session)) return session
  session.update(targetsOf(request), [])
  const withoutConnection = connection.onEnd(() => {
    if (!shareSessions.endOne(nodeId, session)) return
    void shares.releaseMember(groupId, memberId, session.targets())
  })
  session.onEnd(withoutConnection)
  return session
}

function targetsOf({ topics }: ShareFetchRequest): SharedTarget[] {
  return topics.flatMap(({ topicId, partitions }) =>
    partitions.map(({ partitionIndex: partition }) => ({ topicId, partition })),
  )
}

function forgottenOf({ forgottenTopicsData }: ShareFetchRequest): SharedTarget[] {
  return forgottenTopicsData.flatMap(({ topicId, partitions }) =>
    partitions.map((partition) => ({ topicId, partition })),
  )
}

function acknowledged({ topics }: ShareFetchRequest) {
  return topics.flatMap(({ topicId, partitions }) =>
    partitions
      .filter(({ acknowledgementBatches }) => acknowledgementBatches.length > 0)
      .map(({ partitionIndex, acknowledgementBatches: batches }) => ({
        target: { topicId, partition: partitionIndex },
        batches,
      })),
  )
}

/** Reads what the session names, and waits for something to read if there is time. */
async function readSession(
  request: ShareFetchRequest,
  session: ShareSession,
  outcomes: readonly AcknowledgeOutcome[],
  context: RequestContext,
): Promise<SharedRead[]> {
  const { groupId, memberId } = session
  const { sources, failed } = await sourcesOf(session, request.shareSessionEpoch, context)
  const reader = sharedReader(groupId, memberId, context)
  const limits = {
    recordsMax: request.maxRecords,
    bytesMax: Math.min(request.maxBytes, context.broker.config.fetchMaxBytes),
    batchSize: request.batchSize,
  }
  const { clock } = context.broker.platform
  const mayGet = limits.recordsMax > 0 && limits.bytesMax > 0
  const isFine = failed.length === 0 && outcomes.every(({ refusal }) => refusal === undefined)
  const untilMs = clock.elapsedMs() + (mayGet && isFine ? request.maxWaitMs : 0)
  const minBytes = Math.min(request.minBytes, limits.bytesMax)
  for (;;) {
    const isOver = session.ended || clock.elapsedMs() >= untilMs
    const waiting = { sources, reader, session, untilMs, minBytes: isOver ? 0 : minBytes }
    if (!isOver) await waitForShared(waiting, clock)
    if (session.ended) return []
    const reads = [...failed, ...(await readShared(sources, limits, reader))]
    // Somebody else may have been faster.
    if (reads.length > 0 || isOver || clock.elapsedMs() >= untilMs) return reads
  }
}

/** Each request of a session begins with another partition, so that none is always the last. */
async function sourcesOf(
  session: ShareSession,
  epoch: number,
  context: RequestContext,
): Promise<{ readonly sources: SharedSource[]; readonly failed: SharedRead[] }> {
  const targets = session.targets()
  const begin = targets.length === 0 ? 0 : epoch % targets.length
  const sources: SharedSource[] = []
  const failed: SharedRead[] = []
  for (const target of [...targets.slice(begin), ...targets.slice(0, begin)]) {
    const partition = findSharedPartition(target, context)
    const shared = isRefusal(partition)
      ? partition
      : await openSharePartition(session.groupId, partition, context)
    if (isRefusal(partition)) failed.push(refusedRead(target, partition))
    else if (!isRefusal(shared)) sources.push({ target, partition, shared })
    // The state will be there in a moment: clients know no error for that.
    else if (shared.error !== 'COORDINATOR_NOT_AVAILABLE') failed.push(refusedRead(target, shared))
  }
  return { sources, failed }
}

function refusedRead(target: SharedTarget, refusal: Refusal): SharedRead {
  return { target, refusal, acquired: [], chunks: [] }
}

function response(
  groupId: string,
  memberId: string,
  reads: readonly SharedRead[],
  outcomes: readonly AcknowledgeOutcome[],
  context: RequestContext,
): ShareFetchResponse {
  const answers = new Map<string, readonly [SharedTarget, PartitionAnswer]>()
  const nameOf = ({ topicId, partition }: SharedTarget) => `${topicId} ${partition}`
  for (const { target, refusal } of outcomes) {
    const { errorCode, errorMessage } = refusalFields(refusal)
    answers.set(nameOf(target), [
      target,
      {
        ...emptyAnswer(target, refusal, context),
        acknowledgeErrorCode: errorCode,
        acknowledgeErrorMessage: errorMessage,
      },
    ])
  }
  for (const { target, refusal, acquired, chunks } of reads) {
    const [, said] = answers.get(nameOf(target)) ?? []
    const answer = {
      ...(said ?? emptyAnswer(target, refusal, context)),
      ...refusalFields(refusal),
      records: chunks,
      acquiredRecords: acquired.map(({ first, last, count }) => ({
        firstOffset: first,
        lastOffset: last,
        deliveryCount: count,
      })),
    }
    answers.set(nameOf(target), [target, answer])
  }
  const all = [...answers.values()]
  return {
    throttleTimeMs: 0,
    errorCode: kafkaError.NONE,
    errorMessage: null,
    acquisitionLockTimeoutMs: sharedReader(groupId, memberId, context).lockMs,
    responses: byTopicId(all),
    nodeEndpoints: hintedNodes(
      context.broker.cluster,
      all.map(([, { currentLeader }]) => currentLeader),
    ),
  }
}

function emptyAnswer(
  target: SharedTarget,
  refusal: Refusal | undefined,
  context: RequestContext,
): PartitionAnswer & { currentLeader: ReturnType<typeof sharedLeaderHint> } {
  return {
    partitionIndex: target.partition,
    errorCode: kafkaError.NONE,
    acknowledgeErrorCode: kafkaError.NONE,
    currentLeader: sharedLeaderHint(target, refusal, context),
    records: [],
    acquiredRecords: [],
  }
}

function refused(refusal: Refusal): ShareFetchResponse {
  return {
    throttleTimeMs: 0,
    ...refusalFields(refusal),
    acquisitionLockTimeoutMs: 0,
    responses: [],
    nodeEndpoints: [],
  }
}
