import type { Simulation } from '../simulation/simulation.ts'
import { SimulationError } from '../simulation/simulation-error.ts'

interface Waiter {
  readonly isMet: () => boolean
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/** One simulation can run at a time in a thread: worlds of tests that run beside each other take turns. */
let lastRun: Promise<void> = Promise.resolve()

/**
 * Lets a world run while somebody waits for something in it, however many do; otherwise it rests, and no time passes.
 *
 * resting ⇄ running; **ended** from both: nobody waits any more, and nobody can.
 */
export class Pump {
  readonly #simulation: Simulation
  readonly #waiting = new Set<Waiter>()
  #isRunning = false
  #isEnded = false

  constructor(simulation: Simulation) {
    this.#simulation = simulation
  }

  /** Runs the world until the condition holds; it is asked between two events. */
  until(isMet: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const fail: (error: unknown) => void = reject
      if (this.#isEnded) throw ended()
      this.#waiting.add({ isMet, resolve, reject: fail })
      this.#start()
    })
  }

  /** Runs the world until so much of its time has passed. */
  async pass(durationMs: number): Promise<void> {
    let isOver = false
    const timer = this.#simulation.after(durationMs, () => {
      isOver = true
    })
    try {
      await this.until(() => isOver)
    } finally {
      timer.cancel()
    }
  }

  /** Runs the world until what `act` has begun in it has come to its end. */
  async during<Result>(act: () => Promise<Result>): Promise<Result> {
    let isSettled = false
    const result = act().finally(() => {
      isSettled = true
    })
    // Who waits for the world hears first when it has failed.
    result.catch(() => undefined)
    await this.until(() => isSettled)
    return result
  }

  /** Nothing runs any more; who still waits is told. */
  async end(): Promise<void> {
    this.#isEnded = true
    this.#rejectAll(ended())
    await lastRun
  }

  #start(): void {
    if (this.#isRunning) return
    this.#isRunning = true
    lastRun = lastRun.then(() => this.#run())
  }

  async #run(): Promise<void> {
    try {
      await this.#simulation.runUntil(() => this.#release(), { withinMs: Infinity })
    } catch (error) {
      this.#rejectAll(error)
    }
    this.#isRunning = false
    if (this.#waiting.size > 0) this.#start()
  }

  /** Lets those go on whose condition holds. Answers whether nobody waits. */
  #release(): boolean {
    for (const waiter of this.#waiting) {
      if (!waiter.isMet()) continue
      this.#waiting.delete(waiter)
      waiter.resolve()
    }
    return this.#waiting.size === 0
  }

  #rejectAll(error: unknown): void {
    for (const { reject } of this.#waiting) reject(error)
    this.#waiting.clear()
  }
}

function ended(): SimulationError {
  return new SimulationError('the world has ended: nothing runs in it any more')
}
