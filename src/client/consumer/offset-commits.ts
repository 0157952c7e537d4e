import { MillraceError } from '../../errors.ts'
import type { CommittedOffset } from './group-member.ts'
import { partitionKey } from './partition-state.ts'

export interface CommitOptions {
  /** Allows offsets below what was committed before. @defaultValue false */
  readonly allowBackwards?: boolean
  readonly signal?: AbortSignal
}

/** Hands offsets to the group's coordinator. */
export type SendCommit = (
  offsets: readonly CommittedOffset[],
  signal: AbortSignal | undefined,
) => Promise<void>

/**
 * The commits of a consumer, one after another: two on their way at the same time could change places
 * when one of them is retried, and the older one would win.
 *
 * It knows the highest offset that was committed of each partition while the partition is ours, and lets
 * nothing through that lies below, unless it is told to.
 */
export class OffsetCommits {
  readonly #send: SendCommit
  readonly #committed = new Map<string, number>()
  #last: Promise<unknown> = Promise.resolve()

  constructor(send: SendCommit) {
    this.#send = send
  }

  /** The offset is known to be committed. */
  isCommitted({ topic, partition, offset }: CommittedOffset): void {
    this.#committed.set(partitionKey(topic, partition), offset)
  }

  /** The partition is no longer ours, and somebody else may commit what he likes. */
  forget(topic: string, partition: number): void {
    this.#committed.delete(partitionKey(topic, partition))
  }

  /** Commits what lies ahead of what is committed, and passes over the rest. */
  async advance(offsets: readonly CommittedOffset[], signal?: AbortSignal): Promise<void> {
    await this.#inTurn(() => {
      const ahead = offsets.filter((each) => each.offset > (this.#known(each) ?? -1))
      return this.#commit(ahead, signal)
    })
  }

  /** Commits exactly these offsets; refuses all of them when one would go back. */
  async set(offsets: readonly CommittedOffset[], options: CommitOptions): Promise<void> {
    await this.#inTurn(() => {
      if (options.allowBackwards !== true) for (const each of offsets) this.#checkAhead(each)
      return this.#commit(offsets, options.signal)
    })
  }

  async #inTurn(commit: () => Promise<void>): Promise<void> {
    const turn = this.#last.then(commit)
    this.#last = turn.catch(() => undefined)
    await turn
  }

  async #commit(offsets: readonly CommittedOffset[], signal?: AbortSignal): Promise<void> {
    if (offsets.length === 0) return
    signal?.throwIfAborted()
    await this.#send(offsets, signal)
    for (const each of offsets) this.isCommitted(each)
  }

  #known({ topic, partition }: CommittedOffset): number | undefined {
    return this.#committed.get(partitionKey(topic, partition))
  }

  #checkAhead(offset: CommittedOffset): void {
    const known = this.#known(offset)
    if (known === undefined || offset.offset >= known) return
    throw new MillraceError(
      'MILLRACE_CLIENT_STATE_INVALID',
      `commit of ${offset.topic}-${offset.partition}: offset ${offset.offset} is below ${known}, which is committed; allowBackwards lets it pass`,
    )
  }
}
