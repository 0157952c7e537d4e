import { MillraceError } from '../../errors.ts'
import type { CommittedOffset, OffsetToCommit } from './group-member.ts'
import { partitionKey } from '../topic-partition.ts'

export interface CommitOptions {
  /** Allows offsets below what was committed before. @defaultValue false */
  readonly allowBackwards?: boolean
  readonly signal?: AbortSignal
}

/** Hands offsets to the group's coordinator. */
export type SendCommit = (
  offsets: readonly OffsetToCommit[],
  signal: AbortSignal | undefined,
) => Promise<void>

/** An offset, and the number of the commit that it is of. */
interface Mark {
  readonly offset: number
  readonly number: number
}

/**
 * Sees to it that no commit goes back: it knows up to where each partition was committed while it is
 * ours, or is about to be, and lets nothing through that lies below, unless it is told to. Whoever sends the
 * commits keeps them in the order in which they are handed to him.
 */
export class OffsetCommits {
  readonly #send: SendCommit
  /** What is known to be committed. */
  readonly #committed = new Map<string, Mark>()
  /** What was asked for last, and has not failed. */
  readonly #asked = new Map<string, Mark>()
  #count = 0

  constructor(send: SendCommit) {
    this.#send = send
  }

  /** The offset was found committed. */
  isCommitted(offset: CommittedOffset): void {
    this.#committed.set(partitionKey(offset), { offset: offset.offset, number: this.#count })
  }

  /** The partition is no longer ours, and somebody else may commit what he likes. */
  forget(topic: string, partition: number): void {
    const key = partitionKey({ topic, partition })
    this.#committed.delete(key)
    this.#asked.delete(key)
  }

  /** Commits what lies ahead of what is committed, and passes over the rest. */
  async advance(offsets: readonly CommittedOffset[], signal?: AbortSignal): Promise<void> {
    const ahead = offsets.filter((each) => {
      const key = partitionKey(each)
      const isNew = each.offset > (this.#committed.get(key)?.offset ?? -1)
      // What was asked for and is not answered yet may fail: it is asked for again.
      return isNew && each.offset >= (this.#asked.get(key)?.offset ?? -1)
    })
    await this.#commit(ahead, signal)
  }

  /** Commits exactly these offsets; refuses all of them when one would go back. */
  async set(offsets: readonly OffsetToCommit[], options: CommitOptions): Promise<void> {
    if (options.allowBackwards !== true) for (const each of offsets) this.#checkAhead(each)
    await this.#commit(offsets, options.signal)
  }

  async #commit(offsets: readonly OffsetToCommit[], signal?: AbortSignal): Promise<void> {
    if (offsets.length === 0) return
    signal?.throwIfAborted()
    this.#count += 1
    const number = this.#count
    for (const each of offsets) this.#asked.set(partitionKey(each), { offset: each.offset, number })
    try {
      await this.#send(offsets, signal)
    } catch (error) {
      for (const each of offsets) this.#hasFailed(partitionKey(each), number)
      throw error
    }
    for (const each of offsets) this.#hasSucceeded(each, number)
  }

  #hasSucceeded(offset: CommittedOffset, number: number): void {
    const key = partitionKey(offset)
    // Given up meanwhile, or overtaken by a later commit.
    if (!this.#asked.has(key) || (this.#committed.get(key)?.number ?? 0) > number) return
    this.#committed.set(key, { offset: offset.offset, number })
  }

  #hasFailed(key: string, number: number): void {
    if (this.#asked.get(key)?.number === number) this.#asked.delete(key)
  }

  #checkAhead(offset: CommittedOffset): void {
    const key = partitionKey(offset)
    const committed = this.#committed.get(key)
    const asked = this.#asked.get(key)
    const latest = asked ?? committed
    if (latest === undefined || offset.offset >= latest.offset) return
    throw new MillraceError(
      'MILLRACE_CLIENT_STATE_INVALID',
      `commit of ${offset.topic}-${offset.partition}: offset ${offset.offset} is below ${latest.offset}, which is committed; allowBackwards lets it pass`,
    )
  }
}
