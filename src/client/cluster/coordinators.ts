import { findCoordinatorApi } from '../../protocol/index.ts'
import { checkKafkaCode } from '../client-error.ts'
import type { BrokerEndpoint } from './metadata.ts'
import type { Broker, CoordinatorKind } from './cluster.ts'

const keyTypes = { group: 0, transaction: 1 } as const satisfies Record<CoordinatorKind, number>

/** Asks a broker who coordinates `key`. */
export async function findCoordinator(
  broker: Broker,
  kind: CoordinatorKind,
  key: string,
): Promise<BrokerEndpoint> {
  const answer = await broker.request(findCoordinatorApi, (version) =>
    version >= 4
      ? { key: '', keyType: keyTypes[kind], coordinatorKeys: [key] }
      : { key, keyType: keyTypes[kind], coordinatorKeys: [] },
  )
  const found = answer.coordinators[0] ?? answer
  checkKafkaCode(found.errorCode, `coordinator of ${kind} ${key}`, found.errorMessage)
  return { nodeId: found.nodeId, host: found.host, port: found.port, rack: null }
}
