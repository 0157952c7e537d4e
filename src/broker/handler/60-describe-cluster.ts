import { describeClusterApi } from '../../protocol/index.ts'
import type { ResponseInput } from '../../protocol/index.ts'
import { allOperations, operationsNotAsked } from '../authorization/access.ts'
import { refuse } from '../refusal.ts'
import type { Refusal } from '../refusal.ts'
import { defineHandler } from './handler.ts'
import { refusalFields } from './refusal-fields.ts'

const endpointTypes = ['unknown', 'brokers', 'controllers'] as const
const endpointOfBrokers = 1

/**
 * DescribeCluster 0-2: the cluster's id, its controller and the nodes that run; with fenced brokers
 * (2+), also those that are stopped. Controllers cannot be asked for: no node is only that.
 */
export const describeCluster = defineHandler({
  api: describeClusterApi,
  versions: [0, 2],
  handle(request, { broker: { cluster } }) {
    const refusal = refuseEndpointType(request.endpointType)
    if (refusal !== undefined) return refused(refusal)
    return {
      throttleTimeMs: 0,
      ...refusalFields(undefined),
      endpointType: request.endpointType,
      clusterId: cluster.id,
      controllerId: cluster.controllerId,
      brokers: cluster.nodes
        .filter(({ running }) => running || request.includeFencedBrokers)
        .map(({ id, host, port, rack, running }) => ({
          brokerId: id,
          host,
          port,
          rack,
          isFenced: !running,
        })),
      clusterAuthorizedOperations: request.includeClusterAuthorizedOperations
        ? allOperations('cluster')
        : operationsNotAsked,
    }
  },
})

function refuseEndpointType(type: number): Refusal | undefined {
  if (type === endpointOfBrokers) return undefined
  const error =
    endpointTypes[type] === 'controllers' ? 'MISMATCHED_ENDPOINT_TYPE' : 'UNSUPPORTED_ENDPOINT_TYPE'
  return refuse(error, `endpointType (${type}) must be ${endpointOfBrokers} (brokers)`)
}

function refused(refusal: Refusal): ResponseInput<typeof describeClusterApi> {
  return {
    throttleTimeMs: 0,
    ...refusalFields(refusal),
    endpointType: endpointOfBrokers,
    clusterId: '',
    brokers: [],
  }
}
