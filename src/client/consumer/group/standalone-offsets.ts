import { KafkaError } from '../../client-error.ts'
import type { Cluster } from '../../cluster/cluster.ts'
import type { TopicPartition } from '../../topic-partition.ts'
import type { CommittedOffset, OffsetToCommit } from '../group-member.ts'
import { CommitQueue } from './commit-queue.ts'
import { GroupCoordinator } from './group-coordinator.ts'
import { readOffsets } from './read-offsets.ts'

const identity = { generation: -1, memberId: '', groupInstanceId: undefined, joins: 0 } as const

/**
 * The offsets of a group for somebody who is no member of it and says himself which partitions are his.
 * Kafka refuses such commits while the group has members.
 */
export class StandaloneOffsets {
  readonly groupId: string
  readonly #cluster: Cluster
  readonly #coordinator: GroupCoordinator
  readonly #commits: CommitQueue

  constructor(cluster: Cluster, groupId: string) {
    this.groupId = groupId
    this.#cluster = cluster
    this.#coordinator = new GroupCoordinator(cluster, groupId)
    this.#commits = new CommitQueue(cluster, this.#coordinator, groupId, {
      hold: () => 0,
      identity: () => identity,
      ready: () => Promise.resolve(),
      // There is no membership to renew: the error is the caller's.
      refused: (code) => {
        throw new KafkaError(code, `commit of group ${groupId} from outside of it`)
      },
    })
  }

  close(): void {
    this.#commits.close()
  }

  commit(offsets: readonly OffsetToCommit[], signal?: AbortSignal): Promise<void> {
    return this.#commits.commit(offsets, signal)
  }

  committed(
    partitions: readonly TopicPartition[],
    signal?: AbortSignal,
  ): Promise<readonly CommittedOffset[]> {
    return readOffsets(this.#cluster, this.#coordinator, this.groupId, partitions, signal)
  }
}
