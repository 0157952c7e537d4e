import type { TopicConfig } from '../config/index.ts'
import type { PartitionLog } from '../log/index.ts'
import type { Partition, Topic } from './cluster.ts'
import type { StoredTopic } from './metadata-records.ts'
import { isInternalTopic } from './topic-name.ts'

/** The part of a topic that changes: which nodes lead, what is set, how many partitions there are. */
export class TopicState implements Topic {
  readonly id: string
  readonly name: string
  readonly internal: boolean
  readonly partitions: PartitionState[] = []
  /**
   * What the last record says that was written of the topic, durable or not yet. The next record
   * starts from it: one that started from the state in memory would take back, after a restart,
   * what is still on its way to the disk.
   */
  planned: StoredTopic
  overrides: ReadonlyMap<string, string>
  config: TopicConfig

  constructor(id: string, stored: StoredTopic, config: TopicConfig) {
    this.id = id
    this.name = stored.name
    this.internal = isInternalTopic(stored.name)
    this.planned = stored
    this.overrides = new Map(Object.entries(stored.overrides))
    this.config = config
  }
}

export class PartitionState implements Partition {
  readonly topic: TopicState
  readonly index: number
  readonly log: PartitionLog
  replicas: readonly number[]
  inSync: readonly number[] = []
  leader = -1
  leaderEpoch: number

  constructor(
    topic: TopicState,
    index: number,
    replicas: readonly number[],
    leaderEpoch: number,
    log: PartitionLog,
  ) {
    this.topic = topic
    this.index = index
    this.replicas = replicas
    this.leaderEpoch = leaderEpoch
    this.log = log
  }

  /**
   * Follows the nodes that run: a leader that has stopped is replaced by the first replica that
   * runs. Answers whether the leader has changed.
   */
  follow(isRunning: (nodeId: number) => boolean): boolean {
    this.inSync = this.replicas.filter(isRunning)
    if (this.inSync.includes(this.leader)) return false
    const next = this.inSync[0] ?? -1
    if (next === this.leader) return false
    this.leader = next
    return true
  }
}
