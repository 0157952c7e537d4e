import { isMillraceError } from '../../../errors.ts'
import { consumerGroupHeartbeatApi } from '../../../protocol/index.ts'
import { Backoff } from '../../backoff.ts'
import { isWorthRetrying } from '../../client-error.ts'
import type { Broker, Cluster } from '../../cluster/cluster.ts'
import type { Assignor } from './assignors/assignor.ts'
import { rangeAssignor } from './assignors/range.ts'
import { roundRobinAssignor } from './assignors/round-robin.ts'
import { cooperativeStickyAssignor, stickyAssignor } from './assignors/sticky.ts'
import type { GroupCoordinator } from './group-coordinator.ts'
import type { GroupMemberOptions } from './group-member-options.ts'
import type { SubscribedTopics } from './subscribed-topics.ts'

/** Those in whose place an assignor of the broker can stand. */
const ownAssignors: ReadonlySet<Assignor> = new Set([
  rangeAssignor,
  roundRobinAssignor,
  stickyAssignor,
  cooperativeStickyAssignor,
])

/**
 * Which protocol to speak. `'auto'` takes the new one where the broker has switched it on and can say all that
 * is wanted; with an assignor that only members know it stays with the classic one.
 */
export async function chooseProtocol(
  cluster: Cluster,
  coordinator: GroupCoordinator,
  options: GroupMemberOptions,
  topics: SubscribedTopics,
  signal: AbortSignal,
): Promise<'classic' | 'consumer'> {
  const { groupProtocol, assignors } = options
  if (groupProtocol !== 'auto') return groupProtocol
  if (!assignors.every((assignor) => ownAssignors.has(assignor))) return 'classic'
  const { retryBackoffMs: firstMs, retryBackoffMsMax: limitMs } = cluster.options
  const backoff = new Backoff(cluster.platform.random, { firstMs, limitMs })
  for (;;) {
    signal.throwIfAborted()
    try {
      const isPattern = topics.subscription?.kind === 'pattern'
      return (await hasNewProtocol(await coordinator.broker(), isPattern)) ? 'consumer' : 'classic'
    } catch (error) {
      if (!isWorthRetrying(error)) throw error
      coordinator.forget()
      await cluster.platform.clock.sleep(backoff.nextMs(), signal)
    }
  }
}

/** Co-partitioned topics must stay so: where `range` was asked for, the broker is asked for its own. */
export function withRemoteAssignor(options: GroupMemberOptions): GroupMemberOptions {
  const isRange = options.assignors[0] === rangeAssignor
  return isRange && options.remoteAssignor === undefined
    ? { ...options, remoteAssignor: rangeAssignor.name }
    : options
}

/** Kafka 3.7 to 3.9 have the API before the feature is finished; it counts only once it is switched on. */
async function hasNewProtocol(broker: Broker, isPattern: boolean): Promise<boolean> {
  if ((await broker.featureLevel('group.version')) < 1) return false
  try {
    await broker.version(consumerGroupHeartbeatApi, isPattern ? { versionMin: 1 } : {})
    return true
  } catch (error) {
    if (isMillraceError(error, 'MILLRACE_CLIENT_UNSUPPORTED')) return false
    throw error
  }
}
