import type { Log } from '../observe/index.ts'
import type { Clock, Timer } from '../platform/index.ts'
import type { PartitionRun } from './partition-run.ts'

/** A partition that waits for less is at work: its window fills and empties. */
const patienceMs = 5_000

/** Says of each record that holds up its partition which one it is: once, when it has done so for a while. */
export class WaitingPartitions {
  readonly #clock: Clock
  readonly #log: Log
  readonly #timers = new Map<PartitionRun, Timer>()
  /** By partition: the record that was said last. */
  readonly #said = new WeakMap<PartitionRun, number>()

  constructor(clock: Clock, log: Log) {
    this.#clock = clock
    this.#log = log
  }

  /** Nothing more of the partition starts until its oldest open record ends, or fewer of its records fail. */
  waits(run: PartitionRun): void {
    const offset = run.ledger.frontier
    if (this.#timers.has(run) || this.#said.get(run) === offset) return
    const look = () => {
      this.#timers.delete(run)
      if (!run.isBlocked) return
      if (run.ledger.frontier === offset) this.#say(run, offset)
      else this.waits(run)
    }
    this.#timers.set(run, this.#clock.setTimer(patienceMs, look))
  }

  /** The partition is not ours any more. */
  forget(run: PartitionRun): void {
    this.#timers.get(run)?.cancel()
    this.#timers.delete(run)
  }

  #say(run: PartitionRun, offset: number): void {
    this.#said.set(run, offset)
    const { topic, partition, ledger } = run
    const key = run.keyAt(offset)
    this.#log('warn', 'a partition waits for its oldest open record', {
      ...{ topic, partition, offset, attempts: ledger.attempts(offset) },
      ...{ window: ledger.window, failing: ledger.failingCount },
      ...(key !== undefined && { key }),
    })
  }
}
