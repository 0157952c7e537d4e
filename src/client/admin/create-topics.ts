import { OptionError } from '../../errors.ts'
import type { MillraceError } from '../../errors.ts'
import { createTopicsApi, kafkaError } from '../../protocol/index.ts'
import type { ResponseOf } from '../../protocol/index.ts'
import { KafkaError } from '../client-error.ts'
import { optionsOf, shown } from '../../option-checks.ts'
import type { AdminCall } from './admin-call.ts'
import type { AdminWorld } from './admin-world.ts'
import { askEach } from './ask-each.ts'
import { describeConfigs } from './describe-configs.ts'
import { describeTopics, idOf } from './describe-topics.ts'
import type { TopicDescription } from './describe-topics.ts'
import { answerOf } from './item-result.ts'
import type { Done, ItemResult } from './item-result.ts'
import { controllerRoute } from './routes.ts'

/** A topic to be created. */
export interface NewTopic {
  readonly name: string
  /** @defaultValue the cluster's `num.partitions` */
  readonly partitions?: number
  /** Replicas of each partition. @defaultValue the cluster's `default.replication.factor` */
  readonly replicas?: number
  /**
   * The replicas of each partition, the preferred leader first; in place of `partitions` and `replicas`.
   * @defaultValue the cluster chooses
   */
  readonly assignments?: readonly (readonly number[])[]
  /** What differs from the cluster's configuration for topics. */
  readonly configs?: Readonly<Record<string, ConfigValue>>
}

/** The value of a configuration entry. Kafka keeps it as text. */
export type ConfigValue = string | number | boolean

/** A topic that was created. What is undefined the broker did not tell. */
export interface CreatedTopic extends Done {
  readonly name: string
  readonly id: string | undefined
  readonly partitionCount: number | undefined
  readonly replicationFactor: number | undefined
}

type TopicResponse = ResponseOf<typeof createTopicsApi>['topics'][number]

/** Creates topics, or says whether they could be. */
export function createTopics(
  world: AdminWorld,
  call: AdminCall,
  topics: ReadonlyMap<string, NewTopic>,
  validateOnly: boolean,
): Promise<Map<string, ItemResult<CreatedTopic>>> {
  const requests = new Map([...topics].map(([name, topic]) => [name, topicRequest(topic)]))
  return askEach<NewTopic, CreatedTopic>(call, topics, {
    route: controllerRoute(call),
    effect: validateOnly ? 'reads' : 'changes',
    name: ({ name }) => `topic ${name}`,
    async ask(broker, asked) {
      const answer = await call.request(broker, createTopicsApi, {
        topics: asked.flatMap(({ key }) => requests.get(key) ?? []),
        timeoutMs: call.brokerTimeoutMs,
        validateOnly,
      })
      return new Map<string, CreatedTopic | MillraceError>(
        answer.topics.map((topic) => {
          if (topic.errorCode !== 0) return [topic.name, refusalOf(topic)]
          if (!validateOnly) world.newTopics.created(topic.name)
          return [topic.name, createdTopic(topic)]
        }),
      )
    },
    async afterLostAnswer(topic, error) {
      if (error.kafkaCode !== kafkaError.TOPIC_ALREADY_EXISTS) return undefined
      return asFound(world, call, topic, error)
    },
  })
}

function topicRequest(topic: NewTopic) {
  optionsOf(topic, 'topic', ['name', 'partitions', 'replicas', 'assignments', 'configs'])
  const { name, partitions, replicas, assignments, configs = {} } = topic
  if (assignments !== undefined && (partitions ?? replicas) !== undefined) {
    const problem = `of ${name} cannot be given with partitions or replicas, which it says itself`
    throw new OptionError('topic.assignments', problem)
  }
  return {
    name,
    numPartitions: positive('topic.partitions', partitions),
    replicationFactor: positive('topic.replicas', replicas),
    assignments: (assignments ?? []).map((brokerIds, partitionIndex) => ({
      partitionIndex,
      brokerIds,
    })),
    configs: Object.entries(configs).map(([config, value]) => ({
      name: config,
      value: configText(`topic.configs['${config}']`, value),
    })),
  }
}

function positive(option: string, value: unknown): number {
  if (value === undefined) return -1
  if (typeof value === 'number' && Number.isSafeInteger(value) && value > 0) return value
  throw new OptionError(option, `(${shown(value)}) must be a whole number from 1 up`)
}

/** A configuration's value as Kafka takes it. */
export function configText(option: string, value: unknown): string {
  if (typeof value === 'string' || typeof value === 'boolean') return String(value)
  if (typeof value === 'number' && Number.isFinite(value)) return String(value)
  throw new OptionError(option, `(${shown(value)}) must be a text, a number, true or false`)
}

function refusalOf({ name, errorCode, errorMessage }: TopicResponse): KafkaError {
  return new KafkaError(errorCode, `topic ${name}`, errorMessage)
}

function createdTopic({ name, topicId, numPartitions, replicationFactor }: TopicResponse) {
  return {
    name,
    id: idOf(topicId),
    partitionCount: numPartitions < 0 ? undefined : numPartitions,
    replicationFactor: replicationFactor < 0 ? undefined : replicationFactor,
    answerWasLost: false,
  }
}

/**
 * The topic exists, and the answer to an earlier request was lost: it counts as created when it is as it was
 * asked for; what differs shows that it is somebody else's, and is told with the refusal.
 */
async function asFound(
  world: AdminWorld,
  call: AdminCall,
  topic: NewTopic,
  error: KafkaError,
): Promise<CreatedTopic | undefined> {
  const { name } = topic
  // The controller has it, so that a broker without it has only not heard of it.
  world.newTopics.created(name)
  const described = await describeTopics(world, call, new Map([[name, name]]), false)
  const found = answerOf(described.get(name))
  const differences = [
    ...differencesOf(topic, found),
    ...(await configDifferences(world, call, topic)),
  ]
  if (differences.length > 0) {
    error.message += `; it is another one: ${differences.join(', ')}`
    return undefined
  }
  return {
    name,
    id: found.id,
    partitionCount: found.partitions.length,
    replicationFactor: found.partitions[0]?.replicas.length,
    answerWasLost: true,
  }
}

function differencesOf(wanted: NewTopic, { partitions }: TopicDescription): string[] {
  const differences: string[] = []
  const count = wanted.partitions ?? wanted.assignments?.length
  if (count !== undefined && count !== partitions.length) {
    differences.push(`${partitions.length} partitions, not ${count}`)
  }
  const replicas = partitions[0]?.replicas.length
  if (wanted.replicas !== undefined && wanted.replicas !== replicas) {
    differences.push(`${replicas} replicas, not ${wanted.replicas}`)
  }
  for (const [partition, brokerIds] of (wanted.assignments ?? []).entries()) {
    const found = partitions[partition]?.replicas ?? []
    if (found.join() !== brokerIds.join()) {
      differences.push(`partition ${partition} on ${found.join()}, not ${brokerIds.join()}`)
    }
  }
  return differences
}

async function configDifferences(
  world: AdminWorld,
  call: AdminCall,
  { name, configs = {} }: NewTopic,
): Promise<string[]> {
  const keys = Object.keys(configs)
  if (keys.length === 0) return []
  const resource = { type: 'topic', name } as const
  const found = await describeConfigs(world, call, new Map([[name, resource]]), { keys })
  const entries = answerOf(found.get(name)).entries
  return Object.entries(configs).flatMap(([key, value]) => {
    const entry = entries.get(key)
    if (entry?.source === 'topic' && (entry.isSensitive || entry.value === String(value))) return []
    return [`${key} ${entry?.value ?? 'not set'}, not ${String(value)}`]
  })
}
