import { kafkaError, offsetFetchApi } from '../../../protocol/index.ts'
import { KafkaError } from '../../client-error.ts'
import type { Cluster } from '../../cluster/cluster.ts'
import { partitionKey } from '../../topic-partition.ts'
import type { TopicPartition } from '../../topic-partition.ts'
import { retry } from '../../retry.ts'
import type { CommittedOffset } from '../group-member.ts'
import type { GroupCoordinator } from './group-coordinator.ts'
import { fetchedOffsets, offsetFetchRequest, offsetVersionMax } from './offset-messages.ts'
import type { FetchedOffset } from './offset-messages.ts'

/** For so long it is tried while the cluster fails. */
const failingMsMax = 60_000
/** After so long it is said which offsets an open transaction holds back. */
const unstableMsBeforeWarning = 10_000
const unstablePauseMs = 100

/** The first version that can be asked to hold back offsets that an open transaction may replace (KIP-447). */
const versionWithStable = 7

/**
 * Reads committed offsets; partitions without one are missing. Offsets that an open transaction may still
 * replace are waited for, as long as it is open: who reads the old ones does the transaction's work again.
 */
export async function readOffsets(
  cluster: Cluster,
  coordinator: GroupCoordinator,
  groupId: string,
  partitions: readonly TopicPartition[],
  signal?: AbortSignal,
): Promise<readonly CommittedOffset[]> {
  const { clock } = cluster.platform
  const found: CommittedOffset[] = []
  let missing = partitions
  const startedMs = clock.elapsedMs()
  for (let isWarned = false; missing.length > 0;) {
    signal?.throwIfAborted()
    const what = `committed offsets of group ${groupId}`
    const wanted = missing
    const fetched = await retry(cluster, { what, timeoutMs: failingMsMax, signal }, () =>
      fetchOnce(cluster, coordinator, groupId, wanted),
    )
    const unstable = fetched.filter(isUnstable)
    for (const { errorCode, ...offset } of fetched) {
      if (errorCode === kafkaError.NONE && offset.offset >= 0) found.push(offset)
    }
    missing = unstable
    if (missing.length === 0) break
    if (!isWarned && clock.elapsedMs() - startedMs >= unstableMsBeforeWarning) {
      isWarned = true
      const names = missing.map(partitionKey).join(', ')
      cluster.log('warn', 'consumer: an open transaction holds committed offsets back', {
        group: groupId,
        partitions: names,
      })
    }
    await clock.sleep(unstablePauseMs, signal)
  }
  return found
}

async function fetchOnce(
  cluster: Cluster,
  coordinator: GroupCoordinator,
  groupId: string,
  partitions: readonly TopicPartition[],
): Promise<readonly FetchedOffset[]> {
  const { metadata } = cluster
  const response = await coordinator.request(
    offsetFetchApi,
    (version) => offsetFetchRequest(groupId, partitions, metadata, version),
    { versionMin: versionWithStable, versionMax: offsetVersionMax(partitions, metadata) },
  )
  const { errorCode, offsets } = fetchedOffsets(response, metadata)
  const what = `committed offsets of group ${groupId}`
  if (errorCode !== kafkaError.NONE) {
    coordinator.isElsewhere(errorCode)
    if (errorCode === kafkaError.UNSTABLE_OFFSET_COMMIT) {
      return partitions.map((each) => ({ ...each, ...nothing, errorCode }))
    }
    throw new KafkaError(errorCode, what)
  }
  for (const offset of offsets) {
    if (offset.errorCode === kafkaError.NONE || isUnstable(offset)) continue
    if (offset.errorCode === kafkaError.UNKNOWN_TOPIC_ID) cluster.metadataIsStale()
    throw new KafkaError(offset.errorCode, `${what} for ${partitionKey(offset)}`)
  }
  return offsets
}

const nothing = { offset: -1, leaderEpoch: -1, metadata: '' } as const

function isUnstable({ errorCode }: FetchedOffset): boolean {
  return errorCode === kafkaError.UNSTABLE_OFFSET_COMMIT
}
