import { DecodeError } from '../../contract/index.ts'
import type { Clock, Random } from '../../platform/index.ts'
import type { Delivery } from '../delivery.ts'
import type { Ending } from '../outcome.ts'
import { actionFor } from './failure-policy.ts'
import type { FailureAction, FailureRule } from './failure-policy.ts'
import type { OutageGuard } from './outage-guard.ts'

/** How often, and for how long, a record is tried. */
export interface RetryOptions {
  readonly attempts: number
  readonly delayMs: number
  readonly delayMsMax: number
  /** No attempt starts so long after the first one failed; none that runs is ended by it. */
  readonly withinMs: number
}

/** The partition of a record that failed. */
export interface FailingPartition {
  /** Aborts when the partition is being given up: no further attempt starts here. */
  readonly leaving: AbortSignal
  /** Aborts when it is given up: nothing more is done about the record here. */
  readonly gone: AbortSignal
  /** One more attempt has failed: answers how many there were, and they are committed soon. */
  countFailure(delivery: Delivery): number
  /** Resolves when the attempts that were counted are committed. */
  acknowledged(): Promise<void>
  /** Nothing new of the partition starts until it is let go. */
  hold(reason: string): void
  letGo(): void
  /** Nothing of the partition starts until an operator tells it to go on. */
  stop(reason: string, error: unknown): void
}

/** Puts away what cannot be handled. */
export interface LetterBox {
  /**
   * Resolves when the letter is acknowledged, or the broker will never take it; rejects when the partition is given up
   * before.
   */
  write(
    delivery: Delivery,
    error: unknown,
    partition: FailingPartition,
  ): Promise<'written' | 'too-large'>
}

/** Lets records be tried again later that their attempts in place were not enough for. */
export interface CopyBox {
  /**
   * Resolves when the copy is acknowledged, or there is nowhere left to try it; rejects when the partition is given up
   * before.
   */
  forward(
    delivery: Delivery,
    error: unknown,
    partition: FailingPartition,
  ): Promise<'forwarded' | 'spent'>
}

export interface FailuresParts {
  readonly clock: Clock
  readonly random: Random
  readonly rules: readonly FailureRule[]
  readonly retry: RetryOptions
  readonly guard: OutageGuard
  /** Undefined where there are no dead letters: what cannot be handled stops its partition. */
  readonly letters: LetterBox | undefined
  /** Undefined where records are tried in place alone. */
  readonly copies: CopyBox | undefined
  readonly failed: (delivery: Delivery, error: unknown, action: FailureAction) => void
}

/** The processes that ran this record died: it goes to the poison topic without being run. */
export class CondemnedError extends Error {
  override readonly name: string = 'CondemnedError'

  constructor(delivery: Delivery) {
    super(`three processes in a row died while they ran ${delivery.toString()}`)
  }
}

/** What becomes of a record that failed: it runs again, it has ended, its partition stands, or was given up. */
export type Resolution = Ending | 'again' | 'stopped' | 'gone'

/** A record that has failed here before. */
interface History {
  readonly firstFailureMs: number
  /** The guard's `openMs` at that time. */
  readonly openMs: number
  /** How many runs the guard had seen before. */
  readonly firstRun: number
}

/** Decides and does what is to be done about records whose run failed. */
export class Failures {
  readonly #parts: FailuresParts
  readonly #histories = new WeakMap<Delivery, History>()

  constructor(parts: FailuresParts) {
    this.#parts = parts
  }

  /** Resolves when it is decided what becomes of the record, and that is done. */
  async resolve(
    delivery: Delivery,
    partition: FailingPartition,
    error: unknown,
  ): Promise<Resolution> {
    const { guard, rules } = this.#parts
    const action = error instanceof DecodeError ? 'deadLetter' : actionFor(rules, error, delivery)
    this.#parts.failed(delivery, error, action)
    // A record that cannot be read has not run: it says nothing about the world.
    if (error instanceof DecodeError) guard.probeEnded()
    else if (action !== 'retry') guard.failedForGood()
    try {
      switch (action) {
        case 'skip':
          return 'skipped'
        case 'stop':
          partition.stop('its handler says stop', error)
          return 'stopped'
        case 'deadLetter':
          return await this.#putAway(delivery, partition, error)
        case 'retry':
          return await this.#again(delivery, partition, error)
      }
    } catch (failure) {
      if (partition.leaving.aborted) return 'gone'
      throw failure
    }
  }

  /** A record that is not run any more, because nobody has survived it. */
  async condemn(delivery: Delivery, partition: FailingPartition): Promise<Resolution> {
    try {
      return await this.#putAway(delivery, partition, new CondemnedError(delivery))
    } catch (failure) {
      if (partition.leaving.aborted) return 'gone'
      partition.stop('a record that nobody survives could not be put away', failure)
      return 'stopped'
    }
  }

  async #putAway(
    delivery: Delivery,
    partition: FailingPartition,
    error: unknown,
  ): Promise<Resolution> {
    const { letters } = this.#parts
    if (letters === undefined) {
      partition.stop('it has a record that cannot be handled, and no dead-letter topic', error)
      return 'stopped'
    }
    const outcome = await letters.write(delivery, error, partition)
    if (outcome === 'written') return 'dead-lettered'
    partition.stop('a dead letter is larger than its topic allows (max.message.bytes)', error)
    return 'stopped'
  }

  async #again(
    delivery: Delivery,
    partition: FailingPartition,
    error: unknown,
  ): Promise<Resolution> {
    const { clock, guard, retry } = this.#parts
    const history = this.#history(delivery)
    if (guard.failed(recordOf(delivery))) {
      const attempts = partition.countFailure(delivery)
      const openMs = guard.openMs - history.openMs
      const longestMs = Math.min(retry.delayMs * 2 ** (attempts - 1), retry.delayMsMax)
      const pauseMs = longestMs * this.#parts.random.fraction()
      const nextMs = clock.elapsedMs() - history.firstFailureMs - openMs + pauseMs
      const isSpent = attempts >= retry.attempts || nextMs >= retry.withinMs
      if (isSpent && !guard.opensSince(history.firstRun)) {
        return this.#giveOn(delivery, partition, error)
      }
      // The count is durable before the next attempt: no crash makes a record's attempts start anew.
      await Promise.all([partition.acknowledged(), clock.sleep(pauseMs, partition.leaving)])
    }
    if (guard.isOpen) {
      guard.probeEnded()
      await this.#turn(partition.leaving)
    }
    return 'again'
  }

  /** Its attempts here are spent: it is tried elsewhere, as long as there is a place. */
  async #giveOn(
    delivery: Delivery,
    partition: FailingPartition,
    error: unknown,
  ): Promise<Resolution> {
    const outcome = await this.#parts.copies?.forward(delivery, error, partition)
    if (outcome === 'forwarded') return 'forwarded'
    return this.#putAway(delivery, partition, error)
  }

  #history(delivery: Delivery): History {
    const known = this.#histories.get(delivery)
    if (known !== undefined) return known
    const { clock, guard } = this.#parts
    const { openMs, runCount: firstRun } = guard
    const history = { firstFailureMs: clock.elapsedMs(), openMs, firstRun }
    this.#histories.set(delivery, history)
    return history
  }

  /** Resolves when the outage is over, or it is the record's turn to be tried. */
  #turn(leaving: AbortSignal): Promise<void> {
    const { guard } = this.#parts
    return new Promise((resolve, reject) => {
      const probe = {
        run: () => {
          leaving.removeEventListener('abort', leave)
          resolve()
        },
      }
      const leave = () => {
        guard.forget(probe)
        reject(leaving.reason as Error)
      }
      guard.wait(probe)
      if (leaving.aborted) leave()
      else leaving.addEventListener('abort', leave, { once: true })
    })
  }
}

/** The same for all copies of a record: few bad ones that are tried in several topics are no outage. */
function recordOf(delivery: Delivery): string {
  const { copy } = delivery
  return copy === undefined
    ? delivery.toString()
    : `${copy.topic}-${copy.partition} at offset ${copy.offset}`
}
