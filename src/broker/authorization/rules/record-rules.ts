import {
  deleteRecordsApi,
  describeProducersApi,
  fetchApi,
  kafkaError,
  listOffsetsApi,
  offsetForLeaderEpochApi,
  produceApi,
} from '../../../protocol/index.ts'
import type { RequestOf, ResponseInput } from '../../../protocol/index.ts'
import { refuseTopicName } from '../../cluster/topic-name.ts'
import type { RequestContext } from '../../handler/handler.ts'
import { isTransactionalBatch } from '../../handler/produce-admission.ts'
import { refusalFields } from '../../handler/refusal-fields.ts'
import type { Refusal } from '../../refusal.ts'
import { closeConnection } from '../../server/interception.ts'
import { accessRule, each, unauthorized, within } from '../gate.ts'
import type { Check, Right } from '../gate.ts'

type ProduceRequest = RequestOf<typeof produceApi>
type ProducedTopic = ProduceRequest['topicData'][number]
type ProduceResponse = ResponseInput<typeof produceApi>

const firstProduceVersionWithTopicIds = 13
const writeTopic: Right = { operation: 'write', on: 'topic' }
const writeTransaction: Right = { operation: 'write', on: 'transactionalId' }

function refusedProduce(
  { name, topicId, partitionData }: ProducedTopic,
  { error, message }: Refusal,
): ProduceResponse['responses'][number] {
  return {
    name,
    topicId,
    partitionResponses: partitionData.map(({ index }) => ({
      index,
      errorCode: kafkaError[error],
      baseOffset: -1,
      logAppendTimeMs: -1,
      logStartOffset: -1,
      recordErrors: [],
      errorMessage: message,
    })),
  }
}

function producedTopicName(
  { name, topicId }: ProducedTopic,
  { broker, header }: RequestContext,
): string | undefined {
  if (header.version < firstProduceVersionWithTopicIds) return name
  return broker.cluster.topicById(topicId)?.name
}

/** Records of a transaction need a right on its id, which the batches alone do not name. */
const producedTransaction: Check<typeof produceApi> = {
  right: writeTransaction,
  refused: 'whole',
  pass(request, { access }) {
    const { transactionalId, topicData, acks } = request
    const isTransactional = topicData.some(({ partitionData }) =>
      partitionData.some(({ records }) => records !== null && isTransactionalBatch(records)),
    )
    if (!isTransactional) return { request }
    const id = transactionalId ?? ''
    if (transactionalId !== null && access.allows('write', 'transactionalId', id)) {
      return { request }
    }
    if (acks === 0) return { answer: closeConnection }
    const refusal = unauthorized(writeTransaction, id)
    return { answer: { responses: topicData.map((topic) => refusedProduce(topic, refusal)) } }
  },
}

const producedTopics = each<typeof produceApi, ProducedTopic>(writeTopic, {
  items: ({ topicData }) => topicData,
  name: producedTopicName,
  keep: (request, topicData) => ({ ...request, topicData }),
  join: (answer, refused) => ({
    ...answer,
    responses: [
      ...answer.responses,
      ...refused.map(({ item, refusal }) => refusedProduce(item, refusal)),
    ],
  }),
})

/** Who asks for no answer cannot be told of a refusal but by the end of the connection. */
const producedTopicsUnanswered: Check<typeof produceApi> = {
  ...producedTopics,
  pass(request, context) {
    const passage = producedTopics.pass(request, context)
    if (request.acks !== 0 || 'answer' in passage || passage.amend === undefined) return passage
    return { request: passage.request, amend: () => closeConnection }
  },
}

/** Records: writing, reading, finding and deleting them. */
export const recordRules = [
  accessRule(produceApi, producedTransaction, producedTopicsUnanswered),
  accessRule(fetchApi, within({ operation: 'read', on: 'topic' }, 'each')),
  accessRule(
    listOffsetsApi,
    each(
      { operation: 'describe', on: 'topic' },
      {
        items: ({ topics }) => topics,
        name: ({ name }) => name,
        keep: (request, topics) => ({ ...request, topics }),
        join: (answer, refused) => ({
          ...answer,
          topics: [
            ...answer.topics,
            ...refused.map(({ item: { name, partitions }, refusal }) => ({
              name,
              partitions: partitions.map(({ partitionIndex }) => ({
                partitionIndex,
                errorCode: kafkaError[refusal.error],
                timestamp: -1,
                offset: -1,
                leaderEpoch: -1,
              })),
            })),
          ],
        }),
      },
    ),
  ),
  accessRule(
    deleteRecordsApi,
    each(
      { operation: 'delete', on: 'topic' },
      {
        items: ({ topics }) => topics,
        name: ({ name }) => name,
        keep: (request, topics) => ({ ...request, topics }),
        join: (answer, refused) => ({
          ...answer,
          topics: [
            ...answer.topics,
            ...refused.map(({ item: { name, partitions }, refusal }) => ({
              name,
              partitions: partitions.map(({ partitionIndex }) => ({
                partitionIndex,
                lowWatermark: -1,
                errorCode: kafkaError[refusal.error],
              })),
            })),
          ],
        }),
      },
    ),
  ),
  accessRule(
    offsetForLeaderEpochApi,
    each(
      { operation: 'describe', on: 'topic', unless: 'clusterAction' },
      {
        items: ({ topics }) => topics,
        name: ({ topic }) => topic,
        keep: (request, topics) => ({ ...request, topics }),
        join: (answer, refused) => ({
          ...answer,
          topics: [
            ...answer.topics,
            ...refused.map(({ item: { topic, partitions }, refusal }) => ({
              topic,
              partitions: partitions.map(({ partition }) => ({
                partition,
                errorCode: kafkaError[refusal.error],
                leaderEpoch: -1,
                endOffset: -1,
              })),
            })),
          ],
        }),
      },
    ),
  ),
  accessRule(
    describeProducersApi,
    each(
      { operation: 'read', on: 'topic' },
      {
        items: ({ topics }) => topics,
        name: ({ name }) => (refuseTopicName(name) === undefined ? name : undefined),
        keep: (request, topics) => ({ ...request, topics }),
        join: (answer, refused) => ({
          ...answer,
          topics: [
            ...answer.topics,
            ...refused.map(({ item: { name, partitionIndexes }, refusal }) => ({
              name,
              partitions: partitionIndexes.map((partitionIndex) => ({
                partitionIndex,
                ...refusalFields(refusal),
                activeProducers: [],
              })),
            })),
          ],
        }),
      },
    ),
  ),
]
