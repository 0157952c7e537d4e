import {
  alterClientQuotasApi,
  alterConfigsApi,
  alterPartitionReassignmentsApi,
  alterUserScramCredentialsApi,
  apiVersionsApi,
  createAclsApi,
  deleteAclsApi,
  describeAclsApi,
  describeClientQuotasApi,
  describeClusterApi,
  describeConfigsApi,
  describeLogDirsApi,
  describeQuorumApi,
  describeUserScramCredentialsApi,
  electLeadersApi,
  incrementalAlterConfigsApi,
  kafkaError,
  listConfigResourcesApi,
  listPartitionReassignmentsApi,
  saslAuthenticateApi,
  saslHandshakeApi,
  updateFeaturesApi,
} from '../../../protocol/index.ts'
import { resourceType } from '../../handler/config-resource.ts'
import { refusalFields } from '../../handler/refusal-fields.ts'
import { authorizedOperations, operationsNotAsked } from '../access.ts'
import { clusterName } from '../acl.ts'
import { accessRule, bits, each, eachIn, whole } from '../gate.ts'
import type { Check, Right } from '../gate.ts'
import { alterCluster, describeCluster } from './rights.ts'

/** What configuration belongs to decides whose right counts. */
function configRights(operation: 'describeConfigs' | 'alterConfigs') {
  return {
    topic: { operation, on: 'topic' },
    group: { operation, on: 'group' },
    cluster: { operation, on: 'cluster' },
  } as const satisfies Record<string, Right>
}

const described = configRights('describeConfigs')
const altered = configRights('alterConfigs')

interface NamedResource {
  readonly resourceType: number
  readonly resourceName: string
}

const typesOf = {
  topic: [resourceType.topic],
  group: [resourceType.group],
  cluster: [resourceType.broker, resourceType.brokerLogger, resourceType.clientMetrics],
} as const

function nameIn(
  kind: keyof typeof typesOf,
): (item: NamedResource, context: unknown) => string | undefined {
  const types: readonly number[] = typesOf[kind]
  return ({ resourceType: type, resourceName }) => {
    if (!types.includes(type)) return undefined
    return kind === 'cluster' ? clusterName : resourceName
  }
}

function resourceKey({ resourceType: type, resourceName }: NamedResource): string {
  return `${type} ${resourceName}`
}

function describeConfigsCheck(kind: keyof typeof typesOf): Check<typeof describeConfigsApi> {
  return eachIn(described[kind], 'resources', 'results', {
    name: nameIn(kind),
    refused: ({ resourceType: type, resourceName }, refusal) => ({
      ...refusalFields(refusal),
      resourceType: type,
      resourceName,
      configs: [],
    }),
  })
}

function alterConfigsCheck<A extends typeof alterConfigsApi | typeof incrementalAlterConfigsApi>(
  kind: keyof typeof typesOf,
) {
  return each<A, NamedResource>(altered[kind], {
    items: ({ resources }) => resources,
    key: resourceKey,
    name: nameIn(kind),
    keep: (request, items) => ({
      ...request,
      resources: request.resources.filter((resource) => items.includes(resource)),
    }),
    join: (answer, refused) => ({
      ...answer,
      responses: [
        ...answer.responses,
        ...refused.map(({ item: { resourceType: type, resourceName }, refusal }) => ({
          ...refusalFields(refusal),
          resourceType: type,
          resourceName,
        })),
      ],
    }),
  })
}

/** Logins and versions: what a client must be able to ask before anybody knows who it is. */
export const connectionRules = [
  accessRule(saslHandshakeApi),
  accessRule(apiVersionsApi),
  accessRule(saslAuthenticateApi),
]

/** The cluster, its configuration, quotas, users and rights. */
export const clusterRules = [
  accessRule(
    describeAclsApi,
    whole(describeCluster, {
      answer: (_request, refusal) => ({
        throttleTimeMs: 0,
        ...refusalFields(refusal),
        resources: [],
      }),
    }),
  ),
  accessRule(
    createAclsApi,
    whole(alterCluster, {
      answer: ({ creations }, refusal) => ({
        throttleTimeMs: 0,
        results: creations.map(() => refusalFields(refusal)),
      }),
    }),
  ),
  accessRule(
    deleteAclsApi,
    whole(alterCluster, {
      answer: ({ filters }, refusal) => ({
        throttleTimeMs: 0,
        filterResults: filters.map(() => ({ ...refusalFields(refusal), matchingAcls: [] })),
      }),
    }),
  ),
  accessRule(
    describeConfigsApi,
    describeConfigsCheck('topic'),
    describeConfigsCheck('group'),
    describeConfigsCheck('cluster'),
  ),
  accessRule(
    alterConfigsApi,
    alterConfigsCheck('topic'),
    alterConfigsCheck('group'),
    alterConfigsCheck('cluster'),
  ),
  accessRule(
    incrementalAlterConfigsApi,
    alterConfigsCheck('topic'),
    alterConfigsCheck('group'),
    alterConfigsCheck('cluster'),
  ),
  accessRule(
    listConfigResourcesApi,
    whole(described.cluster, {
      answer: (_request, { error }) => ({
        throttleTimeMs: 0,
        errorCode: kafkaError[error],
        configResources: [],
      }),
    }),
  ),
  accessRule(
    describeLogDirsApi,
    whole(describeCluster, {
      answer: (_request, { error }) => ({
        throttleTimeMs: 0,
        errorCode: kafkaError[error],
        results: [],
      }),
    }),
  ),
  accessRule(
    electLeadersApi,
    whole(alterCluster, {
      answer: ({ topicPartitions }, refusal) => ({
        throttleTimeMs: 0,
        errorCode: kafkaError[refusal.error],
        replicaElectionResults: (topicPartitions ?? []).map(({ topic, partitions }) => ({
          topic,
          partitionResult: partitions.map((partitionId) => ({
            partitionId,
            ...refusalFields(refusal),
          })),
        })),
      }),
    }),
  ),
  accessRule(
    alterPartitionReassignmentsApi,
    whole(alterCluster, {
      answer: ({ topics, allowReplicationFactorChange }, refusal) => ({
        throttleTimeMs: 0,
        allowReplicationFactorChange,
        ...refusalFields(refusal),
        responses: topics.map(({ name, partitions }) => ({
          name,
          partitions: partitions.map(({ partitionIndex }) => ({
            partitionIndex,
            ...refusalFields(refusal),
          })),
        })),
      }),
    }),
  ),
  accessRule(
    listPartitionReassignmentsApi,
    whole(describeCluster, {
      answer: (_request, refusal) => ({
        throttleTimeMs: 0,
        ...refusalFields(refusal),
        topics: [],
      }),
    }),
  ),
  accessRule(
    describeClientQuotasApi,
    whole(described.cluster, {
      answer: (_request, refusal) => ({
        throttleTimeMs: 0,
        ...refusalFields(refusal),
        entries: null,
      }),
    }),
  ),
  accessRule(
    alterClientQuotasApi,
    whole(altered.cluster, {
      answer: ({ entries }, refusal) => ({
        throttleTimeMs: 0,
        entries: entries.map(({ entity }) => ({ ...refusalFields(refusal), entity })),
      }),
    }),
  ),
  accessRule(
    describeUserScramCredentialsApi,
    whole(describeCluster, {
      answer: (_request, refusal) => ({
        throttleTimeMs: 0,
        ...refusalFields(refusal),
        results: [],
      }),
    }),
  ),
  accessRule(
    alterUserScramCredentialsApi,
    whole(alterCluster, {
      answer({ deletions, upsertions }, refusal) {
        const users = new Set([...deletions, ...upsertions].map(({ name }) => name))
        const results = Array.from(users, (user) => ({ user, ...refusalFields(refusal) }))
        return { throttleTimeMs: 0, results }
      },
    }),
  ),
  accessRule(
    describeQuorumApi,
    whole(describeCluster, {
      answer: (_request, refusal) => ({ ...refusalFields(refusal), topics: [], nodes: [] }),
    }),
  ),
  accessRule(
    updateFeaturesApi,
    whole(alterCluster, {
      answer: (_request, refusal) => ({
        throttleTimeMs: 0,
        ...refusalFields(refusal),
        results: [],
      }),
    }),
  ),
  accessRule(
    describeClusterApi,
    bits(describeCluster, (answer, { access }) => ({
      ...answer,
      clusterAuthorizedOperations: clusterBits(answer.clusterAuthorizedOperations, access),
    })),
  ),
]

/** Who may not describe the cluster is told that it may do nothing. */
export function clusterBits(
  given: number | undefined,
  access: Parameters<typeof authorizedOperations>[0],
): number {
  if (given === undefined || given === operationsNotAsked) return operationsNotAsked
  const mayDescribe = access.allows('describe', 'cluster', clusterName)
  return mayDescribe ? authorizedOperations(access, 'cluster', clusterName) : 0
}
