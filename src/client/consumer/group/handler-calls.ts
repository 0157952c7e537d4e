import type { Clock } from '../../../platform/index.ts'
import type { TopicPartition } from '../../topic-partition.ts'
import type { GroupMemberHandler } from '../group-member.ts'

/**
 * Calls a handler, one call after the other. A revocation is waited for until its deadline only, but the next call
 * still comes after it: a partition that comes back never meets the work that was begun on it before.
 */
export class HandlerCalls {
  readonly #handler: GroupMemberHandler
  readonly #clock: Clock
  #last: Promise<unknown> = Promise.resolve()

  constructor(handler: GroupMemberHandler, clock: Clock) {
    this.#handler = handler
    this.#clock = clock
  }

  assigned(partitions: readonly TopicPartition[]): Promise<void> {
    return this.#inTurn(() => this.#handler.assigned(partitions))
  }

  lost(partitions: readonly TopicPartition[]): Promise<void> {
    return this.#inTurn(() => this.#handler.lost(partitions))
  }

  /** Answers whether the handler has let go in time. */
  async revoked(partitions: readonly TopicPartition[], deadlineMs: number): Promise<boolean> {
    const call = this.#inTurn(() => this.#handler.revoked(partitions, deadlineMs))
    const isOver = await this.#until(call, deadlineMs)
    return !isOver
  }

  failed(error: Error): void {
    this.#handler.failed(error)
  }

  #inTurn(call: () => Promise<void>): Promise<void> {
    const turn = this.#last.then(call)
    this.#last = turn.catch(() => undefined)
    return turn
  }

  async #until(call: Promise<unknown>, deadlineMs: number): Promise<boolean> {
    let isOver = false
    const leftMs = Math.max(0, deadlineMs - this.#clock.elapsedMs())
    await new Promise<void>((resolve, reject) => {
      const timer = this.#clock.setTimer(leftMs, () => {
        isOver = true
        resolve()
      })
      call.then(() => resolve(), reject).finally(() => timer.cancel())
    })
    return isOver
  }
}
