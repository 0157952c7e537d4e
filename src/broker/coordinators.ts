import type { Partition } from './cluster/cluster.ts'
import { offsetsTopic, shareStateTopic, transactionsTopic } from './cluster/topic-name.ts'
import type { GroupCoordinator } from './group/index.ts'
import { coordinatorLog } from './log/index.ts'
import type { ShareCoordinator } from './share/index.ts'
import type { TransactionCoordinator } from './transaction/index.ts'

/**
 * Sees to it that the coordinators hold exactly the partitions of their topics that have a leader.
 * When a leader changes, what waited at the old one is told so, and the new one reads the log.
 */
export class CoordinatorPlacement {
  readonly #groups: GroupCoordinator
  readonly #transactions: TransactionCoordinator
  readonly #shares: ShareCoordinator

  constructor(
    groups: GroupCoordinator,
    transactions: TransactionCoordinator,
    shares: ShareCoordinator,
  ) {
    this.#groups = groups
    this.#transactions = transactions
    this.#shares = shares
  }

  /**
   * Takes over what a partition holds, if it is a coordinator's and has a leader. Resolves when it
   * is read; rejects when it cannot be, and the coordinator is without it.
   */
  async follow(partition: Partition): Promise<void> {
    const { index, leader, leaderEpoch, topic } = partition
    if (topic.name === offsetsTopic) {
      this.#groups.unload(index)
      if (leader !== -1) await this.#groups.load(index, coordinatorLog(partition))
    } else if (topic.name === transactionsTopic) {
      if (leader === -1) this.#transactions.unload(index)
      else await this.#transactions.load(coordinatorLog(partition), leaderEpoch)
    } else if (topic.name === shareStateTopic) {
      this.#shares.unload(index)
      if (leader !== -1) await this.#shares.load(index, coordinatorLog(partition))
    }
  }
}
