import { describeConfigsApi } from '../../protocol/index.ts'
import type { RequestOf, ResponseInput } from '../../protocol/index.ts'
import type { ConfigEntry } from '../config/index.ts'
import { isRefusal } from '../refusal.ts'
import { findConfigResource } from './config-resource.ts'
import { defineHandler } from './handler.ts'
import type { RequestContext } from './handler.ts'
import { refusalFields } from './refusal-fields.ts'

type Wishes = Pick<RequestOf<typeof describeConfigsApi>, 'includeSynonyms' | 'includeDocumentation'>
type ResourceRequest = RequestOf<typeof describeConfigsApi>['resources'][number]
type ResourceAnswer = ResponseInput<typeof describeConfigsApi>['results'][number]

/**
 * DescribeConfigs 1-4: topics, brokers (one, or what is set on all), groups and subscriptions of
 * clients' metrics, with where each value comes from and, when asked, what it says. No keys, or none
 * named, stand for all.
 *
 * Not implemented: log levels of a broker, of which there are none.
 */
export const describeConfigs = defineHandler({
  api: describeConfigsApi,
  versions: [1, 4],
  handle(request, context) {
    return {
      throttleTimeMs: 0,
      results: request.resources.map((resource) => describeOne(resource, request, context)),
    }
  },
})

function describeOne(
  { resourceType, resourceName, configurationKeys }: ResourceRequest,
  wishes: Wishes,
  context: RequestContext,
): ResourceAnswer {
  const resource = findConfigResource(resourceType, resourceName, context)
  if (isRefusal(resource)) {
    return { ...refusalFields(resource), resourceType, resourceName, configs: [] }
  }
  const wanted =
    configurationKeys === null || configurationKeys.length === 0
      ? undefined
      : new Set(configurationKeys)
  return {
    ...refusalFields(undefined),
    resourceType,
    resourceName,
    configs: resource
      .describe()
      .filter(({ name }) => wanted?.has(name) ?? true)
      .map((entry) => describeEntry(entry, wishes)),
  }
}

function describeEntry(
  entry: ConfigEntry,
  { includeSynonyms, includeDocumentation }: Wishes,
): ResourceAnswer['configs'][number] {
  return {
    name: entry.name,
    value: entry.value,
    readOnly: entry.readOnly,
    configSource: entry.source,
    isSensitive: entry.sensitive,
    synonyms: includeSynonyms ? entry.synonyms : [],
    configType: entry.typeCode,
    documentation: includeDocumentation ? entry.documentation : null,
  }
}
