import { alterConfigsApi } from '../../protocol/index.ts'
import { replaceSettings } from '../config/index.ts'
import { refuse } from '../refusal.ts'
import { alterConfigResources } from './alter-config-resources.ts'
import { resourceType } from './config-resource.ts'
import { defineHandler } from './handler.ts'

/**
 * AlterConfigs 0-2: replaces all that is set on a topic, a broker, a group or a subscription of
 * clients' metrics; what is not named goes back to its default. Log levels it never knew.
 *
 * Not implemented: policies (`alter.config.policy.class.name`).
 */
export const alterConfigs = defineHandler({
  api: alterConfigsApi,
  versions: [0, 2],
  async handle({ resources, validateOnly }, context) {
    const responses = await alterConfigResources(
      resources,
      validateOnly,
      context,
      ({ resourceType: type, configs }) =>
        type === resourceType.brokerLogger
          ? refuse('INVALID_REQUEST', `resource type (${type}) cannot be altered as a whole`)
          : replaceSettings(configs),
    )
    return { throttleTimeMs: 0, responses }
  },
})
