import { kafkaError, listConfigResourcesApi } from '../../protocol/index.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { resourceType } from './config-resource.ts'
import { defineHandler } from './handler.ts'

const firstVersionWithTypes = 1
const types: readonly number[] = Object.values(resourceType)

/**
 * ListConfigResources 0-1: what has, or can have, configuration: topics and brokers that exist,
 * groups and subscriptions of clients' metrics on which something is set. No types stand for all;
 * version 0 asks for the subscriptions alone.
 */
export const listConfigResources = defineHandler({
  api: listConfigResourcesApi,
  versions: [0, 1],
  handle(request, { broker: { cluster }, header }) {
    const wanted = wantedTypes(request.resourceTypes, header.version)
    if (!wanted.every((type) => types.includes(type))) {
      return {
        throttleTimeMs: 0,
        errorCode: kafkaError.UNSUPPORTED_VERSION,
        configResources: [],
      }
    }
    return {
      throttleTimeMs: 0,
      errorCode: kafkaError.NONE,
      configResources: wanted.flatMap((type) =>
        namesOf(type, cluster).map((resourceName) => ({ resourceName, resourceType: type })),
      ),
    }
  },
})

function wantedTypes(asked: readonly number[], version: number): readonly number[] {
  if (version < firstVersionWithTypes) return [resourceType.clientMetrics]
  return asked.length === 0 ? types : [...new Set(asked)]
}

function namesOf(type: number, cluster: Cluster): readonly string[] {
  switch (type) {
    case resourceType.topic:
      return Array.from(cluster.topics(), ({ name }) => name)
    case resourceType.group:
      return cluster.dynamicSettingNames('group')
    case resourceType.clientMetrics:
      return cluster.dynamicSettingNames('client-metrics')
    default:
      return cluster.nodes.filter(({ running }) => running).map(({ id }) => String(id))
  }
}
