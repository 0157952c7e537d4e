import type { KafkaErrorName } from '../../protocol/index.ts'
import { isRefusal, refuse } from '../refusal.ts'
import type { Refusal } from '../refusal.ts'
import type { SharedTarget, SharePartition, SharePartitionKey } from '../share/index.ts'
import type { Partition, Topic } from '../cluster/cluster.ts'
import { sharesAreServed } from './features.ts'
import type { RequestContext } from './handler.ts'
import { leaderHint } from './leader-hint.ts'
import type { LeaderHint } from './leader-hint.ts'
import { findLedPartition } from './partition-access.ts'

/** Why share groups cannot be had. */
export function refuseShares({
  broker: { cluster, config, features },
}: Pick<RequestContext, 'broker'>): Refusal | undefined {
  if (sharesAreServed(cluster, config, features)) return undefined
  return refuse('UNSUPPORTED_VERSION', 'share groups are off: share.version is 0')
}

/** Whether the state of share groups can be kept: the first one who asks has its topic made. */
export async function prepareShares({ broker }: RequestContext): Promise<Refusal | undefined> {
  const refusal = await broker.cluster.prepareCoordinators('share')
  if (refusal === undefined) return undefined
  const why = `the topic of share groups cannot be made: ${refusal.message}`
  return refuse('COORDINATOR_NOT_AVAILABLE', why)
}

/** What a request of a member of a share group is about, if it may be read and is led here. */
export function findSharedPartition(
  { topicId, partition }: SharedTarget,
  { broker, nodeId, access }: RequestContext,
): Partition | Refusal {
  const topic = broker.cluster.topicById(topicId)
  if (topic !== undefined && !access.allows('read', 'topic', topic.name)) {
    return refuse('TOPIC_AUTHORIZATION_FAILED', `read is not allowed on topic '${topic.name}'`)
  }
  const reference = { name: topic?.name ?? '', id: topicId, byId: true }
  return findLedPartition(broker.cluster, reference, partition, nodeId)
}

/** The share partition behind a partition that is led here. */
export function openSharePartition(
  groupId: string,
  { topic, index, log, leaderEpoch }: Partition,
  { broker }: RequestContext,
): Promise<SharePartition | Refusal> {
  return broker.shares.open(sharePartitionKey(groupId, topic, index), { log, leaderEpoch })
}

export function sharePartitionKey(
  groupId: string,
  { id: topicId }: Topic,
  partition: number,
): SharePartitionKey {
  return { groupId, topicId, partition }
}

const hinted: ReadonlySet<KafkaErrorName> = new Set([
  'NOT_LEADER_OR_FOLLOWER',
  'FENCED_LEADER_EPOCH',
])

const noLeader: LeaderHint = { leaderId: 0, leaderEpoch: 0 }

/** Who leads a partition, for a client that has asked the wrong node. */
export function sharedLeaderHint(
  { topicId, partition }: SharedTarget,
  refusal: Refusal | undefined,
  { broker }: RequestContext,
): LeaderHint {
  if (refusal === undefined || !hinted.has(refusal.error)) return noLeader
  return leaderHint(broker.cluster.topicById(topicId)?.partitions[partition]) ?? noLeader
}

/** What is answered under the id of each topic. */
export function byTopicId<Item>(
  items: readonly (readonly [target: SharedTarget, item: Item])[],
): { readonly topicId: string; readonly partitions: Item[] }[] {
  const topics = new Map<string, Item[]>()
  for (const [{ topicId }, item] of items) {
    const known = topics.get(topicId)
    if (known === undefined) topics.set(topicId, [item])
    else known.push(item)
  }
  return [...topics].map(([topicId, partitions]) => ({ topicId, partitions }))
}

export function asRefusal(outcome: object | undefined): Refusal | undefined {
  return isRefusal(outcome) ? outcome : undefined
}
