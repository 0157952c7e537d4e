import { deleteTopicsApi } from '../../protocol/index.ts'
import type { RequestOf, ResponseInput } from '../../protocol/index.ts'
import type { Cluster, Topic } from '../cluster/cluster.ts'
import { isRefusal, refuse } from '../refusal.ts'
import type { Refusal } from '../refusal.ts'
import { defineHandler } from './handler.ts'
import { refusalFields } from './refusal-fields.ts'
import { repeated } from './repeated.ts'
import { noTopicId } from './topic-id.ts'

type DeleteTopicsRequest = RequestOf<typeof deleteTopicsApi>
type TopicAnswer = ResponseInput<typeof deleteTopicsApi>['responses'][number]

/** A topic as the request names it: by name, or (6+) by id. */
interface TopicReference {
  readonly name: string | null
  readonly topicId: string
}

const firstVersionWithReferences = 6
const firstVersionWithDisabledError = 3

/**
 * DeleteTopics 1-6: each topic is deleted or refused for itself, by name or (6+) by id; one that the
 * request has twice is refused once.
 *
 * Unlike Kafka, the coordinators' own topics cannot be deleted: what the coordinators remember would
 * no longer be in any log. Not implemented: the time limit (a topic is gone when the answer is sent).
 */
export const deleteTopics = defineHandler({
  api: deleteTopicsApi,
  versions: [1, 6],
  async handle(request, { broker: { cluster, config }, header }) {
    const references = referencesOf(request, header.version)
    const twice = repeated(references.map(keyOf))
    const distinct = new Map(references.map((reference) => [keyOf(reference), reference]))
    const answers = [...distinct].map(async ([key, reference]) => {
      if (!config.deleteTopicEnable) return refused(reference, refuseDisabled(header.version))
      if (twice.has(key)) {
        return refused(reference, refuse('INVALID_REQUEST', 'the request names the topic twice'))
      }
      return deleteOne(reference, cluster)
    })
    return { responses: await Promise.all(answers) }
  },
})

function referencesOf(request: DeleteTopicsRequest, version: number): readonly TopicReference[] {
  if (version >= firstVersionWithReferences) return request.topics
  return request.topicNames.map((name) => ({ name, topicId: noTopicId }))
}

function keyOf({ name, topicId }: TopicReference): string {
  return name === null ? `id ${topicId}` : `name ${name}`
}

function refuseDisabled(version: number): Refusal {
  const error =
    version >= firstVersionWithDisabledError ? 'TOPIC_DELETION_DISABLED' : 'INVALID_REQUEST'
  return refuse(error, 'delete.topic.enable (false) must be true')
}

async function deleteOne(reference: TopicReference, cluster: Cluster): Promise<TopicAnswer> {
  const topic = findTopic(reference, cluster)
  if (isRefusal(topic)) return refused(reference, topic)
  const refusal = topic.internal
    ? refuse('INVALID_REQUEST', `topic '${topic.name}' is the coordinators' own`)
    : await cluster.deleteTopic(topic.name)
  return { name: topic.name, topicId: topic.id, ...refusalFields(refusal) }
}

function findTopic({ name, topicId }: TopicReference, cluster: Cluster): Topic | Refusal {
  if (name !== null) {
    if (topicId !== noTopicId) {
      return refuse(
        'INVALID_REQUEST',
        `topic '${name}' must be given by name or by id, not by both`,
      )
    }
    const problem = `topic '${name}' does not exist`
    return cluster.topic(name) ?? refuse('UNKNOWN_TOPIC_OR_PARTITION', problem)
  }
  if (topicId === noTopicId) {
    return refuse('INVALID_REQUEST', 'a topic must be given by name or by id')
  }
  return (
    cluster.topicById(topicId) ?? refuse('UNKNOWN_TOPIC_ID', `there is no topic with id ${topicId}`)
  )
}

function refused({ name, topicId }: TopicReference, refusal: Refusal): TopicAnswer {
  return { name, topicId, ...refusalFields(refusal) }
}
