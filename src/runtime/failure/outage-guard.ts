import type { Clock, Random, Timer } from '../../platform/index.ts'

/** A record that waits for the outage to end, or to be the next that is tried. */
export interface Probe {
  /** Runs it; the guard hears by `ran` how it went. */
  run(): void
}

/** Where the guard finds records that have not run yet. */
export interface ProbeSource {
  /** Runs one record that never ran; answers false when there is none. */
  probe(): boolean
}

export interface OutageGuardParts {
  readonly clock: Clock
  readonly random: Random
  /** An outage that lasts for longer spares records no more: their failures count as attempts again. */
  readonly maxMs: number
  /** The guard has opened or closed: nothing starts by itself while it is open. */
  readonly changed: (isOpen: boolean) => void
}

/** The last runs that are looked at. */
const runsMax = 50
/** So many of them failed retriably. */
const failuresMin = runsMax / 2
/** And they were of so many different records. */
const recordsMin = 10
const pauseMsMin = 100
const pauseMsMax = 10_000
/** What is tried and does not come to its end for so long says nothing: others are tried beside it. */
const probeMsMax = 10_000

/**
 * Tells an outage from bad records: when at least half of the last runs failed retriably, and those of many
 * records, it is the world that is broken.
 *
 * - **closed**: everything runs; runs are counted.
 * - **open**: records that fail wait here, and one at a time is tried, with growing pauses between: those that failed,
 *   and records that never ran, in turn. No failure counts as an attempt. The first success closes it. One that hangs does
 *   not keep the others from being tried.
 */
export class OutageGuard {
  readonly #parts: OutageGuardParts
  readonly #sources = new Set<ProbeSource>()
  /** The record of each of the last runs that failed retriably; undefined for a run that did not. */
  #runs: (string | undefined)[] = []
  #runCount = 0
  /** Whether there was a record that never ran when one was looked for last. */
  #foundNew = true
  #isOpen = false
  #openedAtMs = 0
  /** How long it was open before it closed last, in all. */
  #openMs = 0
  #waiting: Probe[] = []
  #isProbing = false
  #pauses = 0
  #nextIsNew = false
  #timer: Timer | undefined
  /** Set while something is tried. */
  #probeTimer: Timer | undefined
  #isEnded = false

  constructor(parts: OutageGuardParts) {
    this.#parts = parts
  }

  get isOpen(): boolean {
    return this.#isOpen
  }

  /** The time during which it was open, up to now: other limits of time stand still meanwhile. */
  get openMs(): number {
    return this.#openMs + (this.#isOpen ? this.#parts.clock.elapsedMs() - this.#openedAtMs : 0)
  }

  addSource(source: ProbeSource): void {
    this.#sources.add(source)
  }

  removeSource(source: ProbeSource): void {
    this.#sources.delete(source)
  }

  succeeded(): void {
    if (this.#isOpen) this.#close()
    else this.#countOther()
  }

  /** A run has failed in a way that no outage explains: that says nothing about whether one is over. */
  failedForGood(): void {
    if (this.#isOpen) this.probeEnded()
    else this.#countOther()
  }

  /** A run has failed in a way that trying again may mend. Answers whether it counts as an attempt. */
  failed(record: string): boolean {
    if (this.#isOpen) return this.#sparesNobody
    this.#count(record)
    if (failuresIn(this.#runs) < failuresMin || recordsIn(this.#runs) < recordsMin) return true
    this.#open()
    return false
  }

  /** How many runs were looked at. */
  get runCount(): number {
    return this.#runCount
  }

  /**
   * A record is about to be given up that failed first when so many runs had been looked at: when most of what has run since
   * then failed too, the guard opens now. At the beginning of an outage, with what went well before still in mind, records
   * would have spent their attempts else.
   */
  opensSince(runCount: number): boolean {
    if (this.#isOpen) return !this.#sparesNobody
    const since = this.#runs.slice(-Math.max(1, this.#runCount - runCount))
    if (failuresIn(since) * 2 < since.length || recordsIn(since) < recordsMin) return false
    this.#open()
    return true
  }

  /**
   * Whether records are given up though it goes on: when it lasts too long, or when a few are left that fail, and none that
   * never ran: from these it cannot be told whether the world is broken or they are.
   */
  get #sparesNobody(): boolean {
    const lastsTooLong = this.#parts.clock.elapsedMs() - this.#openedAtMs >= this.#parts.maxMs
    return lastsTooLong || (!this.#foundNew && this.#waiting.length + 1 < recordsMin)
  }

  /** The record waits until it is tried, or the outage is over. */
  wait(probe: Probe): void {
    this.#waiting.push(probe)
  }

  /** The record does not wait any more. */
  forget(probe: Probe): void {
    this.#waiting = this.#waiting.filter((each) => each !== probe)
  }

  /** What was tried has failed, or will not run: the next one is tried after a pause. */
  probeEnded(): void {
    this.#setProbing(false)
    this.#pause()
  }

  end(): void {
    this.#isEnded = true
    this.#timer?.cancel()
    this.#setProbing(false)
  }

  #setProbing(isProbing: boolean): void {
    this.#probeTimer?.cancel()
    this.#probeTimer = undefined
    this.#isProbing = isProbing
    if (!isProbing || this.#isEnded) return
    this.#probeTimer = this.#parts.clock.setTimer(probeMsMax, () => this.probeEnded())
  }

  #countOther(): void {
    if (this.#runs.length > 0) this.#count(undefined)
  }

  #count(record: string | undefined): void {
    this.#runCount++
    this.#runs.push(record)
    if (this.#runs.length > runsMax) this.#runs.shift()
  }

  #open(): void {
    this.#isOpen = true
    this.#foundNew = true
    this.#openedAtMs = this.#parts.clock.elapsedMs()
    this.#pauses = 0
    this.#setProbing(false)
    this.#parts.changed(true)
    this.#pause()
  }

  #close(): void {
    this.#openMs = this.openMs
    this.#isOpen = false
    this.#runs = []
    this.#timer?.cancel()
    this.#timer = undefined
    const waiting = this.#waiting
    this.#waiting = []
    this.#setProbing(false)
    this.#parts.changed(false)
    for (const probe of waiting) probe.run()
  }

  /** The next is tried after a pause, with full jitter above half of it. */
  #pause(): void {
    if (!this.#isOpen || this.#isEnded || this.#timer !== undefined) return
    const longest = Math.min(pauseMsMin * 2 ** this.#pauses++, pauseMsMax)
    const pauseMs = longest / 2 + this.#parts.random.fraction() * (longest / 2)
    this.#timer = this.#parts.clock.setTimer(pauseMs, () => {
      this.#timer = undefined
      this.#try()
    })
  }

  #try(): void {
    if (!this.#isOpen || this.#isEnded || this.#isProbing) return
    this.#nextIsNew = !this.#nextIsNew
    if (this.#nextIsNew && this.#tryNew()) return
    const failed = this.#waiting.shift()
    if (failed !== undefined) {
      this.#setProbing(true)
      failed.run()
    } else if (!this.#tryNew()) {
      this.#pause()
    }
  }

  /** Tries a record that never ran, of the partition whose turn it is. */
  #tryNew(): boolean {
    this.#setProbing(true)
    // Of a copy: who goes to the end of the line would come round again, for ever if none has a record.
    this.#foundNew = [...this.#sources].some((source) => {
      this.#sources.delete(source)
      this.#sources.add(source)
      return source.probe()
    })
    if (!this.#foundNew) this.#setProbing(false)
    return this.#foundNew
  }
}

/** How many of the runs failed. */
function failuresIn(runs: readonly (string | undefined)[]): number {
  return runs.filter((run) => run !== undefined).length
}

/** How many different records failed. */
function recordsIn(runs: readonly (string | undefined)[]): number {
  return new Set(runs.filter((run) => run !== undefined)).size
}
