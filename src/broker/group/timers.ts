import type { Clock, Timer } from '../../platform/index.ts'

/**
 * What a timer of a group is for.
 *
 * - `session`: a member (or, in a classic group, an id that was given out) must be heard of.
 * - `join`: a classic group's members must rejoin; in a consumer group, one member that uses the
 *   classic protocol.
 * - `sync`: the members of a classic group must ask for their assignments; in a consumer group,
 *   one member.
 * - `rebalance`: a member of a consumer group must give up the partitions it was asked to.
 */
export type TimerKind = 'session' | 'join' | 'sync' | 'rebalance'

/** The timers of the groups of one partition; setting one again replaces it. */
export class Timers {
  readonly #clock: Clock
  readonly #byGroup = new Map<string, Map<string, PendingTimer>>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /**
   * Calls `due` after a while. What is to be done then may have to wait for its turn, and a
   * heartbeat that waits before it may set the timer anew: so `claim` must be asked when the turn
   * has come, and answers false when the timer was set again or cancelled.
   */
  set(
    group: string,
    kind: TimerKind,
    member: string,
    delayMs: number,
    due: (claim: () => boolean) => void,
  ): void {
    this.cancel(group, kind, member)
    const key = keyOf(kind, member)
    let timers = this.#byGroup.get(group)
    if (timers === undefined) this.#byGroup.set(group, (timers = new Map<string, PendingTimer>()))
    const fire = () => due(() => this.#claim(group, key, pending))
    const pending = { timer: this.#clock.setTimer(Math.max(delayMs, 0), fire), fire }
    timers.set(key, pending)
  }

  has(group: string, kind: TimerKind, member: string): boolean {
    return this.#byGroup.get(group)?.has(keyOf(kind, member)) === true
  }

  cancel(group: string, kind: TimerKind, member: string): void {
    const key = keyOf(kind, member)
    this.#byGroup.get(group)?.get(key)?.timer.cancel()
    this.#forget(group, key)
  }

  /** Cancels everything that waits for a member of a consumer group. */
  cancelMember(group: string, member: string): void {
    for (const kind of ['session', 'join', 'sync', 'rebalance'] as const) {
      this.cancel(group, kind, member)
    }
  }

  cancelGroup(group: string): void {
    for (const { timer } of this.#byGroup.get(group)?.values() ?? []) timer.cancel()
    this.#byGroup.delete(group)
  }

  cancelAll(): void {
    for (const group of [...this.#byGroup.keys()]) this.cancelGroup(group)
  }

  /** Makes a timer due now; answers whether it was set. */
  fire(group: string, kind: TimerKind, member: string): boolean {
    const pending = this.#byGroup.get(group)?.get(keyOf(kind, member))
    pending?.timer.cancel()
    pending?.fire()
    return pending !== undefined
  }

  #claim(group: string, key: string, pending: PendingTimer): boolean {
    if (this.#byGroup.get(group)?.get(key) !== pending) return false
    this.#forget(group, key)
    return true
  }

  #forget(group: string, key: string): void {
    const timers = this.#byGroup.get(group)
    timers?.delete(key)
    if (timers?.size === 0) this.#byGroup.delete(group)
  }
}

interface PendingTimer {
  readonly timer: Timer
  readonly fire: () => void
}

/** The kind has no space in it, so two different pairs never share a key. */
function keyOf(kind: TimerKind, member: string): string {
  return `${kind} ${member}`
}
