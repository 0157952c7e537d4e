import type { Log, RuntimeMetrics } from '../../observe/index.ts'
import type { Clock, Random } from '../../platform/index.ts'
import type { Claim, ClaimAnswer, DedupeStore, MaybeAsync } from '../../store/index.ts'
import type { Delivery } from '../delivery.ts'
import type { LatestTime } from '../latest-time.ts'
import type { Outcome, Postponed, Skip, Step, Way } from '../outcome.ts'
import { EventIdentities, idWithFingerprint } from './event-identity.ts'
import { fingerprintOf } from './fingerprint.ts'
import { HeldClaims } from './held-claims.ts'
import { SparseLog } from '../sparse-log.ts'

/** How a consumer recognises events that it has done. */
export interface DedupeSettings {
  /** Undefined: in memory, of this consumer alone. */
  readonly store: DedupeStore | undefined
  /** How many events the memory remembers. */
  readonly idsMax: number
  /** How long a claim lasts that nobody renews: so long an event waits whose process was killed. */
  readonly claimMs: number
  /** How long a store remembers what is done. */
  readonly rememberMs: number
  /** How long a store may take to answer, and how long it is tried to tell it that an event is done. */
  readonly storeTimeoutMs: number
  /** What is done with events while the store does not answer. */
  readonly whenUnavailable: 'wait' | 'run'
}

export type DedupeMetrics = Pick<
  RuntimeMetrics,
  'dedupeHits' | 'dedupeBusy' | 'dedupeConflicts' | 'dedupeConfirmFailures' | 'droppedClaims'
>

export interface DedupeParts {
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly time: Pick<LatestTime, 'passes'>
  readonly groupId: string
  readonly store: DedupeStore
  readonly settings: DedupeSettings
  readonly metrics: DedupeMetrics
  /** Whether an event is done only when a commit says so: what it sends is part of that. */
  readonly isExactlyOnce: boolean
}

/** A claim on an event that is to be run; why it is not run; or nothing, when it runs without a claim. */
export type Admission = Claim | Skip | Postponed | undefined

const duplicate: Skip = { skipped: 'duplicate' }
const ownerBytes = 16
const pauseMsMin = 10
const pauseMsMax = 1_000

/**
 * Runs each event once, as far as its store remembers.
 *
 * An event is claimed before it runs. What is done is skipped; what somebody else is doing is postponed until it is
 * known what became of it. The claim is renewed while the handler runs, confirmed when the event is done, and
 * released when it is not: by a failure, by a rule, because its time was over or its partition was given up.
 *
 * With a store that answers at once, this does too. With the memory of its consumer it claims no record that the ledger of its
 * partition tells from others as well, and no claim expires: who holds one is alive.
 */
export class Dedupe {
  readonly #parts: DedupeParts
  readonly #identities: EventIdentities
  readonly #held: HeldClaims
  readonly #log: SparseLog
  readonly #owner: string
  readonly #isInMemory: boolean
  readonly #claimMs: number
  #generation = 0
  /** How often a record was postponed in a row. */
  readonly #postponed = new WeakMap<Delivery, number>()

  constructor(parts: DedupeParts) {
    const { clock, random, log, groupId, store, settings } = parts
    this.#parts = parts
    this.#identities = new EventIdentities(groupId)
    this.#log = new SparseLog(log, clock)
    this.#isInMemory = settings.store === undefined
    this.#claimMs = this.#isInMemory ? Infinity : settings.claimMs
    this.#owner = Buffer.from(random.bytes(ownerBytes)).toString('base64url')
    this.#held = new HeldClaims({
      clock,
      store,
      claimMs: settings.claimMs,
      lost: ({ id }) => {
        const what = 'an event was claimed by somebody else while its handler ran: it may run twice'
        this.#log.say('warn', what, { eventId: id })
      },
      failed: (error) =>
        this.#log.say('warn', 'claims on events could not be renewed', { error: messageOf(error) }),
    })
  }

  /** Runs what comes after it once an event. */
  get step(): Step {
    return (delivery, next) => {
      const admission = this.admit(delivery)
      return admission instanceof Promise
        ? this.#goLater(admission, delivery, next)
        : this.#go(admission, delivery, next)
    }
  }

  async #goLater(admission: Promise<Admission>, delivery: Delivery, next: Way): Promise<Outcome> {
    return this.#go(await admission, delivery, next)
  }

  /** Claims the event of a record. A claim has to be confirmed or released, and held for as long as its handler runs. */
  admit(delivery: Delivery): MaybeAsync<Admission> {
    if (delivery.decoded?.kind === 'unhandled') return undefined
    if (this.#isInMemory && this.#identities.isKnownToLedger(delivery)) return undefined
    const id = this.#identities.idOf(delivery)
    // A fingerprint takes the longer the larger the value is.
    this.#parts.time.passes()
    return this.#claim(this.#newClaim(delivery, id), delivery, false)
  }

  /** The handler runs for longer than a call: its claim is renewed. */
  hold(claim: Claim): void {
    if (!this.#isInMemory) this.#held.hold(claim)
  }

  letGo(claim: Claim): void {
    if (!this.#isInMemory) this.#held.letGo(claim)
  }

  /** The event is done. It is whether or not the store can be told. */
  confirm(claim: Claim, delivery: Delivery): MaybeAsync<void> {
    const { store, settings } = this.#parts
    try {
      const answer = store.confirm(claim, settings.rememberMs)
      if (answer instanceof Promise) return this.#confirmUntil(answer, claim, delivery)
      if (!answer) this.#notConfirmed(delivery, claimIsLost)
    } catch (error) {
      const failed = Promise.resolve().then(() => {
        throw error
      })
      return this.#confirmUntil(failed, claim, delivery)
    }
  }

  /** The event is not done: whoever sees it next runs it. */
  release(claim: Claim, delivery: Delivery): MaybeAsync<void> {
    const { store, metrics, settings, clock } = this.#parts
    if (delivery.isGivenUp) metrics.droppedClaims.with(this.#labels(delivery)).add(1)
    try {
      const released = store.release(claim)
      if (!(released instanceof Promise)) return
      return within(released, clock, settings.storeTimeoutMs).catch((error: unknown) => {
        this.#notReleased(error)
      })
    } catch (error) {
      this.#notReleased(error)
    }
  }

  // ── Before the handler ──

  #newClaim({ topic, record }: Delivery, id: string): Claim {
    return {
      scope: this.#identities.scopeOf(topic),
      id,
      owner: this.#owner,
      generation: ++this.#generation,
      fingerprint: fingerprintOf(record.value),
    }
  }

  #claim(claim: Claim, delivery: Delivery, isConflict: boolean): MaybeAsync<Admission> {
    let answer: MaybeAsync<ClaimAnswer>
    try {
      answer = this.#parts.store.claim(claim, this.#claimMs)
    } catch (error) {
      return this.#unavailable(delivery, error)
    }
    return answer instanceof Promise
      ? this.#claimLater(answer, claim, delivery, isConflict)
      : this.#answered(answer, claim, delivery, isConflict)
  }

  async #claimLater(
    asked: Promise<ClaimAnswer>,
    claim: Claim,
    delivery: Delivery,
    isConflict: boolean,
  ): Promise<Admission> {
    const { clock, settings } = this.#parts
    let answer: ClaimAnswer
    try {
      answer = await delivery.beforeStart((signal) =>
        within(asked, clock, settings.storeTimeoutMs, signal),
      )
    } catch (error) {
      // It may have been claimed all the same, now or later: nobody has to wait until that expires.
      const giveBack = () => this.release(claim, delivery)
      asked.then(giveBack, giveBack)
      if (delivery.wasDropped) throw error
      return this.#unavailable(delivery, error)
    }
    return this.#answered(answer, claim, delivery, isConflict)
  }

  #answered(
    answer: ClaimAnswer,
    claim: Claim,
    delivery: Delivery,
    isConflict: boolean,
  ): MaybeAsync<Admission> {
    if (answer.state === 'new') {
      if (isConflict) this.#conflicts(delivery)
      return claim
    }
    if (answer.fingerprint !== claim.fingerprint && !isConflict) {
      // Another event with the same id: it is claimed, and recognised when it comes again, by its bytes too.
      const id = idWithFingerprint(claim.id, claim.fingerprint)
      return this.#claim(this.#newClaim(delivery, id), delivery, true)
    }
    const { dedupeHits, dedupeBusy } = this.#parts.metrics
    if (answer.state === 'done') {
      dedupeHits.with(this.#labels(delivery)).add(1)
      return duplicate
    }
    if (!this.#postponed.has(delivery)) dedupeBusy.with(this.#labels(delivery)).add(1)
    return this.#postpone(delivery)
  }

  /** The same id with other bytes is no duplicate, and must not be lost as one. */
  #conflicts(delivery: Delivery): void {
    this.#parts.metrics.dedupeConflicts.with(this.#labels(delivery)).add(1)
    const what = 'an event has the id of another one with other bytes: both are run'
    this.#log.say('warn', what, fieldsOf(delivery))
  }

  #unavailable(delivery: Delivery, error: unknown): Admission {
    const isRun = this.#parts.settings.whenUnavailable === 'run'
    const what = isRun
      ? 'the store of dedupe does not answer: events run unasked, and duplicates run too'
      : 'the store of dedupe does not answer: events wait for it'
    this.#log.say('error', what, { ...fieldsOf(delivery), error: messageOf(error) })
    return isRun ? undefined : this.#postpone(delivery)
  }

  /** It is asked again, after pauses that grow. */
  #postpone(delivery: Delivery): Postponed {
    const times = this.#postponed.get(delivery) ?? 0
    this.#postponed.set(delivery, times + 1)
    const longestMs = Math.min(pauseMsMin * 2 ** times, pauseMsMax)
    return { postponedMs: longestMs * (0.5 + this.#parts.random.fraction() / 2) }
  }

  // ── Around the handler ──

  #go(admission: Admission, delivery: Delivery, next: Way): Outcome | Promise<Outcome> {
    if (admission === undefined) return next(delivery)
    return 'owner' in admission ? this.#run(admission, delivery, next) : admission
  }

  #run(claim: Claim, delivery: Delivery, next: Way): Outcome | Promise<Outcome> {
    let outcome: Outcome | Promise<Outcome>
    try {
      outcome = next(delivery)
    } catch (error) {
      const released = this.release(claim, delivery)
      if (released === undefined) throw error
      return released.then(() => {
        throw error
      })
    }
    if (outcome instanceof Promise) {
      if (!this.#isInMemory) return this.#runLater(outcome, claim, delivery)
      delivery.afterwards((hasFailed, answer) => {
        void (hasFailed ? this.release(claim, delivery) : this.#tell(answer, claim, delivery))
      })
      return outcome
    }
    const told = this.#tell(outcome, claim, delivery)
    return told === undefined ? outcome : told.then(() => outcome)
  }

  async #runLater(running: Promise<Outcome>, claim: Claim, delivery: Delivery): Promise<Outcome> {
    this.hold(claim)
    try {
      const outcome = await running
      const told = this.#tell(outcome, claim, delivery)
      if (told !== undefined) await told
      if (!this.#isToldLater(outcome, delivery)) this.letGo(claim)
      return outcome
    } catch (error) {
      await this.release(claim, delivery)
      this.letGo(claim)
      throw error
    }
  }

  /** Under exactly-once an event is done when a commit says so. */
  #isToldLater(outcome: Outcome, delivery: Delivery): boolean {
    return this.#parts.isExactlyOnce && isDone(outcome, delivery)
  }

  /** Tells the store what became of an event when a commit says that it is done, or none ever will. */
  #tellLater(claim: Claim, delivery: Delivery): void {
    this.hold(claim)
    delivery.whenDurable((isCommitted) => {
      this.letGo(claim)
      void (isCommitted ? this.confirm(claim, delivery) : this.release(claim, delivery))
    })
  }

  /** Tells the store what became of an event. A handler that came to its end too late has done nothing that counts. */
  #tell(outcome: Outcome, claim: Claim, delivery: Delivery): void | Promise<void> {
    if (this.#isToldLater(outcome, delivery)) {
      this.#tellLater(claim, delivery)
      return
    }
    return isDone(outcome, delivery) ? this.confirm(claim, delivery) : this.release(claim, delivery)
  }

  /** Tells the store again and again that an event is done, but not for ever: the record has ended in any case. */
  async #confirmUntil(first: Promise<boolean>, claim: Claim, delivery: Delivery): Promise<void> {
    const { clock, store, settings } = this.#parts
    const untilMs = clock.elapsedMs() + settings.storeTimeoutMs
    let answer = first
    for (let pauseMs = pauseMsMin; ; pauseMs = Math.min(2 * pauseMs, pauseMsMax)) {
      try {
        if (!(await within(answer, clock, untilMs - clock.elapsedMs()))) {
          this.#notConfirmed(delivery, claimIsLost)
        }
        return
      } catch (error) {
        if (clock.elapsedMs() + pauseMs >= untilMs) {
          this.#notConfirmed(delivery, messageOf(error))
          return
        }
      }
      await clock.sleep(pauseMs)
      answer = Promise.resolve().then(() => store.confirm(claim, settings.rememberMs))
    }
  }

  #notConfirmed(delivery: Delivery, error: string): void {
    this.#parts.metrics.dedupeConfirmFailures.with(this.#labels(delivery)).add(1)
    const what =
      'an event is done, but the store of dedupe does not know: a duplicate of it would run'
    this.#log.say('warn', what, { ...fieldsOf(delivery), error })
  }

  #notReleased(error: unknown): void {
    const what = 'a claim on an event could not be released: it expires'
    this.#log.say('warn', what, { error: messageOf(error) })
  }

  #labels({ topic }: Delivery): { group: string; topic: string } {
    return { group: this.#parts.groupId, topic }
  }
}

/** A handler that came to its end too late has done nothing that counts, but for what a batch handler says is done. */
function isDone(outcome: Outcome, delivery: Delivery): boolean {
  return outcome === undefined && (!delivery.isAborted || delivery.batch !== undefined)
}

const claimIsLost = 'its claim is not held any more'

function fieldsOf({ topic, partition, offset, decoded }: Delivery) {
  const eventId = decoded?.kind === 'event' ? decoded.id : undefined
  return { topic, partition, offset, ...(eventId !== undefined && { eventId }) }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** What a store answers, unless that takes too long, or nobody waits for it any more. */
function within<Value>(
  asked: Promise<Value>,
  clock: Clock,
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<Value> {
  return new Promise((resolve, reject) => {
    const end = () => {
      timer.cancel()
      signal?.removeEventListener('abort', stop)
    }
    const fail = (reason: Error) => {
      end()
      reject(reason)
    }
    const stop = () => fail(signal?.reason as Error)
    const timer = clock.setTimer(timeoutMs, () => {
      fail(new Error(`no answer for ${Math.round(timeoutMs)} ms`))
    })
    signal?.addEventListener('abort', stop, { once: true })
    asked.then((value) => {
      end()
      resolve(value)
    }, fail)
  })
}
