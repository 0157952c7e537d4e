import { findCoordinatorApi, kafkaError } from '../../protocol/index.ts'
import type { KafkaErrorName, ResponseInput } from '../../protocol/index.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { Refusal } from '../refusal.ts'
import { defineHandler } from './handler.ts'

type Answer = NonNullable<ResponseInput<typeof findCoordinatorApi>['coordinators']>[number]

const keyTypes = ['group', 'transaction'] as const
const firstVersionWithMany = 4

/**
 * FindCoordinator 0-6: the node that coordinates a group or a transactional id; from version 4 on
 * several at once. The first one who asks has the coordinators' topic made. Share groups are not
 * coordinated here.
 */
export const findCoordinator = defineHandler({
  api: findCoordinatorApi,
  versions: [0, 6],
  async handle(request, { broker, header }) {
    const { cluster } = broker
    const kind = keyTypes[request.keyType]
    const refusal = kind === undefined ? undefined : await cluster.prepareCoordinators(kind)
    const find = (key: string) =>
      kind === undefined
        ? failed(key, 'INVALID_REQUEST', `key type ${request.keyType} is not known`)
        : answer(cluster, kind, key, refusal)
    if (header.version >= firstVersionWithMany) {
      return { coordinators: request.coordinatorKeys.map(find) }
    }
    const { errorCode, errorMessage, nodeId, host, port } = find(request.key)
    return { errorCode, errorMessage, nodeId, host, port }
  },
})

function answer(
  cluster: Cluster,
  kind: 'group' | 'transaction',
  key: string,
  refusal: Refusal | undefined,
): Answer {
  if (kind === 'transaction' && key === '') {
    return failed(key, 'INVALID_REQUEST', 'a transactional id must not be empty')
  }
  const leader = cluster.coordinator(kind, key)?.leader
  const node = cluster.nodes.find(({ id }) => id === leader)
  if (node === undefined) {
    const why = refusal === undefined ? '' : `: its topic cannot be made: ${refusal.message}`
    return failed(key, 'COORDINATOR_NOT_AVAILABLE', `the coordinator is not available${why}`)
  }
  const { id, host, port } = node
  return { key, nodeId: id, host, port, errorCode: kafkaError.NONE, errorMessage: null }
}

function failed(key: string, error: KafkaErrorName, errorMessage: string): Answer {
  return { key, nodeId: -1, host: '', port: -1, errorCode: kafkaError[error], errorMessage }
}
