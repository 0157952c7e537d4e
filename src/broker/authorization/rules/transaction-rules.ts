import {
  addOffsetsToTxnApi,
  addPartitionsToTxnApi,
  describeTransactionsApi,
  endTxnApi,
  initProducerIdApi,
  kafkaError,
  listTransactionsApi,
  txnOffsetCommitApi,
  writeTxnMarkersApi,
} from '../../../protocol/index.ts'
import type { RequestOf } from '../../../protocol/index.ts'
import type { Refusal } from '../../refusal.ts'
import { clusterName } from '../acl.ts'
import { accessRule, eachIn, leftOut, unauthorized, whole } from '../gate.ts'
import type { Check } from '../gate.ts'
import { refusedPartitions } from './refused-partitions.ts'
import {
  describeTopic,
  describeTransaction,
  idempotentWrite,
  readGroup,
  readTopic,
  writeTopic,
  writeTransaction,
} from './rights.ts'

function errorOnly(_request: unknown, { error }: Refusal) {
  return { throttleTimeMs: 0, errorCode: kafkaError[error] }
}

/**
 * Without a transactional id, who may write to any topic at all may do so with idempotence (KIP-679);
 * before that it took a right of its own, which counts as well.
 */
const withoutTransaction: Check<typeof initProducerIdApi> = {
  right: idempotentWrite,
  refused: 'whole',
  pass(request, { access }) {
    const isAllowed =
      request.transactionalId !== null ||
      access.allows('idempotentWrite', 'cluster', clusterName) ||
      access.allowsSome('write', 'topic')
    if (isAllowed) return { request }
    return { answer: refusedProducer(request, unauthorized(idempotentWrite, clusterName)) }
  },
}

function refusedProducer(_request: unknown, { error }: Refusal) {
  return { throttleTimeMs: 0, errorCode: kafkaError[error], producerId: -1, producerEpoch: -1 }
}

function addedPartitions(
  { v3AndBelowTopics }: RequestOf<typeof addPartitionsToTxnApi>,
  errorOf: (topic: string, partition: number) => number,
) {
  return {
    throttleTimeMs: 0,
    resultsByTopicV3AndBelow: v3AndBelowTopics.map(({ name, partitions }) => ({
      name,
      resultsByPartition: partitions.map((partitionIndex) => ({
        partitionIndex,
        partitionErrorCode: errorOf(name, partitionIndex),
      })),
    })),
  }
}

/** All partitions are added or none: one refusal leaves the others unattempted. */
const addedTopics: Check<typeof addPartitionsToTxnApi> = {
  right: writeTopic,
  refused: 'each',
  pass(request, { access, broker: { cluster } }) {
    const names = request.v3AndBelowTopics.map(({ name }) => name)
    const isAllowed = (name: string) => access.allows('write', 'topic', name)
    if (names.every(isAllowed)) return { request }
    const answer = addedPartitions(request, (topic, partition) => {
      if (!isAllowed(topic)) return kafkaError.TOPIC_AUTHORIZATION_FAILED
      if (cluster.partition(topic, partition) === undefined) {
        return kafkaError.UNKNOWN_TOPIC_OR_PARTITION
      }
      return kafkaError.OPERATION_NOT_ATTEMPTED
    })
    return { answer }
  },
}

type TxnOffsetTopic = RequestOf<typeof txnOffsetCommitApi>['topics'][number]

function allOffsetsRefused(
  { topics }: { readonly topics: readonly TxnOffsetTopic[] },
  refusal: Refusal,
) {
  return { throttleTimeMs: 0, topics: topics.map((topic) => refusedPartitions(topic, refusal)) }
}

/** Producers and their transactions. */
export const transactionRules = [
  accessRule(
    initProducerIdApi,
    whole(writeTransaction, {
      of: ({ transactionalId }) => (transactionalId === null ? [] : [transactionalId]),
      answer: refusedProducer,
    }),
    withoutTransaction,
  ),
  accessRule(
    addPartitionsToTxnApi,
    whole(writeTransaction, {
      of: ({ v3AndBelowTransactionalId: id }) => [id],
      answer: (request, { error }) => addedPartitions(request, () => kafkaError[error]),
    }),
    addedTopics,
  ),
  accessRule(
    addOffsetsToTxnApi,
    whole(writeTransaction, {
      of: ({ transactionalId }) => [transactionalId],
      answer: errorOnly,
    }),
    whole(readGroup, { of: ({ groupId }) => [groupId], answer: errorOnly }),
  ),
  accessRule(
    endTxnApi,
    whole(writeTransaction, {
      of: ({ transactionalId }) => [transactionalId],
      answer: errorOnly,
    }),
  ),
  accessRule(
    writeTxnMarkersApi,
    whole(
      { operation: 'clusterAction', on: 'cluster', unless: 'alter' },
      {
        answer: ({ markers }, { error }) => ({
          markers: markers.map(({ producerId, topics }) => ({
            producerId,
            topics: topics.map(({ name, partitionIndexes }) => ({
              name,
              partitions: partitionIndexes.map((partitionIndex) => ({
                partitionIndex,
                errorCode: kafkaError[error],
              })),
            })),
          })),
        }),
      },
    ),
  ),
  accessRule(
    txnOffsetCommitApi,
    whole(writeTransaction, {
      of: ({ transactionalId }) => [transactionalId],
      answer: allOffsetsRefused,
    }),
    whole(readGroup, { of: ({ groupId }) => [groupId], answer: allOffsetsRefused }),
    eachIn(readTopic, 'topics', 'topics', { name: ({ name }) => name, refused: refusedPartitions }),
  ),
  accessRule(
    describeTransactionsApi,
    eachIn(describeTransaction, 'transactionalIds', 'transactionStates', {
      name: (id) => id,
      refused: (transactionalId, { error }) => ({
        errorCode: kafkaError[error],
        transactionalId,
        transactionState: '',
        transactionTimeoutMs: 0,
        transactionStartTimeMs: 0,
        producerId: 0,
        producerEpoch: 0,
        topics: [],
      }),
    }),
    leftOut(describeTopic, (answer, mayKnow) => ({
      ...answer,
      transactionStates: answer.transactionStates.map((state) => ({
        ...state,
        topics: state.topics.filter(({ topic }) => mayKnow(topic)),
      })),
    })),
  ),
  accessRule(
    listTransactionsApi,
    leftOut(describeTransaction, (answer, mayKnow) => ({
      ...answer,
      transactionStates: answer.transactionStates.filter(({ transactionalId }) =>
        mayKnow(transactionalId),
      ),
    })),
  ),
]
