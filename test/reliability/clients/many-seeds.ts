import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { replayClients } from './client-simulation.ts'
import { Tally } from './exercised.ts'
import type { Exercised } from './exercised.ts'
import type { SeedOutcome } from './seed-worker.ts'

export interface ManySeedsOptions {
  readonly firstSeed: number
  readonly seedCount: number
  /** Processes that run seeds beside each other. What a seed does, does not depend on it. */
  readonly workers: number
  readonly say: (text: string) => void
}

/** A seed that takes longer is taken for one that never ends. */
const seedMsMax = 120_000
const progressEveryMs = 15_000

/**
 * Runs seeds of the world of clients in processes of their own, and says what they have been put through.
 * Answers how many have failed; each of them is said with its replay.
 */
export class ManySeeds {
  readonly #options: ManySeedsOptions
  readonly #tally = new Tally()
  readonly #startedMs = performance.now()
  #nextSeed: number
  #doneCount = 0
  #failedCount = 0
  #virtualMs = 0
  #memoryMiB = 0

  constructor(options: ManySeedsOptions) {
    this.#options = options
    this.#nextSeed = options.firstSeed
  }

  async run(): Promise<number> {
    const { workers, seedCount, say } = this.#options
    const progress = setInterval(() => say(this.#progress()), progressEveryMs)
    const count = Math.min(workers, seedCount)
    await Promise.all(Array.from({ length: count }, () => this.#runWorker()))
    clearInterval(progress)
    say(this.#summary())
    return this.#failedCount
  }

  /** One worker after the other, should they die, until no seed is left. */
  async #runWorker(): Promise<void> {
    for (let child: ChildProcess | undefined; ;) {
      const seed = this.#takeSeed()
      if (seed === undefined) {
        child?.disconnect()
        return
      }
      child ??= fork(new URL('../main.ts', import.meta.url), ['seed-worker'])
      const outcome = await outcomeOf(child, seed)
      this.#took(outcome)
      if (child.exitCode !== null || child.signalCode !== null) child = undefined
    }
  }

  #takeSeed(): number | undefined {
    const { firstSeed, seedCount } = this.#options
    if (this.#nextSeed >= firstSeed + seedCount) return undefined
    this.#nextSeed += 1
    return this.#nextSeed - 1
  }

  #took(outcome: SeedOutcome): void {
    this.#doneCount += 1
    if ('failure' in outcome) {
      this.#failedCount += 1
      this.#options.say(`seed ${outcome.seed} FAILED\n${outcome.failure}`)
      if (!outcome.failure.includes('replay:')) {
        this.#options.say(`replay: ${replayClients(outcome.seed)}`)
      }
      return
    }
    this.#tally.add(outcome.exercised)
    this.#virtualMs += outcome.virtualMs
    this.#memoryMiB = Math.max(this.#memoryMiB, outcome.memoryMiB)
  }

  #progress(): string {
    const { seedCount } = this.#options
    const realMs = performance.now() - this.#startedMs
    const leftMs = (realMs / Math.max(1, this.#doneCount)) * (seedCount - this.#doneCount)
    return `${this.#doneCount} of ${seedCount} seeds, ${this.#failedCount} failed, ${minutes(leftMs)} to go`
  }

  #summary(): string {
    const { firstSeed, seedCount, workers } = this.#options
    const realMs = performance.now() - this.#startedMs
    const secondsEach = ((realMs / 1000) * workers) / seedCount
    return [
      `${seedCount} seeds from ${firstSeed} on, ${this.#failedCount} violations`,
      `${minutes(realMs)} with ${workers} ${workers === 1 ? 'process' : 'processes'}, ${secondsEach.toFixed(2)} s a seed; ` +
        `${minutes(this.#virtualMs)} of virtual time; ${this.#memoryMiB} MiB at most`,
      ...tableOf(this.#tally.all),
    ].join('\n')
  }
}

/** Of a seed that a worker is given; one that ends the worker, or never ends, has failed. */
function outcomeOf(child: ChildProcess, seed: number): Promise<SeedOutcome> {
  return new Promise((resolve) => {
    const end = (outcome: SeedOutcome) => {
      clearTimeout(timer)
      child.off('message', heard)
      child.off('exit', died)
      resolve(outcome)
    }
    const heard = (message: unknown) => end(message as SeedOutcome)
    const died = () => end({ seed, failure: `seed ${seed} has ended the process that ran it` })
    const timer = setTimeout(() => {
      child.off('exit', died)
      child.once('exit', () => end({ seed, failure: `seed ${seed} does not end` }))
      child.kill('SIGKILL')
    }, seedMsMax)
    child.on('message', heard)
    child.on('exit', died)
    child.send(seed)
  })
}

function tableOf(exercised: Exercised): string[] {
  return Object.entries(exercised).map(([group, names]) => {
    const counts = Object.entries(names).map(([name, times]) => `${name} ${times}`)
    return `  ${group}: ${counts.join(' · ')}`
  })
}

function minutes(ms: number): string {
  return ms < 120_000 ? `${(ms / 1000).toFixed(0)} s` : `${(ms / 60_000).toFixed(0)} min`
}
