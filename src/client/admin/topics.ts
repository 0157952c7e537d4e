import { createPartitionsApi, kafkaError } from '../../protocol/index.ts'
import { KafkaError } from '../client-error.ts'
import type { Broker } from '../cluster/cluster.ts'
import { OptionError } from '../../errors.ts'
import type { MillraceError } from '../../errors.ts'
import { shown } from '../../option-checks.ts'
import { adminCall } from './admin-call.ts'
import type { AdminCall, AdminCallOptions } from './admin-call.ts'
import type { AdminWorld } from './admin-world.ts'
import { askEach, askOne } from './ask-each.ts'
import { createTopics } from './create-topics.ts'
import type { CreatedTopic, NewTopic } from './create-topics.ts'
import { deleteTopics } from './delete-topics.ts'
import { askMetadata, describeTopics, idOf } from './describe-topics.ts'
import type { TopicDescription } from './describe-topics.ts'
import { answerOf, onlyAnswer } from './item-result.ts'
import type { Done, ItemResult } from './item-result.ts'
import { byKey, nameOf } from './partitions.ts'
import { anyBrokerRoute, controllerRoute } from './routes.ts'
import { referenceKey } from './topic-references.ts'
import type { TopicReference } from './topic-references.ts'

/** A topic as a list of topics has it. */
export interface TopicListing {
  readonly name: string
  /** Undefined where the cluster gives topics none (Kafka before 2.8). */
  readonly id: string | undefined
  readonly isInternal: boolean
  readonly partitionCount: number
}

/** More partitions for a topic. */
export interface MorePartitions {
  readonly topic: string
  /** How many it shall have in all. */
  readonly count: number
  /** The replicas of each new partition, the preferred leader first. @defaultValue the cluster chooses */
  readonly assignments?: readonly (readonly number[])[]
}

export interface ListTopicsOptions extends AdminCallOptions {
  /** Whether Kafka's own topics are in the list. @defaultValue false */
  readonly includeInternal?: boolean
}

export interface DescribeTopicsOptions extends AdminCallOptions {
  /** Whether to ask what this client may do with them. @defaultValue false */
  readonly authorizedOperations?: boolean
}

export interface ChangeOptions extends AdminCallOptions {
  /** Only says whether it could be done. @defaultValue false */
  readonly validateOnly?: boolean
}

/**
 * The topics of a cluster. What has `Many` in its name answers for each item, and throws for none of them;
 * what has not throws.
 */
export class TopicAdmin {
  readonly #world: AdminWorld

  constructor(world: AdminWorld) {
    this.#world = world
  }

  /** All topics, by name. */
  list(options: ListTopicsOptions = {}): Promise<TopicListing[]> {
    return this.#call('list', options, ['includeInternal'], async (call) => {
      const ask = (broker: Broker) => askMetadata(call, broker, null)
      const topics = await askOne(call, anyBrokerRoute(call), ask)
      return topics
        .filter((topic) => topic.name !== null)
        .filter(({ isInternal }) => options.includeInternal === true || !isInternal)
        .map(({ name, topicId, isInternal, partitions }) => ({
          name: name ?? '',
          id: idOf(topicId),
          isInternal,
          partitionCount: partitions.length,
        }))
        .sort((one, other) => (one.name < other.name ? -1 : 1))
    })
  }

  /**
   * A topic and its partitions.
   *
   * @example
   * const { id, partitions } = await admin.topics.describe('orders')
   * const same = await admin.topics.describe({ id })
   */
  async describe(
    topic: TopicReference,
    options: DescribeTopicsOptions = {},
  ): Promise<TopicDescription> {
    return onlyAnswer(await this.describeMany([topic], options))
  }

  /** Topics and their partitions, under the names or ids that were given. */
  describeMany(
    topics: readonly TopicReference[],
    options: DescribeTopicsOptions = {},
  ): Promise<Map<string, ItemResult<TopicDescription>>> {
    return this.#call('describe', options, ['authorizedOperations'], (call) =>
      describeTopics(
        this.#world,
        call,
        byKey('topics', topics, referenceKey),
        options.authorizedOperations ?? false,
      ),
    )
  }

  /**
   * Creates a topic.
   *
   * @example
   * await admin.topics.create({ name: 'orders', partitions: 12, configs: { 'retention.ms': 86_400_000 } })
   */
  async create(topic: NewTopic, options: ChangeOptions = {}): Promise<CreatedTopic> {
    return onlyAnswer(await this.createMany([topic], options))
  }

  /** Creates topics, each for itself. */
  createMany(
    topics: readonly NewTopic[],
    options: ChangeOptions = {},
  ): Promise<Map<string, ItemResult<CreatedTopic>>> {
    return this.#call('create', options, ['validateOnly'], (call) =>
      createTopics(
        this.#world,
        call,
        byKey('topics', topics, ({ name }) => nameOf('topic.name', name)),
        options.validateOnly ?? false,
      ),
    )
  }

  /** Deletes the topic that has this name now, or has this id; never a later one of the same name. */
  async delete(topic: TopicReference, options: AdminCallOptions = {}): Promise<Done> {
    return onlyAnswer(await this.deleteMany([topic], options))
  }

  /** Deletes topics, each for itself. */
  deleteMany(
    topics: readonly TopicReference[],
    options: AdminCallOptions = {},
  ): Promise<Map<string, ItemResult<Done>>> {
    return this.#call('delete', options, [], (call) =>
      deleteTopics(this.#world, call, byKey('topics', topics, referenceKey)),
    )
  }

  /** Adds partitions to a topic. Records with keys go to other partitions from then on. */
  async addPartitions(more: MorePartitions, options: ChangeOptions = {}): Promise<Done> {
    return onlyAnswer(await this.addPartitionsToMany([more], options))
  }

  /** Adds partitions to topics, each for itself. */
  addPartitionsToMany(
    topics: readonly MorePartitions[],
    options: ChangeOptions = {},
  ): Promise<Map<string, ItemResult<Done>>> {
    return this.#call('addPartitions', options, ['validateOnly'], (call) =>
      addPartitions(this.#world, call, topics, options.validateOnly ?? false),
    )
  }

  #call<Result>(
    method: string,
    options: AdminCallOptions,
    known: readonly string[],
    work: (call: AdminCall) => Promise<Result>,
  ): Promise<Result> {
    return adminCall(this.#world.cluster, `topics.${method}`, options, known, work)
  }
}

function addPartitions(
  world: AdminWorld,
  call: AdminCall,
  topics: readonly MorePartitions[],
  validateOnly: boolean,
): Promise<Map<string, ItemResult<Done>>> {
  const items = byKey('topics', topics, ({ topic }) => nameOf('topic', topic))
  for (const { count } of topics) checkCount(count)
  return askEach<MorePartitions, Done>(call, items, {
    route: controllerRoute(call),
    effect: validateOnly ? 'reads' : 'changes',
    name: ({ topic }) => `partitions of topic ${topic}`,
    async ask(broker, asked) {
      const { results } = await call.request(broker, createPartitionsApi, {
        topics: asked.map(({ item }) => ({
          name: item.topic,
          count: item.count,
          assignments: item.assignments?.map((brokerIds) => ({ brokerIds })) ?? null,
        })),
        timeoutMs: call.brokerTimeoutMs,
        validateOnly,
      })
      return new Map<string, Done | MillraceError>(
        results.map(({ name, errorCode, errorMessage }) => {
          if (errorCode === 0) return [name, { answerWasLost: false }]
          return [name, new KafkaError(errorCode, `partitions of topic ${name}`, errorMessage)]
        }),
      )
    },
    async afterLostAnswer({ topic, count }, { kafkaCode }) {
      if (kafkaCode !== kafkaError.INVALID_PARTITIONS) return undefined
      const described = await describeTopics(world, call, new Map([[topic, topic]]), false)
      const isThere = answerOf(described.get(topic)).partitions.length === count
      return isThere ? { answerWasLost: true } : undefined
    },
  })
}

function checkCount(count: unknown): void {
  if (typeof count === 'number' && Number.isSafeInteger(count) && count > 0) return
  throw new OptionError('count', `(${shown(count)}) must be a whole number from 1 up`)
}
