import { OptionError } from '../../errors.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { optionsOf } from '../../option-checks.ts'
import type { GivenOptions } from '../../option-checks.ts'
import {
  autoCommitIntervalOf,
  fetchOptionNames,
  groupIdOf,
  resolveFetchOptions,
} from './consumer-options.ts'
import type { AssignmentCallbacks, ConsumerOptions } from './consumer-options.ts'
import { Consumer } from './consumer.ts'
import type { GroupParts } from './consumer.ts'
import { createGroupMember } from './group/create-group-member.ts'
import { StandaloneOffsets } from './group/standalone-offsets.ts'
import { groupOptionNames, resolveGroupOptions } from './group-options.ts'

const callbackNames = ['onAssigned', 'onRevoked', 'onLost'] as const

/** What means nothing without a group. */
const namesInGroup = [...groupOptionNames, ...callbackNames, 'autoCommit']

const names = [...fetchOptionNames, ...namesInGroup, 'groupId']

/** Makes a consumer of a cluster; throws an `OptionError` for options that cannot be used. */
export function createConsumer(cluster: Cluster, options: ConsumerOptions): Consumer {
  const given = optionsOf(options, '', names)
  const groupId = groupIdOf(given)
  if (groupId === undefined) {
    for (const name of namesInGroup) {
      if (given[name] !== undefined) throw new OptionError(name, 'needs a groupId')
    }
  }
  return new Consumer({
    cluster,
    fetch: resolveFetchOptions(given),
    callbacks: callbacksOf(given),
    autoCommitIntervalMs: autoCommitIntervalOf(given['autoCommit']),
    group: groupId === undefined ? undefined : groupOf(cluster, given, groupId),
  })
}

function groupOf(cluster: Cluster, given: GivenOptions, groupId: string): GroupParts {
  const options = resolveGroupOptions(given, groupId, cluster.options.rack)
  return {
    offsets: new StandaloneOffsets(cluster, groupId),
    join: (handler) => createGroupMember(cluster, options, handler),
  }
}

function callbacksOf(given: GivenOptions): AssignmentCallbacks {
  for (const name of callbackNames) {
    const callback = given[name]
    if (callback === undefined || typeof callback === 'function') continue
    throw new OptionError(name, 'must be a function')
  }
  return given
}
