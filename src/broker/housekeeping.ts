import type { Log } from '../observe/index.ts'
import type { Clock, Timer } from '../platform/index.ts'
import type { Cluster } from './cluster/cluster.ts'
import type { BrokerConfig } from './config/index.ts'
import type { GroupCoordinator } from './group/index.ts'
import type { PartitionLog } from './log/index.ts'

interface HousekeepingOptions {
  readonly clock: Clock
  readonly log: Log
  readonly config: BrokerConfig
  readonly cluster: Cluster
  /** What the cluster keeps of itself: it grows with every topic that is made and deleted. */
  readonly clusterLog: PartitionLog
  readonly groups: GroupCoordinator
}

/**
 * What a broker does from time to time without being asked: retention, compaction, forgetting idle
 * producers and expired offsets. Each can be done at once as well.
 */
export class Housekeeping {
  readonly #options: HousekeepingOptions
  readonly #timers = new Set<Timer>()
  #running = false

  constructor(options: HousekeepingOptions) {
    this.#options = options
  }

  start(): void {
    const { config } = this.#options
    this.#running = true
    this.#repeat(
      'retention',
      () => config.logRetentionCheckIntervalMs,
      () => this.applyRetention(),
    )
    this.#repeat(
      'compaction',
      () => config.logCleanerBackoffMs,
      () => this.compact(),
    )
    this.#repeat(
      'offset expiry',
      () => config.offsetsRetentionCheckIntervalMs,
      () => this.expireOffsets(),
    )
  }

  stop(): void {
    this.#running = false
    for (const timer of this.#timers) timer.cancel()
    this.#timers.clear()
  }

  /** Removes the segments that are too old or too many, and producers that were silent for long. */
  async applyRetention(): Promise<void> {
    const now = this.#options.clock.now()
    await this.#forEachLog(async (log) => {
      log.expireProducers(now)
      await log.applyRetention(now)
    })
  }

  /** Compacts the logs that have enough to clean; with `force` every compacted one. */
  async compact(force = false): Promise<void> {
    const now = this.#options.clock.now()
    await this.#forEachLog((log) => log.compact(now, force ? 'always' : 'when-worth-it'))
  }

  async expireOffsets(): Promise<void> {
    await this.#options.groups.expireOffsets(this.#options.clock.now())
  }

  /** A log that is damaged must not keep the others from being looked after. */
  async #forEachLog(work: (log: PartitionLog) => Promise<unknown>): Promise<void> {
    const failures: string[] = []
    const { cluster, clusterLog } = this.#options
    const ofTopics = [...cluster.topics()].flatMap((topic) =>
      topic.partitions.map((partition) => partition.log),
    )
    const logs = [clusterLog, ...ofTopics]
    for (const log of logs) {
      await work(log).catch((error: unknown) => {
        const reason = error instanceof Error ? error.message : String(error)
        failures.push(`${log.topic}-${log.partition}: ${reason}`)
      })
    }
    if (failures.length > 0) throw new Error(failures.join('; '))
  }

  /** The next round is set when one has ended: a slow one is never overtaken by itself. */
  #repeat(what: string, everyMs: () => number, work: () => Promise<void>): void {
    const timer = this.#options.clock.setTimer(everyMs(), () => {
      this.#timers.delete(timer)
      work()
        .catch((error: unknown) => {
          this.#options.log('error', `${what} has failed: ${String(error)}`)
        })
        .finally(() => {
          if (this.#running) this.#repeat(what, everyMs, work)
        })
    })
    this.#timers.add(timer)
  }
}
