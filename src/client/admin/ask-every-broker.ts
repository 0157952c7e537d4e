import { kafkaError } from '../../protocol/index.ts'
import { KafkaError } from '../client-error.ts'
import type { Broker } from '../cluster/cluster.ts'
import type { AdminCall } from './admin-call.ts'
import { askEach } from './ask-each.ts'
import type { ItemResult } from './item-result.ts'
import { nodeRoute } from './routes.ts'

/** What each broker answers, by its id. */
export type BrokerResults<Answer extends object> = Map<number, ItemResult<Answer>>

/** Asks brokers, each for itself, all at the same time. */
export async function askBrokers<Answer extends object>(
  call: AdminCall,
  nodeIds: readonly number[],
  ask: (broker: Broker) => Promise<Answer>,
): Promise<BrokerResults<Answer>> {
  const items = new Map(nodeIds.map((nodeId) => [String(nodeId), nodeId]))
  const results = await askEach<number, Answer>(call, items, {
    route: nodeRoute(call, (nodeId) => nodeId),
    effect: 'reads',
    name: (nodeId) => `broker ${nodeId}`,
    ask: async (broker, asked) => {
      const answer = await ask(broker)
      return new Map(asked.map(({ key }) => [key, answer]))
    },
  })
  return new Map([...results].map(([key, result]) => [Number(key), result]))
}

/** The brokers that the cluster has now. */
export async function brokersOf(call: AdminCall): Promise<number[]> {
  const { brokers } = await call.bounded(call.cluster.refreshMetadata())
  return [...brokers.keys()].sort((one, other) => one - other)
}

/**
 * Asks all brokers for what each of them has. When one leaves meanwhile, all are asked again: what it had
 * may have moved to one that had answered before.
 */
export async function askEveryBroker<Answer extends object>(
  call: AdminCall,
  ask: (broker: Broker) => Promise<Answer>,
): Promise<BrokerResults<Answer>> {
  for (let attempt = 1; ; attempt++) {
    const results = await askBrokers(call, await brokersOf(call), ask)
    const hasLeft = [...results.values()].some(({ error }) => isGone(error))
    if (!hasLeft || !(await call.pause(attempt))) return results
  }
}

function isGone(error: unknown): boolean {
  return error instanceof KafkaError && error.kafkaCode === kafkaError.BROKER_NOT_AVAILABLE
}
