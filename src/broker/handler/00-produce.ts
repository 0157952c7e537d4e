import { kafkaError, produceApi } from '../../protocol/index.ts'
import type { RequestOf, ResponseInput } from '../../protocol/index.ts'
import type { Partition } from '../cluster/cluster.ts'
import { isInternalTopic, refuseTopicName } from '../cluster/topic-name.ts'
import { isKeptByItself } from '../log/index.ts'
import type { Appended, AppendRefusal } from '../log/index.ts'
import { isRefusal, refuse } from '../refusal.ts'
import type { Refusal } from '../refusal.ts'
import { closeConnection } from '../server/interception.ts'
import { defineHandler } from './handler.ts'
import type { HandlerAnswer, RequestContext } from './handler.ts'
import { hintedNodes, leaderHint } from './leader-hint.ts'
import type { LeaderHint } from './leader-hint.ts'
import { findLedPartition } from './partition-access.ts'
import { admitToTransaction } from './produce-admission.ts'

type ProduceRequest = RequestOf<typeof produceApi>
type ProduceAnswer = HandlerAnswer<typeof produceApi>
type ProduceResponse = ResponseInput<typeof produceApi>
type PartitionAnswer = ProduceResponse['responses'][number]['partitionResponses'][number]

/** Kafka's own admin client may write to the coordinators' topics; nobody else may. */
const adminClientId = '__admin_client'
const versions = { served: 3, zstd: 7, leaderHints: 10, topicIds: 13 } as const

/** One partition of a request, and what has become of it: undefined until something has. */
export interface PartitionWrite {
  readonly topic: string
  readonly topicId: string
  readonly index: number
  readonly records: Buffer
  readonly partition: Partition | undefined
  result: Appended | AppendRefusal | Refusal | undefined
}

/**
 * Produce 3-13: appends one batch to each partition, and answers when all are durable. Versions 0-2
 * are advertised, because librdkafka before 2.11.1 takes their absence for a broker without
 * compression (KAFKA-18659), and refused.
 *
 * With acks=0 there is no answer; what is refused ends the connection, which is all that the client
 * can see. acks=1 waits like acks=-1: an acknowledged record is durable.
 */
export const produce = defineHandler({
  api: produceApi,
  versions: [0, 13],
  handle(request, context) {
    const writes = writesOf(request, context)
    const admitted = admitToTransaction(request.transactionalId, writes, context)
    if (admitted === undefined) return append(request, context, writes)
    return admitted.then(() => append(request, context, writes))
  },
})

function append(
  request: ProduceRequest,
  context: RequestContext,
  writes: readonly PartitionWrite[],
): ProduceAnswer | Promise<ProduceAnswer> {
  const pending: Promise<void>[] = []
  const together = keptTogether(writes)
  for (const write of writes) {
    const { partition } = write
    if (partition === undefined || write.result !== undefined) continue
    const result = partition.log.append(write.records, {
      leaderEpoch: partition.leaderEpoch,
      startsAtSequenceZero: context.header.version > 11,
      keptTogetherBytes: together.get(write.topic) ?? 0,
    })
    write.result = result
    if (isRefusal(result) || result.durable === undefined) continue
    pending.push(
      result.durable.catch((error: unknown) => {
        const reason = error instanceof Error ? error.message : String(error)
        write.result = refuse('KAFKA_STORAGE_ERROR', reason)
      }),
    )
  }
  if (writes.every(({ partition }) => partition?.log.keepsAppended !== true)) context.keptNothing()
  if (pending.length === 0) return answer(request, context, writes)
  // The batches have their places: the next request can only come behind them.
  context.proceed()
  return Promise.all(pending).then(() => answer(request, context, writes))
}

/**
 * How much of a request is kept as long as any batch of it, by topic: partitions of a topic have the same
 * retention, so that it does no harm to keep the request itself when it holds little else.
 */
function keptTogether(writes: readonly PartitionWrite[]): ReadonlyMap<string, number> {
  const bytes = new Map<string, number>()
  for (const { topic, records, result } of writes) {
    if (result !== undefined || !isKeptByItself(records)) continue
    bytes.set(topic, (bytes.get(topic) ?? 0) + records.length)
  }
  return bytes
}

/** The partitions of a request, each with what is wrong with it before anything is appended. */
function writesOf(request: ProduceRequest, context: RequestContext): PartitionWrite[] {
  const { cluster } = context.broker
  const byId = context.header.version >= versions.topicIds
  const wrong = refuseRequest(request, context)
  return request.topicData.flatMap(({ name, topicId, partitionData }) => {
    const topic = byId ? (cluster.topicById(topicId)?.name ?? '') : name
    return partitionData.map(({ index, records }) => {
      const reference = { name: topic, id: topicId, byId }
      const found =
        wrong ??
        refuseTopic(topic, byId, context.clientId) ??
        findLedPartition(cluster, reference, index, context.nodeId)
      const partition = isRefusal(found) ? undefined : found
      return {
        topic,
        topicId,
        index,
        records: records ?? Buffer.alloc(0),
        partition,
        result: isRefusal(found) ? found : refuseWrite(found, records, request, context),
      }
    })
  })
}

function refuseRequest(request: ProduceRequest, { header }: RequestContext): Refusal | undefined {
  if (header.version < versions.served) {
    return refuse('UNSUPPORTED_VERSION', `Produce version ${header.version} is no longer served`)
  }
  if (request.acks < -1 || request.acks > 1) {
    return refuse('INVALID_REQUIRED_ACKS', `acks (${request.acks}) must be -1, 0 or 1`)
  }
  return undefined
}

function refuseTopic(name: string, byId: boolean, clientId: string): Refusal | undefined {
  if (isInternalTopic(name) && clientId !== adminClientId) {
    return refuse('INVALID_TOPIC_EXCEPTION', `topic '${name}' belongs to the broker`)
  }
  return byId ? undefined : refuseTopicName(name)
}

function refuseWrite(
  { topic, inSync, replicas }: Partition,
  records: Buffer | null,
  { acks }: ProduceRequest,
  { header }: RequestContext,
): Refusal | undefined {
  // As in Kafka, a topic with fewer replicas than asked for needs all it has.
  const needed = Math.min(topic.config.minInsyncReplicas, replicas.length)
  if (acks === -1 && inSync.length < needed) {
    return refuse(
      'NOT_ENOUGH_REPLICAS',
      `${inSync.length} replicas are in sync; min.insync.replicas asks for ${needed}`,
    )
  }
  if (header.version < versions.zstd && records !== null && usesZstd(records)) {
    return refuse('UNSUPPORTED_COMPRESSION_TYPE', 'zstd needs Produce version 7 or later')
  }
  return undefined
}

/** The codec is in the lowest bits of the attributes, at byte 21 of a batch. */
function usesZstd(records: Buffer): boolean {
  const zstd = 4
  return records.length > 22 && (records.readInt16BE(21) & 7) === zstd
}

function answer(
  request: ProduceRequest,
  context: RequestContext,
  writes: readonly PartitionWrite[],
): ProduceAnswer {
  if (request.acks === 0) {
    const failed = writes.some((write) => write.result !== undefined && isRefusal(write.result))
    return failed ? closeConnection : undefined
  }
  let next = 0
  const responses = request.topicData.map(({ name, topicId, partitionData }) => ({
    name,
    topicId,
    partitionResponses: partitionData.map(() => {
      const write = writes[next] as PartitionWrite
      next += 1
      return answerPartition(write, context)
    }),
  }))
  const hints = writes.map((write) => hintOf(write, context))
  return { responses, nodeEndpoints: hintedNodes(context.broker.cluster, hints) }
}

function hintOf(write: PartitionWrite, { broker, header }: RequestContext): LeaderHint | undefined {
  const { result, topic, index } = write
  if (header.version < versions.leaderHints || result === undefined) return undefined
  if (!isRefusal(result) || result.error !== 'NOT_LEADER_OR_FOLLOWER') return undefined
  return leaderHint(broker.cluster.partition(topic, index))
}

function answerPartition(write: PartitionWrite, context: RequestContext): PartitionAnswer {
  const { index, result } = write
  if (result === undefined) throw new Error(`partition ${index} was neither appended nor refused`)
  if (!isRefusal(result)) {
    return {
      index,
      errorCode: kafkaError.NONE,
      baseOffset: result.baseOffset,
      logAppendTimeMs: result.logAppendTime,
      logStartOffset: result.logStartOffset,
    }
  }
  return {
    index,
    errorCode: kafkaError[result.error],
    baseOffset: -1,
    logAppendTimeMs: -1,
    logStartOffset: -1,
    recordErrors: 'recordErrors' in result ? result.recordErrors : [],
    errorMessage: result.message,
    currentLeader: hintOf(write, context),
  }
}
