import { listGroupsApi } from '../../protocol/index.ts'
import { checkKafkaCode } from '../client-error.ts'
import type { Broker } from '../cluster/cluster.ts'
import { oneOf } from '../../option-checks.ts'
import type { AdminCall, AdminCallOptions } from './admin-call.ts'
import { askEveryBroker } from './ask-every-broker.ts'
import type { BrokerResults } from './ask-every-broker.ts'
import { groupStates, groupTypes, readGroupState, readGroupType } from './describe-groups.ts'
import type { GroupState, GroupType } from './describe-groups.ts'

export interface ListGroupsOptions extends AdminCallOptions {
  /** Only groups in these states. @defaultValue all */
  readonly states?: readonly (typeof groupStates)[number][]
  /** Only groups of these types. @defaultValue all */
  readonly types?: readonly (typeof groupTypes)[number][]
}

/** A group as a list of groups has it. */
export interface GroupListing {
  readonly groupId: string
  readonly protocolType: string
  readonly state: GroupState
  readonly type: GroupType
  readonly coordinatorId: number
}

/** The first version that tells types (Kafka 3.8). */
const tellsTypesVersion = 5

/** The groups that each broker coordinates. */
export function listGroups(
  call: AdminCall,
  { states = [], types = [] }: ListGroupsOptions,
): Promise<BrokerResults<{ readonly groups: readonly GroupListing[] }>> {
  for (const state of states) oneOf(state, 'states', groupStates)
  for (const type of types) oneOf(type, 'types', groupTypes)
  return askEveryBroker(call, (broker) => listGroupsOf(call, broker, states, types))
}

async function listGroupsOf(
  call: AdminCall,
  broker: Broker,
  states: readonly string[],
  types: readonly string[],
): Promise<{ readonly groups: readonly GroupListing[] }> {
  // Brokers that do not tell types have classic groups only, or hide what others they have.
  const onlyClassic = types.every((type) => type === 'classic')
  const version = await call.version(
    broker,
    listGroupsApi,
    onlyClassic ? {} : { versionMin: tellsTypesVersion, feature: 'groups by type (Kafka 3.8)' },
  )
  const tellsTypes = version >= tellsTypesVersion
  const answer = await call.request(broker, listGroupsApi, {
    ...(states.length > 0 && { statesFilter: states }),
    ...(types.length > 0 && tellsTypes && { typesFilter: types }),
  })
  checkKafkaCode(answer.errorCode, `groups of broker ${broker.nodeId}`)
  const groups = answer.groups.map(({ groupId, protocolType, groupState, groupType }) => ({
    groupId,
    protocolType,
    state: readGroupState(groupState),
    type: tellsTypes ? readGroupType(groupType) : ('classic' as const),
    coordinatorId: broker.nodeId,
  }))
  return { groups }
}
