import type { GroupMetadata, TopicPartition } from '../../../src/client/index.ts'

/**
 * Who has had which partition in which generation of its group. Two members may both believe that they have it, as
 * one that stood still does, but never in the same generation.
 */
export class Ownership {
  readonly #isAssigned: (member: GroupMetadata) => boolean
  readonly #owners = new Map<string, string>()
  readonly #generations = new Set<string>()
  readonly violations: string[] = []

  /** `isAssigned` tells whether the group has given the member anything in its generation yet. */
  constructor(isAssigned: (member: GroupMetadata) => boolean) {
    this.#isAssigned = isAssigned
  }

  /** The member has been given partitions, or handles records of them. */
  claim(member: GroupMetadata, partitions: Iterable<TopicPartition>): void {
    const { groupId, generation } = member
    this.#generations.add(`${groupId} ${generation}`)
    if (!this.#isAssigned(member)) return
    const owner = ownerOf(member)
    for (const { topic, partition } of partitions) {
      const what = `${topic}-${partition} in generation ${generation} of ${groupId}`
      const other = this.#owners.get(what) ?? owner
      this.#owners.set(what, other)
      if (other !== owner) this.violations.push(`${other} and ${owner} both had ${what}`)
    }
  }

  get generationCount(): number {
    return this.#generations.size
  }
}

/** A static member has another id after each of its joins. */
function ownerOf({ groupInstanceId, memberId }: GroupMetadata): string {
  return groupInstanceId ?? memberId
}
