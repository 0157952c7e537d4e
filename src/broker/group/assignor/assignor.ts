import type { TopicPartitions } from '../topic-partitions.ts'
import { assignRanges } from './range.ts'
import { assignUniformly } from './uniform.ts'

/** A member of a consumer group, as an assignor sees it. */
export interface AssignedMember {
  readonly memberId: string
  readonly instanceId: string | null
  /** The topics that it subscribes to and that exist. */
  readonly topicIds: ReadonlySet<string>
  /** What the last target assignment gave it. */
  readonly assigned: TopicPartitions
}

export interface AssignmentTask {
  readonly members: readonly AssignedMember[]
  partitionCount(topicId: string): number
}

/** Gives each partition of each subscribed topic to one of the topic's subscribers. */
export type Assignor = (task: AssignmentTask) => ReadonlyMap<string, TopicPartitions>

/** The assignors that members can ask for, by the names that they ask with. */
export const assignors: ReadonlyMap<string, Assignor> = new Map([
  ['uniform', assignUniformly],
  ['range', assignRanges],
])
