import { DecodeError } from '../../../src/contract/contract-error.ts'
import type { Log } from '../../../src/observe/index.ts'
import type { Platform } from '../../../src/platform/index.ts'
import type { Delivery } from '../../../src/runtime/delivery.ts'
import { FailureDecision } from '../../../src/runtime/failure/failure-policy.ts'
import type { Outcome } from '../../../src/runtime/outcome.ts'
import { kindIn } from './records.ts'
import type { RuntimeShape } from './shape.ts'
import type { Run, SeenRecord, Witness } from './witness.ts'

/** What handlers of a world have to do with. */
export interface HandlingOptions {
  readonly platform: Platform
  readonly log: Log
  readonly shape: RuntimeShape
  readonly witness: Witness
  /** A name of its own for each life of the process. */
  readonly life: string
  readonly isOutage: () => boolean
  /** Whether faults may still happen. */
  readonly isQuiet: () => boolean
  readonly die: () => void
}

/** How long a handler works, and whether it goes on though its signal has aborted. */
interface Work {
  readonly takesMs: number
  readonly isSlow: boolean
  readonly isStubborn: boolean
}

const honestMs = 1_000

/** Bad luck and outages end with the faults; what is slow answers late. */
export function workOf({ platform: { random }, shape, isQuiet }: HandlingOptions): Work {
  const isSlow = !isQuiet() && shape.slowOneIn > 0 && random.integer(shape.slowOneIn) === 0
  const isStubborn = isSlow && shape.isStubborn
  const takesMs = isSlow
    ? honestMs + random.integer(isStubborn ? 4_000 : 500)
    : random.integer(shape.longestMs)
  return { takesMs, isSlow, isStubborn }
}

export function seenIn({ record, partition, offset, attempt }: Delivery): SeenRecord {
  const key = record.key?.toString('latin1')
  return { partition, offset, key, kind: kindIn(record), attempt }
}

/** What is wrong with a record in this run; undefined when it goes well. */
export function failureOf(
  { platform: { random }, shape, isOutage }: HandlingOptions,
  { kind }: Run,
): Error | undefined {
  const isUnlucky = shape.failsOneIn > 0 && random.integer(shape.failsOneIn) === 0
  if (kind === 'malformed') return new DecodeError('invalid-json', 'cannot be read')
  if (isOutage() || isUnlucky || kind === 'bad') return new Error('it did not work')
  if (kind === 'refused') return new FailureDecision('deadLetter', 'it will never work')
  return undefined
}

/** Handles a record by itself, and tells the witness what it does. */
export function handle(options: HandlingOptions, delivery: Delivery): Outcome | Promise<Outcome> {
  const { platform, witness, life, die } = options
  const { clock, random } = platform
  // Of a process that is no more nothing is seen.
  clock.now()
  const work = workOf(options)
  const run = witness.started(life, seenIn(delivery), work.isStubborn)
  if (run.kind === 'killer') {
    die()
    return new Promise(() => undefined)
  }
  const failure = failureOf(options, run)
  const end = (): Outcome => {
    const outcome = run.kind === 'skipped' ? 'skipped' : 'done'
    witness.ended(run, failure === undefined ? outcome : 'failed')
    if (failure !== undefined) throw failure
    return outcome === 'skipped' ? { skipped: 'rule' } : undefined
  }
  if (!work.isSlow && random.integer(3) === 0) return end()
  const sleeps = work.isStubborn
    ? clock.sleep(work.takesMs)
    : clock.sleep(work.takesMs, delivery.signal).catch((error: unknown) => {
        witness.ended(run, 'aborted')
        throw error
      })
  return sleeps.then(end)
}
