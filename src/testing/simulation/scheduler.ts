import { SimulationError } from './simulation-error.ts'
import { EventQueue, type QueuedEvent } from './event-queue.ts'
import { mix32 } from './seeded-random.ts'
import type { Trace } from './trace.ts'

/** Who an event happens to. What happens to a paused owner waits; to a dead one it does not happen. */
export interface EventOwner {
  readonly id: number
  /** Runs `action` now, keeps it for later, or drops it. */
  perform(kind: string, action: () => void): void
}

export interface ScheduledEvent extends QueuedEvent {
  readonly kind: string
  readonly owner: EventOwner | undefined
  readonly action: () => void
}

export interface EventOptions {
  readonly owner?: EventOwner
  /** Events of one lane keep their order when they are ready at the same time. */
  readonly lane?: number
  /** After everything else that is ready at the same time. */
  readonly isDeferred?: boolean
}

/** Above this many events without time passing, something goes round in a circle. */
const eventsAtOneTimeMax = 1_000_000

/**
 * Virtual time: what happens next, and when. Time passes only between two events, at once, to the
 * time of the next.
 */
export class Scheduler {
  readonly trace: Trace
  readonly #queue = new EventQueue<ScheduledEvent>()
  readonly #shuffleSeed: number | undefined
  readonly #onEvent: ((event: ScheduledEvent) => void) | undefined
  #nowMs = 0
  #sequence = 0
  #eventCount = 0
  #eventsAtThisTime = 0

  constructor(
    trace: Trace,
    shuffleSeed: number | undefined,
    onEvent?: (event: ScheduledEvent) => void,
  ) {
    this.trace = trace
    this.#shuffleSeed = shuffleSeed
    this.#onEvent = onEvent
  }

  /** Virtual milliseconds since the start. */
  get nowMs(): number {
    return this.#nowMs
  }

  get eventCount(): number {
    return this.#eventCount
  }

  schedule(
    delayMs: number,
    kind: string,
    action: () => void,
    options: EventOptions = {},
  ): ScheduledEvent {
    if (Number.isNaN(delayMs)) throw new SimulationError(`the delay of ${kind} is not a number`)
    const timeMs = this.#nowMs + Math.max(0, delayMs)
    const event: ScheduledEvent = {
      timeMs,
      phase: options.isDeferred === true ? 1 : 0,
      rank: this.#rank(timeMs, options.lane ?? options.owner?.id ?? 0),
      sequence: (this.#sequence += 1),
      cancelled: false,
      kind,
      owner: options.owner,
      action,
    }
    this.#queue.push(event)
    return event
  }

  /** When the next event happens; undefined when there is none. */
  nextTimeMs(): number | undefined {
    return this.#queue.peek()?.timeMs
  }

  /** Makes the next event happen. Answers false when there is none. */
  step(): boolean {
    const event = this.#queue.pop()
    if (event === undefined) return false
    this.#passTime(event)
    this.#eventCount += 1
    this.trace.number(event.timeMs)
    this.trace.name(event.kind)
    this.trace.word(event.owner?.id ?? 0)
    this.#onEvent?.(event)
    if (event.owner === undefined) event.action()
    else event.owner.perform(event.kind, event.action)
    return true
  }

  /** Lets time pass without an event. */
  advanceTo(timeMs: number): void {
    this.#nowMs = Math.max(this.#nowMs, timeMs)
  }

  #passTime(event: ScheduledEvent): void {
    this.#eventsAtThisTime = event.timeMs > this.#nowMs ? 0 : this.#eventsAtThisTime + 1
    this.#nowMs = event.timeMs
    if (this.#eventsAtThisTime > eventsAtOneTimeMax) {
      throw new SimulationError(
        `${eventsAtOneTimeMax} events happened at ${this.#nowMs} ms without time passing, ` +
          `the last of kind ${event.kind}: something calls itself again and again`,
      )
    }
  }

  /** The same for all events of a lane at a time: they keep their order, the lanes change places. */
  #rank(timeMs: number, lane: number): number {
    if (this.#shuffleSeed === undefined) return 0
    return mix32(this.#shuffleSeed ^ mix32(lane ^ mix32(Math.floor(timeMs * 1024))))
  }
}
