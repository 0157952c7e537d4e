import { kafkaError } from '../../../protocol/index.ts'
import type { RequestOf, ResponseInput, offsetFetchApi } from '../../../protocol/index.ts'
import type { RequestContext } from '../../handler/handler.ts'
import { noTopicId } from '../../handler/topic-id.ts'
import type { Access } from '../access.ts'
import { amendBody, each, unauthorized, whole } from '../gate.ts'
import type { Check } from '../gate.ts'
import { describeGroup, describeTopic } from './rights.ts'

type Request = RequestOf<typeof offsetFetchApi>
type Group = Request['groups'][number]
type Topic = Pick<NonNullable<Group['topics']>[number], 'name' | 'topicId' | 'partitionIndexes'>
type Response = ResponseInput<typeof offsetFetchApi>
type GroupAnswer = NonNullable<Response['groups']>[number]
type TopicAnswer = NonNullable<GroupAnswer['topics']>[number]

const versions = { groupError: 2, manyGroups: 8, topicIds: 10 } as const

/** Below version 8 a request is about one group, whose error is that of the whole. */
export const offsetFetchGroup = whole<typeof offsetFetchApi>(describeGroup, {
  of: ({ groupId }, { header }) => (header.version < versions.manyGroups ? [groupId] : []),
  answer({ topics }, { error }, { header }) {
    const errorCode = kafkaError[error]
    if (header.version >= versions.groupError) return { topics: [], errorCode }
    return { topics: withoutIds(topics ?? []).map((topic) => failedTopic(topic, errorCode)) }
  },
})

export const offsetFetchGroups = each<typeof offsetFetchApi, Group>(describeGroup, {
  items: ({ groups }) => groups,
  name: ({ groupId }) => groupId,
  keep: (request, groups) => ({ ...request, groups }),
  join: (answer, refused) => ({
    ...answer,
    groups: [
      ...(answer.groups ?? []),
      ...refused.map(({ item: { groupId }, refusal }) => ({
        groupId,
        topics: [],
        errorCode: kafkaError[refusal.error],
      })),
    ],
  }),
})

/**
 * Offsets are told of topics that may be described. Those that were named are refused; where all
 * topics are asked for, the others are left out.
 */
export const offsetFetchTopics: Check<typeof offsetFetchApi> = {
  right: describeTopic,
  refused: 'each',
  pass(request, context) {
    const groups = request.groups.map((group) => divide(group.topics, context))
    const single = divide(request.topics && withoutIds(request.topics), context)
    return {
      request: {
        ...request,
        topics: single.allowed,
        groups: request.groups.map((group, index) => ({
          ...group,
          topics: groups[index]?.allowed ?? null,
        })),
      },
      amend: amendBody((answer: Response) => ({
        ...answer,
        topics: single.join(answer.topics ?? [], answer.errorCode ?? kafkaError.NONE),
        groups: answer.groups?.map((group, index) => ({
          ...group,
          topics: groups[index]?.join(group.topics ?? [], group.errorCode ?? kafkaError.NONE) ?? [],
        })),
      })),
    }
  },
}

function withoutIds(topics: readonly Omit<Topic, 'topicId'>[]): Topic[] {
  return topics.map(({ name, partitionIndexes }) => ({
    name,
    topicId: noTopicId,
    partitionIndexes,
  }))
}

interface DividedTopics {
  readonly allowed: Topic[] | null
  /** What is told of one group: nothing but its error, if it has one. */
  join(answered: readonly TopicAnswer[], errorCode: number): TopicAnswer[]
}

function divide(topics: readonly Topic[] | null, context: RequestContext): DividedTopics {
  const { access } = context
  if (topics === null) {
    return {
      allowed: null,
      join: (answered) => answered.filter(({ name }) => mayDescribe(access, name ?? '')),
    }
  }
  const isAllowed = (topic: Topic) => {
    const name = nameOf(topic, context)
    return name === undefined || mayDescribe(access, name)
  }
  const refused = topics.filter((topic) => !isAllowed(topic))
  const { error } = unauthorized(describeTopic, '')
  return {
    allowed: topics.filter(isAllowed),
    join: (answered, errorCode) =>
      errorCode === kafkaError.NONE
        ? [...answered, ...refused.map((topic) => failedTopic(topic, kafkaError[error]))]
        : [...answered],
  }
}

function mayDescribe(access: Access, name: string): boolean {
  return access.allows('describe', 'topic', name)
}

/** Undefined when there is no topic with the id: that is the handler's to say. */
function nameOf({ name, topicId }: Topic, { broker, header }: RequestContext): string | undefined {
  return header.version < versions.topicIds ? name : broker.cluster.topicById(topicId)?.name
}

function failedTopic({ name, topicId, partitionIndexes }: Topic, errorCode: number): TopicAnswer {
  return {
    name,
    topicId,
    partitions: partitionIndexes.map((partitionIndex) => ({
      partitionIndex,
      committedOffset: -1,
      committedLeaderEpoch: -1,
      metadata: '',
      errorCode,
    })),
  }
}
