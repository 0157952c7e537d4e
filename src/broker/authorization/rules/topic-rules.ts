import {
  createPartitionsApi,
  createTopicsApi,
  deleteTopicsApi,
  describeTopicPartitionsApi,
  kafkaError,
  metadataApi,
} from '../../../protocol/index.ts'
import type { RequestOf, ResponseInput } from '../../../protocol/index.ts'
import { isInternalTopic } from '../../cluster/topic-name.ts'
import type { RequestContext } from '../../handler/handler.ts'
import { refusalFields } from '../../handler/refusal-fields.ts'
import { noTopicId } from '../../handler/topic-id.ts'
import type { Refusal } from '../../refusal.ts'
import { authorizedOperations } from '../access.ts'
import { accessRule, bits, each, eachIn, leftOut, unauthorizedCode, within } from '../gate.ts'
import type { Check } from '../gate.ts'
import { clusterBits } from './cluster-rules.ts'
import { describeCluster, describeTopic } from './rights.ts'

type MetadataRequest = RequestOf<typeof metadataApi>
type MetadataResponse = ResponseInput<typeof metadataApi>
type WantedTopic = NonNullable<MetadataRequest['topics']>[number]

function isByName({ name, topicId }: WantedTopic): boolean {
  return name !== null && (name !== '' || topicId === noTopicId)
}

/** The name of a topic that is wanted; undefined when there is no topic with the id. */
function wantedName(wanted: WantedTopic, { broker }: RequestContext): string | undefined {
  if (isByName(wanted)) return wanted.name ?? undefined
  return broker.cluster.topicById(wanted.topicId)?.name
}

/** The name of a topic that a Metadata request would make. */
function createdName(wanted: WantedTopic, { broker }: RequestContext): string | undefined {
  const name = wantedName(wanted, { broker } as RequestContext)
  const isMissing = name !== undefined && broker.cluster.topic(name) === undefined
  return isMissing && broker.config.autoCreateTopicsEnable ? name : undefined
}

/** An id is no secret, so who asked by one is answered with it; a name is never told for it. */
function refusedTopic(wanted: WantedTopic, { error }: Refusal): MetadataResponse['topics'][number] {
  return {
    errorCode: kafkaError[error],
    name: isByName(wanted) ? wanted.name : null,
    topicId: isByName(wanted) ? noTopicId : wanted.topicId,
    isInternal: isByName(wanted) && isInternalTopic(wanted.name ?? ''),
    partitions: [],
  }
}

function isForAll({ topics }: MetadataRequest, { header }: RequestContext): boolean {
  return topics === null || (header.version === 0 && topics.length === 0)
}

const wantedTopics: Check<typeof metadataApi> = eachIn(describeTopic, 'topics', 'topics', {
  name: wantedName,
  refused: refusedTopic,
})

/** In version 0 an empty list stands for all topics: what is left of a refused one must not. */
const namedTopics: Check<typeof metadataApi> = {
  ...wantedTopics,
  pass(request, context) {
    const passage = wantedTopics.pass(request, context)
    if ('answer' in passage || isForAll(request, context)) return passage
    if (!isForAll(passage.request, context)) return passage
    const { amend } = passage
    const withoutTopics = (answer: unknown) => ({ ...(answer as MetadataResponse), topics: [] })
    return {
      request: passage.request,
      amend: (answer) => amend?.(withoutTopics(answer)) ?? answer,
    }
  },
}

const createdTopics = each<typeof metadataApi, WantedTopic>(
  { operation: 'create', on: 'topic', unless: 'create' },
  {
    items: ({ topics, allowAutoTopicCreation }) => (allowAutoTopicCreation ? (topics ?? []) : []),
    name: createdName,
    keep: (request, topics) => ({ ...request, topics }),
    join: (answer, refused) => ({
      ...answer,
      topics: [
        ...answer.topics,
        ...refused.map(({ item, refusal }) => refusedTopic(item, refusal)),
      ],
    }),
  },
)

interface TopicReference {
  readonly name: string | null
  readonly topicId: string
}

/** The topics to delete, as the request names them: by name, or (6+) by id. */
function deletedTopics(request: RequestOf<typeof deleteTopicsApi>): readonly TopicReference[] {
  const byName = request.topicNames.map((name) => ({ name, topicId: noTopicId }))
  return [...byName, ...request.topics]
}

/** What is wrong or missing, and no secret, is the handler's to refuse. */
function deletedName(
  { name, topicId }: TopicReference,
  { broker: { cluster, config }, access }: RequestContext,
): string | undefined {
  if (!config.deleteTopicEnable || (name !== null && topicId !== noTopicId)) return undefined
  if (name === null) return cluster.topicById(topicId)?.name
  const isMissing = cluster.topic(name) === undefined
  return isMissing && access.allows('describe', 'topic', name) ? undefined : name
}

function isDescribed<Topic extends { readonly errorCode: number; readonly name?: string | null }>(
  topic: Topic,
): topic is Topic & { readonly name: string } {
  return topic.errorCode === kafkaError.NONE && typeof topic.name === 'string'
}

/** Topics: what there is of them, and changing it. */
export const topicRules = [
  accessRule(
    metadataApi,
    namedTopics,
    leftOut(describeTopic, (answer, mayKnow, request, context) =>
      isForAll(request, context)
        ? { ...answer, topics: answer.topics.filter(({ name }) => mayKnow(name ?? '')) }
        : answer,
    ),
    createdTopics,
    bits(describeCluster, (answer, { access }) => ({
      ...answer,
      clusterAuthorizedOperations: clusterBits(answer.clusterAuthorizedOperations, access),
    })),
    bits(describeTopic, (answer, { access }, request) => {
      if (!request.includeTopicAuthorizedOperations) return answer
      const topics = answer.topics.map((topic) =>
        isDescribed(topic)
          ? {
              ...topic,
              topicAuthorizedOperations: authorizedOperations(access, 'topic', topic.name),
            }
          : topic,
      )
      return { ...answer, topics }
    }),
  ),
  accessRule(
    createTopicsApi,
    eachIn({ operation: 'create', on: 'topic', unless: 'create' }, 'topics', 'topics', {
      key: ({ name }) => name,
      name: ({ name }) => name,
      refused: ({ name }, refusal) => ({
        name,
        ...refusalFields(refusal),
        topicConfigErrorCode: kafkaError.NONE,
        numPartitions: -1,
        replicationFactor: -1,
        configs: [],
      }),
    }),
    leftOut({ operation: 'describeConfigs', on: 'topic' }, (answer, mayKnow) => ({
      ...answer,
      topics: answer.topics.map((topic) =>
        topic.errorCode !== kafkaError.NONE || mayKnow(topic.name)
          ? topic
          : {
              ...topic,
              topicConfigErrorCode: unauthorizedCode(describeTopic),
              numPartitions: -1,
              replicationFactor: -1,
              configs: [],
            },
      ),
    })),
  ),
  accessRule(
    deleteTopicsApi,
    each<typeof deleteTopicsApi, TopicReference>(
      { operation: 'delete', on: 'topic', unless: 'delete' },
      {
        items: deletedTopics,
        key: ({ name, topicId }) => (name === null ? `id ${topicId}` : `name ${name}`),
        name: deletedName,
        keep: (request, topics) => ({
          ...request,
          topicNames: request.topicNames.filter((given) =>
            topics.some(({ name }) => name === given),
          ),
          topics: request.topics.filter((given) => topics.includes(given)),
        }),
        join: (answer, refused, { broker, access }) => ({
          ...answer,
          responses: [
            ...answer.responses,
            ...refused.map(({ item: { name, topicId }, refusal }) => {
              const known = broker.cluster.topicById(topicId)?.name ?? ''
              const mayKnow = access.allows('describe', 'topic', known)
              return {
                name: name ?? (mayKnow ? known : null),
                topicId,
                ...refusalFields(refusal),
              }
            }),
          ],
        }),
      },
    ),
  ),
  accessRule(
    createPartitionsApi,
    eachIn({ operation: 'alter', on: 'topic' }, 'topics', 'results', {
      key: ({ name }) => name,
      name: ({ name }) => name,
      refused: ({ name }, refusal) => ({ name, ...refusalFields(refusal) }),
    }),
  ),
  accessRule(
    describeTopicPartitionsApi,
    within(describeTopic, 'each'),
    within(describeTopic, 'left out'),
    bits(describeTopic, (answer, { access }) => ({
      ...answer,
      topics: answer.topics.map((topic) =>
        isDescribed(topic)
          ? {
              ...topic,
              topicAuthorizedOperations: authorizedOperations(access, 'topic', topic.name),
            }
          : topic,
      ),
    })),
  ),
]
