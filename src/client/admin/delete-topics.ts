import type { MillraceError } from '../../errors.ts'
import { deleteTopicsApi, kafkaError } from '../../protocol/index.ts'
import { KafkaError } from '../client-error.ts'
import type { Broker } from '../cluster/cluster.ts'
import type { AdminCall } from './admin-call.ts'
import { isUnknownTopic } from './admin-world.ts'
import type { AdminWorld } from './admin-world.ts'
import { askEach, isWorthAskingAgain } from './ask-each.ts'
import type { Asked } from './ask-each.ts'
import { findTopics, idOf } from './describe-topics.ts'
import type { Done, ItemResult } from './item-result.ts'
import { controllerRoute } from './routes.ts'
import { noTopicId, referenceName } from './topic-references.ts'
import type { TopicReference } from './topic-references.ts'

/** The first version that takes ids (Kafka 2.8). */
const takesIdsVersion = 6

/** A topic to be deleted. */
interface Doomed {
  readonly topic: TopicReference
  /** What the request said last, where it did not name the topic. */
  id: string | undefined
}

/**
 * Deletes topics by their ids, also those that were named. If they went by name, this could happen: the
 * answer is lost, somebody creates the topic anew, and the second request deletes what is in there since.
 */
export function deleteTopics(
  { newTopics }: AdminWorld,
  call: AdminCall,
  topics: ReadonlyMap<string, TopicReference>,
): Promise<Map<string, ItemResult<Done>>> {
  const doomed = new Map([...topics].map(([key, topic]) => [key, { topic, id: undefined }]))
  return askEach<Doomed, Done>(call, doomed, {
    route: controllerRoute(call),
    effect: 'changes',
    name: ({ topic }) => referenceName(topic),
    mayRetry: (error, asked) => isWorthAskingAgain(error) || isAnotherId(error, asked),
    async ask(broker, asked) {
      await findIds(call, broker, asked)
      const answers = await sendDeletion(call, broker, asked)
      for (const { key, item } of asked) {
        const isGone = !(answers.get(key) instanceof KafkaError)
        if (isGone && typeof item.topic === 'string') newTopics.deleted(item.topic)
      }
      return answers
    },
    afterLostAnswer: (_, error) => (isUnknownTopic(error) ? { answerWasLost: true } : undefined),
  })
}

/** The name had an id that the controller does not know: another broker's answer was old, or it was replaced. */
function isAnotherId(error: MillraceError, { item, answerWasLost }: Asked<Doomed>): boolean {
  const isUnknownId = error instanceof KafkaError && error.kafkaCode === kafkaError.UNKNOWN_TOPIC_ID
  return isUnknownId && typeof item.topic === 'string' && !answerWasLost
}

async function findIds(
  call: AdminCall,
  broker: Broker,
  asked: readonly Asked<Doomed>[],
): Promise<void> {
  const byId = asked.some(({ item }) => typeof item.topic !== 'string')
  const need = byId
    ? { versionMin: takesIdsVersion, feature: 'topics by their id (Kafka 2.8)' }
    : {}
  if ((await call.version(broker, deleteTopicsApi, need)) < takesIdsVersion) return
  // After a lost answer the id stays what it was: by the same name there may be another topic now.
  const named = asked.filter(({ item, answerWasLost }) => {
    return typeof item.topic === 'string' && !(answerWasLost && item.id !== undefined)
  })
  const names = named.map(({ item }) => item.topic)
  const found = names.length === 0 ? [] : await findTopics(call, broker, names)
  const byName = new Map(found.map((topic) => [topic.name, topic]))
  for (const { key, item } of named) {
    const topic = byName.get(key)
    item.id = topic?.errorCode === 0 ? idOf(topic.topicId) : undefined
  }
  for (const { item } of asked) if (typeof item.topic !== 'string') item.id = item.topic.id
}

async function sendDeletion(
  call: AdminCall,
  broker: Broker,
  asked: readonly Asked<Doomed>[],
): Promise<Map<string, Done | MillraceError>> {
  const { responses } = await call.request(broker, deleteTopicsApi, (version) => ({
    topics:
      version < takesIdsVersion
        ? []
        : asked.map(({ key, item: { id } }) =>
            id === undefined ? { name: key, topicId: noTopicId } : { name: null, topicId: id },
          ),
    topicNames: version < takesIdsVersion ? asked.map(({ key }) => key) : [],
    timeoutMs: call.brokerTimeoutMs,
  }))
  const answers = new Map<string, Done | MillraceError>()
  const byName = new Map(responses.map((response) => [response.name, response]))
  const byId = new Map(responses.map((response) => [response.topicId, response]))
  for (const { key, item } of asked) {
    const answer = item.id === undefined ? byName.get(key) : byId.get(item.id)
    if (answer === undefined) continue
    const { errorCode, errorMessage } = answer
    const what = referenceName(item.topic)
    const refusal = errorCode === 0 ? undefined : new KafkaError(errorCode, what, errorMessage)
    answers.set(key, refusal ?? { answerWasLost: false })
  }
  return answers
}
