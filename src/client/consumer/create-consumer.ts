import { OptionError } from '../../errors.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { optionsOf } from '../option-checks.ts'
import {
  autoCommitIntervalOf,
  fetchOptionNames,
  groupIdOf,
  resolveFetchOptions,
} from './consumer-options.ts'
import type { ConsumerOptions } from './consumer-options.ts'
import { Consumer } from './consumer.ts'

const names = [
  ...fetchOptionNames,
  ...['groupId', 'autoCommit', 'onAssigned', 'onRevoked', 'onLost'],
]

/** Makes a consumer of a cluster; throws an `OptionError` for options that cannot be used. */
export function createConsumer(cluster: Cluster, options: ConsumerOptions): Consumer {
  const given = optionsOf(options, '', names)
  const groupId = groupIdOf(given)
  const autoCommitIntervalMs = autoCommitIntervalOf(given['autoCommit'])
  if (autoCommitIntervalMs !== undefined && groupId === undefined) {
    throw new OptionError('autoCommit', 'needs a groupId')
  }
  return new Consumer({
    cluster,
    fetch: resolveFetchOptions(given),
    callbacks: options,
    autoCommitIntervalMs,
    makeMember: undefined,
  })
}
