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
import { accessRule, eachIn, unauthorized, within } from '../gate.ts'
import type { Check } from '../gate.ts'
import { deleteTopic, describeTopic, readTopic, writeTopic, writeTransaction } from './rights.ts'

type ProduceRequest = RequestOf<typeof produceApi>
type ProducedTopic = ProduceRequest['topicData'][number]
type ProduceResponse = ResponseInput<typeof produceApi>

const firstProduceVersionWithTopicIds = 13

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

const producedTopics: Check<typeof produceApi> = eachIn(writeTopic, 'topicData', 'responses', {
  name: producedTopicName,
  refused: refusedProduce,
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
  accessRule(fetchApi, within(readTopic, 'each')),
  accessRule(
    listOffsetsApi,
    eachIn(describeTopic, 'topics', 'topics', {
      name: ({ name }) => name,
      refused: ({ name, partitions }, { error }) => ({
        name,
        partitions: partitions.map(({ partitionIndex }) => ({
          partitionIndex,
          errorCode: kafkaError[error],
          timestamp: -1,
          offset: -1,
          leaderEpoch: -1,
        })),
      }),
    }),
  ),
  accessRule(
    deleteRecordsApi,
    eachIn(deleteTopic, 'topics', 'topics', {
      name: ({ name }) => name,
      refused: ({ name, partitions }, { error }) => ({
        name,
        partitions: partitions.map(({ partitionIndex }) => ({
          partitionIndex,
          lowWatermark: -1,
          errorCode: kafkaError[error],
        })),
      }),
    }),
  ),
  accessRule(
    offsetForLeaderEpochApi,
    eachIn({ operation: 'describe', on: 'topic', unless: 'clusterAction' }, 'topics', 'topics', {
      name: ({ topic }) => topic,
      refused: ({ topic, partitions }, { error }) => ({
        topic,
        partitions: partitions.map(({ partition }) => ({
          partition,
          errorCode: kafkaError[error],
          leaderEpoch: -1,
          endOffset: -1,
        })),
      }),
    }),
  ),
  accessRule(
    describeProducersApi,
    eachIn(readTopic, 'topics', 'topics', {
      name: ({ name }) => (refuseTopicName(name) === undefined ? name : undefined),
      refused: ({ name, partitionIndexes }, refusal) => ({
        name,
        partitions: partitionIndexes.map((partitionIndex) => ({
          partitionIndex,
          ...refusalFields(refusal),
          activeProducers: [],
        })),
      }),
    }),
  ),
]
