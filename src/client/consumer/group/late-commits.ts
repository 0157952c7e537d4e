import type { Clock, Timer } from '../../../platform/index.ts'
import { partitionKey } from '../../topic-partition.ts'
import type { TopicPartition } from '../../topic-partition.ts'
import type { CommittedOffset, OffsetToCommit } from '../group-member.ts'

/** An offset, and the number of the hold on the partition that it was committed under. */
export interface HeldOffset {
  readonly offset: OffsetToCommit
  readonly hold: number
}

interface LateCommitsWorld {
  readonly clock: Clock
  /** After so long a commit that was not answered has arrived, or never will. */
  readonly lateMsMax: number
  readonly read: (partitions: readonly TopicPartition[]) => Promise<readonly CommittedOffset[]>
  /** Whether it may still be committed: the hold is the same, and no other commit is on its way. */
  readonly mayRepeat: (last: HeldOffset) => boolean
  readonly commitAgain: (offsets: readonly OffsetToCommit[]) => Promise<void>
  readonly failed: (error: Error) => void
}

interface Doubt {
  /** What was sent and not answered. */
  readonly unanswered: Set<number>
  /** What was committed last; undefined while nothing was since. */
  last: HeldOffset | undefined
}

/**
 * Undoes what commits do that arrive late. One that was not answered may reach the coordinator over its dead
 * connection after the next one, and take the offset back; nothing in the protocol orders them. So a while
 * later it is looked what is committed: where that is what was not answered, the last offset is committed again.
 * An offset that somebody else has committed meanwhile, in a transaction perhaps, is left alone.
 */
export class LateCommits {
  readonly #world: LateCommitsWorld
  readonly #doubts = new Map<string, Doubt>()
  #timer: Timer | undefined
  #isClosed = false

  constructor(world: LateCommitsWorld) {
    this.#world = world
  }

  /** These were sent, and nobody knows what became of them. */
  unanswered(offsets: Iterable<OffsetToCommit>): void {
    if (this.#isClosed) return
    for (const offset of offsets) {
      const key = partitionKey(offset)
      const doubt = this.#doubts.get(key) ?? { unanswered: new Set(), last: undefined }
      doubt.unanswered.add(offset.offset)
      this.#doubts.set(key, doubt)
    }
    this.#timer?.cancel()
    this.#timer = this.#world.clock.setTimer(this.#world.lateMsMax, () => {
      this.#timer = undefined
      this.#look().catch((error: unknown) => {
        if (!this.#isClosed) this.#world.failed(error as Error)
      })
    })
  }

  committed(last: HeldOffset): void {
    const doubt = this.#doubts.get(partitionKey(last.offset))
    if (doubt !== undefined) doubt.last = last
  }

  close(): void {
    this.#isClosed = true
    this.#timer?.cancel()
    this.#doubts.clear()
  }

  async #look(): Promise<void> {
    const asked = [...this.#doubts.values()].flatMap(({ last }) => last ?? [])
    const found = asked.length === 0 ? [] : await this.#world.read(asked.map((each) => each.offset))
    const again: OffsetToCommit[] = []
    for (const committed of found) {
      const { unanswered, last } = this.#doubts.get(partitionKey(committed)) ?? {}
      if (last === undefined || committed.offset === last.offset.offset) continue
      if (unanswered?.has(committed.offset) && this.#world.mayRepeat(last)) again.push(last.offset)
    }
    // Otherwise something else has not been answered meanwhile: then it is looked again.
    if (this.#timer === undefined) this.#doubts.clear()
    if (again.length > 0) await this.#world.commitAgain(again)
  }
}
