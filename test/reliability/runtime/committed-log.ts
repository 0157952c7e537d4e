import type { CommittedOffset } from '../../../src/client/index.ts'
import { readMetadata } from '../../../src/runtime/ledger/commit-metadata.ts'
import type { Lineage } from '../../../src/runtime/ledger/commit-metadata.ts'
import type { Mark } from '../../../src/runtime/ledger/owner-mark.ts'

/** What one commit says of a partition. */
export interface Told {
  readonly by: string
  readonly frontier: number
  /** Offsets above the frontier that have ended. */
  readonly above: ReadonlySet<number>
  readonly attempts: ReadonlyMap<number, number>
  /** Undefined in what is committed for a group that begins. */
  readonly mark: Mark | undefined
}

export function told(by: string, commit: CommittedOffset, lineage: Lineage): Told {
  const frontier = commit.offset
  const { state, unreadable, ...rest } = readMetadata(commit.metadata, {
    offset: frontier,
    lineage,
  })
  if (unreadable !== undefined && unreadable !== 'empty') {
    throw new Error(`${by} commits what cannot be read: ${unreadable} ${JSON.stringify(rest)}`)
  }
  return {
    by,
    frontier,
    above: new Set(state === undefined ? [] : offsetsIn(frontier, state.endedAbove)),
    attempts: state?.attempts ?? new Map<number, number>(),
    mark: state?.mark,
  }
}

export function hasEndedIn({ frontier, above }: Told, offset: number): boolean {
  return offset < frontier || above.has(offset)
}

function offsetsIn(frontier: number, bits: Uint8Array): number[] {
  return Array.from({ length: bits.length * 8 }, (_, index) => index)
    .filter((index) => (((bits[index >>> 3] as number) >>> (index & 7)) & 1) === 1)
    .map((index) => frontier + index)
}

/** The commits of one partition that the broker has taken. */
export class CommittedLog {
  /** The one that a member would find now. */
  latest: Told | undefined
  #frontier = 0
  readonly #above = new Set<number>()
  readonly #attempts = new Map<number, number>()

  take(commit: Told): void {
    this.latest = commit
    this.#frontier = Math.max(this.#frontier, commit.frontier)
    for (const offset of commit.above) this.#above.add(offset)
    for (const [offset, count] of commit.attempts) {
      this.#attempts.set(offset, Math.max(count, this.attempts(offset)))
    }
  }

  /** Whether any of them named it as ended. */
  hasEnded(offset: number): boolean {
    return offset < this.#frontier || this.#above.has(offset)
  }

  /** The most failed attempts that any of them named. */
  attempts(offset: number): number {
    return this.#attempts.get(offset) ?? 0
  }
}
