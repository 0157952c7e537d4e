import { createTopicsApi, kafkaError } from '../../protocol/index.ts'
import type { RequestOf, ResponseInput } from '../../protocol/index.ts'
import type { NewTopic } from '../cluster/cluster.ts'
import { describeNewTopic } from '../config/index.ts'
import type { BrokerConfig } from '../config/index.ts'
import { isRefusal, refuse } from '../refusal.ts'
import type { Refusal } from '../refusal.ts'
import { defineHandler } from './handler.ts'
import type { RequestContext } from './handler.ts'
import { refusalFields } from './refusal-fields.ts'
import { repeated } from './repeated.ts'

type TopicRequest = RequestOf<typeof createTopicsApi>['topics'][number]
type TopicAnswer = ResponseInput<typeof createTopicsApi>['topics'][number]

/** Kafka makes no more in one request: they would be one batch of its metadata log. */
export const partitionsPerRequestMax = 10_000

/**
 * CreateTopics 2-7: each topic is made or refused for itself; a name that the request has twice is
 * refused once. -1 stands for the broker's number of partitions and replicas. From version 5 on the
 * answer has the topic's configuration, and never null where the topic was made: Java's clients look
 * into it unasked.
 *
 * Not implemented: the time limit (a topic exists when the answer is sent), policies
 * (`create.topic.policy.class.name`), quotas of topic mutations.
 */
export const createTopics = defineHandler({
  api: createTopicsApi,
  versions: [2, 7],
  async handle({ topics, validateOnly }, context) {
    const twice = repeated(topics.map(({ name }) => name))
    const once = topics.filter(({ name }) => !twice.has(name))
    const tooMany = partitionsOf(once, context.broker.config) > partitionsPerRequestMax
    const made = await Promise.all(
      once.map(async (topic) =>
        tooMany
          ? refusedTopic(topic.name, refuseSize())
          : await createOne(topic, validateOnly, context),
      ),
    )
    const refused = [...twice].map((name) =>
      refusedTopic(name, refuse('INVALID_REQUEST', `the request names topic '${name}' twice`)),
    )
    return { topics: [...made, ...refused] }
  },
})

function partitionsOf(topics: readonly TopicRequest[], { numPartitions }: BrokerConfig): number {
  const counts = topics.map((topic) => {
    if (topic.assignments.length > 0) return topic.assignments.length
    return topic.numPartitions === -1 ? numPartitions : Math.max(0, topic.numPartitions)
  })
  return counts.reduce((sum, count) => sum + count, 0)
}

function refuseSize(): Refusal {
  const problem = `the request asks for more than ${partitionsPerRequestMax} partitions`
  return refuse('POLICY_VIOLATION', problem)
}

async function createOne(
  request: TopicRequest,
  validateOnly: boolean,
  { broker: { cluster, config }, nodeId }: RequestContext,
): Promise<TopicAnswer> {
  const wanted = newTopicOf(request)
  if (isRefusal(wanted)) return refusedTopic(request.name, wanted)
  if (validateOnly) {
    const refusal = cluster.validateTopic(wanted)
    if (refusal !== undefined) return refusedTopic(request.name, refusal)
    const { partitions, replicationFactor, assignments } = wanted
    return {
      name: request.name,
      ...refusalFields(undefined),
      numPartitions: assignments?.length ?? orDefault(partitions, config.numPartitions),
      replicationFactor:
        assignments?.[0]?.length ?? orDefault(replicationFactor, config.defaultReplicationFactor),
      configs: configsOf(wanted.configs, config, nodeId),
    }
  }
  const made = await cluster.createTopic(wanted)
  if (isRefusal(made)) return refusedTopic(request.name, made)
  return {
    name: request.name,
    topicId: made.id,
    ...refusalFields(undefined),
    numPartitions: made.partitions.length,
    replicationFactor: made.partitions[0]?.replicas.length ?? 0,
    configs: configsOf(made.overrides, config, nodeId),
  }
}

function orDefault(value: number, ofBroker: number): number {
  return value === -1 ? ofBroker : value
}

function newTopicOf(request: TopicRequest): NewTopic | Refusal {
  const configs = new Map<string, string>()
  for (const { name, value } of request.configs) {
    if (value === null) return refuse('INVALID_CONFIG', `${name} must have a value: null is none`)
    configs.set(name, value)
  }
  const { name, numPartitions: partitions, replicationFactor } = request
  if (request.assignments.length === 0) return { name, partitions, replicationFactor, configs }
  const wrong = refuseBoth(request)
  if (wrong !== undefined) return wrong
  const assignments = assignmentsOf(request)
  if (isRefusal(assignments)) return assignments
  return { name, partitions, replicationFactor, assignments, configs }
}

function refuseBoth({ numPartitions, replicationFactor }: TopicRequest): Refusal | undefined {
  if (numPartitions !== -1) {
    const problem = `numPartitions (${numPartitions}) must be -1 beside assignments`
    return refuse('INVALID_REQUEST', problem)
  }
  if (replicationFactor !== -1) {
    const problem = `replicationFactor (${replicationFactor}) must be -1 beside assignments`
    return refuse('INVALID_REQUEST', problem)
  }
  return undefined
}

/** The replicas by partition; the request may list partitions in any order. */
function assignmentsOf({ assignments }: TopicRequest): readonly (readonly number[])[] | Refusal {
  const byPartition = new Map(assignments.map((each) => [each.partitionIndex, each.brokerIds]))
  if (byPartition.size < assignments.length) {
    return refuse('INVALID_REPLICA_ASSIGNMENT', 'a partition is assigned twice')
  }
  const replicas: (readonly number[])[] = []
  for (let partition = 0; partition < byPartition.size; partition++) {
    const nodes = byPartition.get(partition)
    if (nodes === undefined) {
      const problem = `partition ${partition} is not assigned: partitions must count from 0 without a gap`
      return refuse('INVALID_REPLICA_ASSIGNMENT', problem)
    }
    replicas.push(nodes)
  }
  return replicas
}

function configsOf(
  overrides: ReadonlyMap<string, string>,
  config: BrokerConfig,
  nodeId: number,
): NonNullable<TopicAnswer['configs']> {
  return describeNewTopic(overrides, config, nodeId).map(({ name, value, source }) => ({
    name,
    value,
    readOnly: false,
    configSource: source,
    isSensitive: false,
  }))
}

function refusedTopic(name: string, refusal: Refusal): TopicAnswer {
  return {
    name,
    ...refusalFields(refusal),
    topicConfigErrorCode: kafkaError.NONE,
    numPartitions: -1,
    replicationFactor: -1,
    configs: [],
  }
}
