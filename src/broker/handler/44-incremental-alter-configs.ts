import { incrementalAlterConfigsApi } from '../../protocol/index.ts'
import { changeSettings } from '../config/index.ts'
import { refuse } from '../refusal.ts'
import { alterConfigResources } from './alter-config-resources.ts'
import { resourceType } from './config-resource.ts'
import { defineHandler } from './handler.ts'

/**
 * IncrementalAlterConfigs 0-1 (KIP-339): sets and deletes properties of a topic, a broker, a group
 * or a subscription of clients' metrics, and adds to or takes from those that are lists. Everything
 * else stays.
 *
 * Not implemented: policies (`alter.config.policy.class.name`); log levels, of which there are none.
 */
export const incrementalAlterConfigs = defineHandler({
  api: incrementalAlterConfigsApi,
  versions: [0, 1],
  async handle({ resources, validateOnly }, context) {
    const responses = await alterConfigResources(
      resources,
      validateOnly,
      context,
      ({ resourceType: type, configs }, resource) => {
        const [first] = configs
        if (type === resourceType.brokerLogger && first !== undefined) {
          const problem = `logger '${first.name}' does not exist: this broker has none`
          return refuse('INVALID_CONFIG', problem)
        }
        const changes = configs.map(({ name, configOperation, value }) => ({
          name,
          operation: configOperation,
          value,
        }))
        return changeSettings(resource.properties, resource.current(), changes)
      },
    )
    return { throttleTimeMs: 0, responses }
  },
})
