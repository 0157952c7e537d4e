import { MillraceError } from '../../errors.ts'
import { findCoordinatorApi, kafkaError } from '../../protocol/index.ts'
import { KafkaError } from '../client-error.ts'
import type { Broker, CoordinatorKind } from '../cluster/cluster.ts'
import type { AdminCall } from './admin-call.ts'

const keyTypes = { group: 0, transaction: 1 } as const satisfies Record<CoordinatorKind, number>

/** The first version that takes many keys in a request (Kafka 2.8 does not have it). */
const manyKeysVersion = 4

/**
 * Who coordinates each key: one request for all where the broker takes them together, one request each
 * where it does not. A single key comes from what the cluster remembers.
 */
export async function findCoordinators(
  call: AdminCall,
  kind: CoordinatorKind,
  keys: readonly string[],
): Promise<Map<string, Broker | MillraceError>> {
  if (keys.length > 1) {
    const broker = await call.bounded(call.cluster.anyBroker())
    if ((await call.version(broker, findCoordinatorApi)) >= manyKeysVersion) {
      return findTogether(call, broker, kind, keys)
    }
  }
  const found = keys.map(async (key): Promise<[string, Broker | MillraceError]> => {
    try {
      return [key, await call.bounded(call.cluster.coordinator(kind, key, 'admin'))]
    } catch (error) {
      if (error instanceof MillraceError) return [key, error]
      throw error
    }
  })
  return new Map(await Promise.all(found))
}

async function findTogether(
  call: AdminCall,
  broker: Broker,
  kind: CoordinatorKind,
  keys: readonly string[],
): Promise<Map<string, Broker | MillraceError>> {
  const { cluster } = call
  const request = { key: '', keyType: keyTypes[kind], coordinatorKeys: keys }
  const { coordinators } = await call.request(broker, findCoordinatorApi, request, {
    versionMin: manyKeysVersion,
  })
  const known = ({ nodeId }: { readonly nodeId: number }) => cluster.metadata.brokers.has(nodeId)
  if (coordinators.some((each) => each.errorCode === 0 && !known(each))) {
    await call.bounded(cluster.refreshMetadata())
  }
  return new Map<string, Broker | MillraceError>(
    coordinators.map((each) => {
      const { key, errorCode, errorMessage, nodeId } = each
      const what = `coordinator of ${kind} ${key}`
      if (errorCode !== 0) return [key, new KafkaError(errorCode, what, errorMessage)]
      if (known(each)) return [key, cluster.broker(nodeId, 'admin')]
      const detail = `broker ${nodeId} is not in the metadata`
      return [key, new KafkaError(kafkaError.COORDINATOR_NOT_AVAILABLE, what, detail)]
    }),
  )
}
