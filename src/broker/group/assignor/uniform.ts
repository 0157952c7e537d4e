import { addPartition, eachPartition } from '../topic-partitions.ts'
import type { TopicPartitions } from '../topic-partitions.ts'
import type { AssignmentTask } from './assignor.ts'

/**
 * Divides partitions evenly and moves as few as it can. Balance comes first: as long as some member
 * could get rid of a partition to another that has at least two fewer, directly or through a chain
 * of members that pass partitions of different topics on, it does. Where all members subscribe to
 * the same topics no two differ by more than one; where they do not, the result is as even as the
 * subscriptions allow.
 */
export function assignUniformly(task: AssignmentTask): ReadonlyMap<string, TopicPartitions> {
  const assignment = new UniformAssignment(task)
  assignment.keep()
  assignment.fill()
  assignment.balance()
  return assignment.result()
}

/** How a search got to a member: `from` would give it a partition of `topicId`. */
interface Handover {
  readonly from: number
  readonly topicId: string
}

interface SharedTopic {
  readonly id: string
  /** Indices of members, ascending. */
  readonly subscribers: readonly number[]
  /** The index of the member that has the partition, -1 for none. */
  readonly owners: number[]
}

class UniformAssignment {
  readonly #task: AssignmentTask
  readonly #topics: ReadonlyMap<string, SharedTopic>
  /** How many partitions each member has, and how many of each topic. */
  readonly #loads: number[]
  readonly #held: Map<string, number>[]

  constructor(task: AssignmentTask) {
    this.#task = task
    this.#topics = sharedTopics(task)
    this.#loads = task.members.map(() => 0)
    this.#held = task.members.map(() => new Map<string, number>())
  }

  /** Leaves with each member what it has and may keep. */
  keep(): void {
    for (const [index, member] of this.#task.members.entries()) {
      for (const [topicId, partition] of eachPartition(member.assigned)) {
        const topic = member.topicIds.has(topicId) ? this.#topics.get(topicId) : undefined
        if (topic?.owners[partition] === -1) this.#give(topic, partition, index)
      }
    }
  }

  /**
   * Gives what nobody has to whoever has least. Topics with the most partitions per subscriber go
   * first: the others can still even out what these leave uneven.
   */
  fill(): void {
    const share = ({ owners, subscribers }: SharedTopic) => owners.length / subscribers.length
    const topics = [...this.#topics.values()].sort(
      (a, b) =>
        share(b) - share(a) ||
        a.subscribers.length - b.subscribers.length ||
        (a.id < b.id ? -1 : 1),
    )
    for (const topic of topics) {
      for (const [partition, owner] of topic.owners.entries()) {
        if (owner === -1) this.#give(topic, partition, this.#leastLoaded(topic.subscribers))
      }
    }
  }

  balance(): void {
    while (this.#improve());
  }

  result(): ReadonlyMap<string, TopicPartitions> {
    const made = this.#task.members.map(() => new Map<string, Set<number>>())
    for (const { id, owners } of this.#topics.values()) {
      for (const [partition, owner] of owners.entries()) {
        const target = made[owner]
        if (target !== undefined) addPartition(target, id, partition)
      }
    }
    return new Map(
      this.#task.members.map(({ memberId }, index) => [memberId, made[index] ?? new Map()]),
    )
  }

  /** Makes one move that makes the loads more even; answers false when there is none. */
  #improve(): boolean {
    if (Math.max(...this.#loads) - Math.min(...this.#loads) <= 1) return false
    const byLoad = [...this.#loads.keys()].sort((a, b) => this.#load(b) - this.#load(a) || a - b)
    // What a search found nothing from can reach only members that it has seen, all of them with at
    // most one partition less: searching from those again would find nothing either.
    const settled = new Set<number>()
    for (const member of byLoad) {
      if (settled.has(member)) continue
      const reached = new Map<number, Handover | undefined>([[member, undefined]])
      const target = this.#search(member, reached)
      if (target !== undefined) {
        this.#passOn(target, reached)
        return true
      }
      for (const seen of reached.keys()) settled.add(seen)
    }
    return false
  }

  /** Finds the nearest member with at least two partitions fewer, the least loaded of these. */
  #search(start: number, reached: Map<number, Handover | undefined>): number | undefined {
    const enough = this.#load(start) - 2
    const seenTopics = new Set<string>()
    let level = [start]
    while (level.length > 0) {
      const next: number[] = []
      for (const from of level) {
        for (const topicId of this.#held[from]?.keys() ?? []) {
          if (seenTopics.has(topicId)) continue
          seenTopics.add(topicId)
          for (const member of this.#topics.get(topicId)?.subscribers ?? []) {
            if (reached.has(member)) continue
            reached.set(member, { from, topicId })
            next.push(member)
          }
        }
      }
      const target = next.length === 0 ? undefined : this.#leastLoaded(next)
      if (target !== undefined && this.#load(target) <= enough) return target
      level = next
    }
    return undefined
  }

  /** Moves one partition along each handover that leads to `target`. */
  #passOn(target: number, reached: ReadonlyMap<number, Handover | undefined>): void {
    let to = target
    for (let step = reached.get(to); step !== undefined; step = reached.get(to)) {
      const topic = this.#topics.get(step.topicId)
      const partition = topic?.owners.lastIndexOf(step.from) ?? -1
      if (topic === undefined || partition === -1) return
      this.#take(topic, partition, step.from)
      this.#give(topic, partition, to)
      to = step.from
    }
  }

  #give(topic: SharedTopic, partition: number, member: number): void {
    topic.owners[partition] = member
    this.#count(topic, member, 1)
  }

  #take(topic: SharedTopic, partition: number, member: number): void {
    topic.owners[partition] = -1
    this.#count(topic, member, -1)
  }

  #count(topic: SharedTopic, member: number, change: 1 | -1): void {
    this.#loads[member] = this.#load(member) + change
    const held = this.#held[member]
    const count = (held?.get(topic.id) ?? 0) + change
    if (count === 0) held?.delete(topic.id)
    else held?.set(topic.id, count)
  }

  #load(member: number): number {
    return this.#loads[member] ?? 0
  }

  /** The first of those that have least. */
  #leastLoaded(members: readonly number[]): number {
    let least = -1
    for (const member of members) {
      if (least === -1 || this.#load(member) < this.#load(least)) least = member
    }
    return least
  }
}

function sharedTopics(task: AssignmentTask): ReadonlyMap<string, SharedTopic> {
  const subscribers = new Map<string, number[]>()
  for (const [index, { topicIds }] of task.members.entries()) {
    for (const topicId of topicIds) {
      const known = subscribers.get(topicId)
      if (known === undefined) subscribers.set(topicId, [index])
      else known.push(index)
    }
  }
  return new Map(
    [...subscribers].map(([id, indices]) => {
      const owners = new Array<number>(task.partitionCount(id)).fill(-1)
      return [id, { id, subscribers: indices, owners }]
    }),
  )
}
