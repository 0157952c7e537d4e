import type { MillraceError } from '../../errors.ts'
import { asksForMetadata, kafkaError } from '../../protocol/index.ts'
import { ConnectionError, KafkaError } from '../client-error.ts'
import type { Broker, CoordinatorKind, TopicWatch } from '../cluster/cluster.ts'
import type { TopicPartition } from '../topic-partition.ts'
import type { AdminCall } from './admin-call.ts'
import { findCoordinators } from './find-coordinators.ts'

/** Who has to be asked about an item. A route belongs to one question and is disposed of with it. */
export interface Route<Item> extends Disposable {
  /** The broker for each item, or why there is none, in the order of the items. */
  place(items: readonly Item[]): Promise<readonly (Broker | MillraceError)[]>
  /** An answer was an error: it may tell that another broker has to be asked. */
  learn(item: Item, error: MillraceError): void
}

/** Whether what is known of the cluster may be used to choose a broker. */
class Freshness {
  readonly #call: AdminCall
  #isStale = false

  constructor(call: AdminCall) {
    this.#call = call
  }

  learn(error: MillraceError): void {
    if (error instanceof ConnectionError) this.#isStale = true
    if (!(error instanceof KafkaError)) return
    const { kafkaCode } = error
    if (kafkaCode === kafkaError.NOT_CONTROLLER || asksForMetadata(kafkaCode)) this.#isStale = true
  }

  /** Asks for metadata where an error asked for it, none is there, or `lacks` what is needed. */
  async ensure(lacks: () => boolean = () => false): Promise<void> {
    const { cluster } = this.#call
    if (!this.#isStale && cluster.metadata.brokers.size > 0 && !lacks()) return
    this.#isStale = false
    await this.#call.bounded(cluster.refreshMetadata())
  }
}

function nothingToDispose(): void {
  // The route holds nothing.
}

/** To the broker that takes what changes the cluster. */
export function controllerRoute(call: AdminCall): Route<unknown> {
  const freshness = new Freshness(call)
  return {
    async place(items) {
      await freshness.ensure()
      const { cluster } = call
      const controller = await call.bounded(cluster.controller())
      const { nodeId } = controller
      // A bootstrap broker is asked where it is: nobody knows its id.
      const broker = nodeId < 0 ? controller : cluster.broker(nodeId, 'admin')
      return items.map(() => broker)
    },
    learn: (_, error) => freshness.learn(error),
    [Symbol.dispose]: nothingToDispose,
  }
}

/** To a broker that can be reached, for what all of them know. */
export function anyBrokerRoute(call: AdminCall): Route<unknown> {
  return {
    async place(items) {
      const broker = await call.bounded(call.cluster.anyBroker())
      return items.map(() => broker)
    },
    learn: () => undefined,
    [Symbol.dispose]: nothingToDispose,
  }
}

/**
 * To the broker that the item is about, where it is about one, else to the controller. A broker that is not
 * in the cluster is refused with BROKER_NOT_AVAILABLE, and not waited for.
 */
export function nodeRoute<Item>(
  call: AdminCall,
  nodeIdOf: (item: Item) => number | undefined,
): Route<Item> {
  const freshness = new Freshness(call)
  const controller = controllerRoute(call)
  return {
    async place(items) {
      const { cluster } = call
      const lacks = (item: Item) => !cluster.metadata.brokers.has(nodeIdOf(item) ?? -1)
      await freshness.ensure(() =>
        items.some((item) => nodeIdOf(item) !== undefined && lacks(item)),
      )
      const others = items.some((item) => nodeIdOf(item) === undefined)
      const [elsewhere] = others ? await controller.place([null]) : []
      return items.map((item) => {
        const nodeId = nodeIdOf(item)
        if (nodeId === undefined && elsewhere !== undefined) return elsewhere
        if (nodeId !== undefined && !lacks(item)) return cluster.broker(nodeId, 'admin')
        return new KafkaError(kafkaError.BROKER_NOT_AVAILABLE, `broker ${nodeId}`, inCluster(call))
      })
    },
    learn(item, error) {
      freshness.learn(error)
      controller.learn(item, error)
    },
    [Symbol.dispose]: nothingToDispose,
  }
}

function inCluster(call: AdminCall): string {
  return `the cluster has ${[...call.cluster.metadata.brokers.keys()].sort((a, b) => a - b).join(', ')}`
}

/** To the leader of the partition that the item is about. */
export function leaderRoute<Item extends TopicPartition>(call: AdminCall): Route<Item> {
  const { cluster } = call
  const freshness = new Freshness(call)
  const topics = new Set<string>()
  let watch: TopicWatch | undefined
  return {
    async place(items) {
      for (const { topic } of items) topics.add(topic)
      watch ??= cluster.watchTopics([])
      watch.change(topics)
      await freshness.ensure(() =>
        items.some(({ topic, partition }) => {
          const known = cluster.metadata.partition(topic, partition)
          return known === undefined || known.leaderId < 0
        }),
      )
      return items.map(({ topic, partition }) => {
        const leaderId = cluster.metadata.partition(topic, partition)?.leaderId ?? -1
        return leaderId < 0 ? noLeader(call, topic, partition) : cluster.broker(leaderId, 'admin')
      })
    },
    learn: (_, error) => freshness.learn(error),
    [Symbol.dispose]: () => watch?.release(),
  }
}

function noLeader({ cluster }: AdminCall, topic: string, partition: number): KafkaError {
  const what = `leader of ${topic}-${partition}`
  const known = cluster.metadata.topics.get(topic)
  const { UNKNOWN_TOPIC_OR_PARTITION, LEADER_NOT_AVAILABLE } = kafkaError
  if (known === undefined) return new KafkaError(UNKNOWN_TOPIC_OR_PARTITION, what)
  if (known.errorCode !== 0) return new KafkaError(known.errorCode, what)
  if (known.partitions[partition] !== undefined) return new KafkaError(LEADER_NOT_AVAILABLE, what)
  const detail = `the topic has ${known.partitions.length} partitions`
  return new KafkaError(UNKNOWN_TOPIC_OR_PARTITION, what, detail)
}

/** To the coordinator of the group or transactional id that the item is about. */
export function coordinatorRoute<Item>(
  call: AdminCall,
  kind: CoordinatorKind,
  keyOf: (item: Item) => string,
): Route<Item> {
  const freshness = new Freshness(call)
  return {
    async place(items) {
      await freshness.ensure()
      const keys = [...new Set(items.map(keyOf))]
      const found = await findCoordinators(call, kind, keys)
      return items.map((item) => found.get(keyOf(item)) ?? noCoordinator(kind, keyOf(item)))
    },
    learn(item, error) {
      freshness.learn(error)
      const { NOT_COORDINATOR, COORDINATOR_NOT_AVAILABLE } = kafkaError
      const moved =
        error instanceof KafkaError &&
        (error.kafkaCode === NOT_COORDINATOR || error.kafkaCode === COORDINATOR_NOT_AVAILABLE)
      if (error instanceof ConnectionError || moved) {
        call.cluster.forgetCoordinator(kind, keyOf(item))
      }
    },
    [Symbol.dispose]: nothingToDispose,
  }
}

function noCoordinator(kind: CoordinatorKind, key: string): KafkaError {
  return new KafkaError(kafkaError.COORDINATOR_NOT_AVAILABLE, `coordinator of ${kind} ${key}`)
}
