import type { Cluster } from '../../cluster/cluster.ts'
import { partitionKey } from '../../topic-partition.ts'
import type { TopicPartition } from '../../topic-partition.ts'
import type { GroupMemberHandler } from '../group-member.ts'
import type { GroupMemberOptions } from './group-member-options.ts'
import { HandlerCalls } from './handler-calls.ts'
import { Holdings } from './holdings.ts'
import { SilenceWatch } from './silence-watch.ts'
import { Wakeup } from './wakeup.ts'

/** What the two protocols differ in. */
export interface MemberProtocol {
  /** Does what is to be done, or waits for `life.wakeup`; ends early when `life` is interrupted. */
  step(): Promise<void>
  /** Leaves the group; a member that `stays` only falls silent. Never rejects. */
  leave(options: { readonly stays: boolean; readonly reason: string }): Promise<void>
  /** Nothing more is sent. */
  stop(): void
  /** For how long revoked partitions may be held on to. */
  readonly revocationMs: number
  /** Whether a rebalance is under way in which what is held stays held, so that it had better come to its end. */
  readonly isRebalancing: boolean
}

/** How `close` wants it. */
interface Closing {
  readonly deadlineMs: number
  readonly leave: boolean
}

/** What is kept of the time until the deadline for the farewell. */
const leaveMsMax = 1_000

/**
 * The life of a member, whichever protocol it speaks: one loop that does one thing after the other, so that
 * calls of the handler never overlap and nothing is done from two places.
 *
 * - *running*: the protocol takes step after step: joins, gives up what it must, takes what it is given.
 * - *stalled*: the application has asked for nothing for `processingTimeoutMs`. Everything is given up, the member
 *   leaves, and comes back (running) when the application does.
 * - *closing*: everything is given up, then the member leaves. Leads to *ended*.
 * - *failed*: the group wants no more of this member. What it held is lost. Leads to *ended*.
 *
 * Losing partitions takes effect at once, in whatever the loop is: from then on nothing of them can be
 * committed. The handler is told when its turn comes. A loss, a stall, a failure and `close` interrupt what
 * the protocol waits for.
 */
export class MemberLife {
  readonly holdings = new Holdings()
  readonly wakeup = new Wakeup()
  /** How often everything was lost. */
  losses = 0
  readonly #cluster: Cluster
  readonly #options: GroupMemberOptions
  readonly #calls: HandlerCalls
  readonly #processing: SilenceWatch
  /** Lost, and the handler does not know yet. */
  #lost: TopicPartition[] = []
  /** The handler is giving these up: of their loss it is not told. */
  #revoking: ReadonlySet<string> = new Set()
  #wasLostWhileRevoking = false
  #isTellingOfLosses = false
  #isStalled = false
  #closing: Closing | undefined
  #failure: Error | undefined
  #isEnded = false
  /** Resolves when it has ended. */
  readonly #ended: Promise<void>
  #tellEnded: () => void = () => undefined
  #isInterrupted = false
  #interrupt: (() => void) | undefined
  #loop: Promise<void> | undefined
  #protocol: MemberProtocol | undefined

  constructor(cluster: Cluster, options: GroupMemberOptions, handler: GroupMemberHandler) {
    const { clock } = cluster.platform
    this.#ended = new Promise((resolve) => (this.#tellEnded = resolve))
    this.#cluster = cluster
    this.#options = options
    this.#calls = new HandlerCalls(handler, clock)
    this.#processing = new SilenceWatch(clock, options.processingTimeoutMs, () => this.#stall())
  }

  get isEnded(): boolean {
    return this.#isEnded
  }

  get failure(): Error | undefined {
    return this.#failure
  }

  /** Whether the protocol should end its step: something more important has come up. */
  get isInterrupted(): boolean {
    return this.#isInterrupted
  }

  /** `choose` answers the protocol; it may ask the cluster which. */
  start(choose: (signal: AbortSignal) => Promise<MemberProtocol>): void {
    if (this.#loop !== undefined || this.#isEnded) return
    this.#processing.heard(this.#cluster.platform.clock.elapsedMs())
    this.#loop = this.#run(choose)
  }

  polled(): void {
    if (this.#loop === undefined || this.#isEnded) return
    this.#processing.heard(this.#cluster.platform.clock.elapsedMs())
    if (!this.#isStalled) return
    this.#isStalled = false
    this.wakeup.wake()
  }

  /**
   * Whether the handler still works on what was lost, and does not know yet, or is just giving it up. The member may be in
   * the group again: what is done in its new name must be nothing of that.
   */
  get isLosing(): boolean {
    return this.#wasLostWhileRevoking || this.#isTellingOfLosses || this.#lost.length > 0
  }

  /** Everything held may be another member's by now. */
  lose(): void {
    this.losses++
    const lost = this.holdings.release(this.holdings.list)
    this.#lost.push(...lost.filter((partition) => !this.#revoking.has(partitionKey(partition))))
    this.#wasLostWhileRevoking ||= this.#revoking.size > 0
    this.interrupt()
  }

  /** Ends the membership for good. */
  fail(error: Error): void {
    if (this.#isEnded || this.#failure !== undefined) return
    this.#failure = error
    this.lose()
  }

  /** Ends what the protocol waits for. */
  interrupt(): void {
    this.#isInterrupted = true
    this.#interrupt?.()
    this.wakeup.wake()
  }

  /** Waits for a promise, unless it is interrupted: then it answers undefined, and the promise is left alone. */
  async unlessInterrupted<Result>(promise: Promise<Result>): Promise<Result | undefined> {
    promise.catch(() => undefined)
    if (this.#isInterrupted) return undefined
    const interrupted = new Promise<undefined>((resolve) => {
      this.#interrupt = () => resolve(undefined)
    })
    return Promise.race([promise, interrupted])
  }

  /** Sleeps, unless it is interrupted: a sleep that is left alone would keep the process alive. */
  async sleep(delayMs: number): Promise<void> {
    const over = new AbortController()
    try {
      await this.unlessInterrupted(this.#cluster.platform.clock.sleep(delayMs, over.signal))
    } finally {
      over.abort()
    }
  }

  /** Hands partitions over to the handler; not what comes when everything is about to be given up. */
  async assign(partitions: readonly TopicPartition[]): Promise<void> {
    if (this.#closing !== undefined) return
    const added = partitions.filter((partition) => !this.holdings.has(partition))
    if (added.length === 0) return
    this.holdings.take(added)
    this.#log('info', 'partitions are assigned', added)
    try {
      await this.#calls.assigned(added)
    } catch (error) {
      this.fail(error as Error)
    }
  }

  /** Has the handler give partitions up, and gives them up itself when it has, or when the time is over. */
  async revoke(partitions: readonly TopicPartition[], withinMs: number): Promise<void> {
    const revoked = partitions.filter((partition) => this.holdings.has(partition))
    if (revoked.length === 0) return
    const { clock } = this.#cluster.platform
    const deadlineMs = clock.elapsedMs() + withinMs
    this.#log('info', 'partitions are revoked', revoked)
    this.#revoking = new Set(revoked.map(partitionKey))
    try {
      const isInTime = await this.#calls.revoked(revoked, deadlineMs)
      if (!isInTime) this.#log('warn', 'revoked partitions were not let go in time', revoked)
    } catch (error) {
      this.#log('error', `the handler of revoked partitions failed: ${String(error)}`, revoked)
    }
    this.#revoking = new Set()
    this.#wasLostWhileRevoking = false
    this.holdings.release(revoked)
  }

  async close(closing: Closing): Promise<void> {
    if (this.#isEnded) return
    this.#closing ??= closing
    const { deadlineMs } = this.#closing
    const loop = this.#loop ?? Promise.resolve()
    this.#interruptToClose(deadlineMs, loop)
    await this.#atMostUntil(loop, deadlineMs)
    this.#end()
  }

  /**
   * A rebalance under way may have begun a new generation, in which the last commit of what is held would be refused. It is
   * let come to its end, for half of the time at most.
   */
  #interruptToClose(deadlineMs: number, loop: Promise<void>): void {
    const { clock } = this.#cluster.platform
    const leftMs = deadlineMs - clock.elapsedMs()
    if (this.holdings.isEmpty || this.#protocol?.isRebalancing !== true || leftMs <= 0) {
      this.interrupt()
      return
    }
    const timer = clock.setTimer(leftMs / 2, () => this.interrupt())
    void loop.finally(() => timer.cancel())
  }

  /** The group speaks another protocol than the member: `choose` is asked again. */
  chooseAnew(): void {
    this.#protocol?.stop()
    this.#protocol = undefined
    this.interrupt()
  }

  async #run(choose: (signal: AbortSignal) => Promise<MemberProtocol>): Promise<void> {
    while (this.#failure === undefined && this.#closing === undefined) {
      this.#isInterrupted = false
      try {
        await this.#tellOfLosses()
        if (this.isInterrupted) continue
        if (this.#isStalled) await this.#sitOut()
        else if (this.#protocol === undefined) await this.#choose(choose)
        else await this.#protocol.step()
      } catch (error) {
        this.fail(error as Error)
      }
    }
    if (!this.#isEnded) await this.#leaveForGood()
    this.#protocol?.stop()
    this.#end()
  }

  async #choose(choose: (signal: AbortSignal) => Promise<MemberProtocol>): Promise<void> {
    const over = new AbortController()
    try {
      this.#protocol = await this.unlessInterrupted(choose(over.signal))
    } finally {
      over.abort()
    }
  }

  async #leaveForGood(): Promise<void> {
    const { clock } = this.#cluster.platform
    const { requestTimeoutMs } = this.#cluster.options
    this.#isInterrupted = false
    if (this.#closing !== undefined) {
      const leftMs = Math.max(0, this.#closing.deadlineMs - clock.elapsedMs())
      await this.revoke(this.holdings.list, leftMs - Math.min(leaveMsMax, leftMs / 4))
    }
    await this.#tellOfLosses()
    const isStatic = this.#options.groupInstanceId !== undefined
    const stays = isStatic && this.#closing?.leave !== true
    const reason = this.#failure === undefined ? 'the consumer is closed' : 'the consumer failed'
    const leaving = this.#protocol?.leave({ stays, reason }) ?? Promise.resolve()
    // Who closes has a timer for both: a second one, for the same moment, would be left when that is over.
    if (this.#closing !== undefined) await Promise.race([leaving, this.#ended])
    else await this.#atMostUntil(leaving, clock.elapsedMs() + requestTimeoutMs)
    if (this.#failure !== undefined) this.#calls.failed(this.#failure)
  }

  /** Leaves while the application does not ask for anything. */
  async #sitOut(): Promise<void> {
    const { processingTimeoutMs, groupId, groupInstanceId } = this.#options
    this.#cluster.log('warn', 'group member: the application does not ask for records; it leaves', {
      group: groupId,
      processingTimeoutMs,
      partitions: this.holdings.list.map(partitionKey).join(', '),
    })
    await this.revoke(this.holdings.list, this.#protocol?.revocationMs ?? 0)
    const reason = `the application did not ask for records for ${processingTimeoutMs} ms`
    await this.#protocol?.leave({ stays: groupInstanceId !== undefined, reason })
    while (this.#isStalled && this.#closing === undefined && this.#failure === undefined) {
      await this.wakeup.wait()
    }
    this.#processing.heard(this.#cluster.platform.clock.elapsedMs())
  }

  #stall(): void {
    if (this.#isEnded || this.#closing !== undefined) return
    this.#isStalled = true
    this.interrupt()
  }

  async #tellOfLosses(): Promise<void> {
    const lost = this.#lost
    this.#lost = []
    if (lost.length === 0) return
    this.#log('warn', 'partitions are lost', lost)
    try {
      this.#isTellingOfLosses = true
      await this.#calls.lost(lost)
    } catch (error) {
      this.#log('error', `the handler of lost partitions failed: ${String(error)}`, lost)
    } finally {
      this.#isTellingOfLosses = false
    }
  }

  #end(): void {
    this.#isEnded = true
    this.#tellEnded()
    this.#processing.stop()
    this.holdings.release(this.holdings.list)
  }

  async #atMostUntil(promise: Promise<void>, deadlineMs: number): Promise<void> {
    const { clock } = this.#cluster.platform
    await new Promise<void>((resolve) => {
      const leftMs = Math.max(0, deadlineMs - clock.elapsedMs())
      const timer = clock.setTimer(leftMs, () => resolve())
      void promise.finally(() => {
        timer.cancel()
        resolve()
      })
    })
  }

  #log(
    level: 'info' | 'warn' | 'error',
    message: string,
    partitions: readonly TopicPartition[],
  ): void {
    this.#cluster.log(level, `group member: ${message}`, {
      group: this.#options.groupId,
      partitions: partitions.map(partitionKey).join(', '),
    })
  }
}
