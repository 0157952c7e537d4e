import { OptionError } from '../../errors.ts'
import type { Log } from '../../observe/index.ts'
import { shown } from '../../option-checks.ts'
import type { Clock } from '../../platform/index.ts'
import { FailureDecision } from '../failure/failure-policy.ts'
import type { Outcome, Step, Way } from '../outcome.ts'

/** What a step may need of the service that it works in. */
export interface StepParts {
  readonly clock: Clock
  readonly log: Log
}

/** Makes a step when the service starts, once for each consumer that it is used in. */
export interface StepMaker {
  readonly stepFor: (parts: StepParts) => Step
}

/** What `use` takes: a step, or what makes one. */
export type UserStep = Step | StepMaker

/** The steps that were given, which must be functions or makers of steps. */
export function checkSteps(given: readonly unknown[], option: string): readonly UserStep[] {
  for (const step of given) {
    if (typeof step === 'function') continue
    const maker = step as Partial<StepMaker> | null | undefined
    if (typeof maker?.stepFor === 'function') continue
    throw new OptionError(
      option,
      `(${shown(step)}) must be a step: (delivery, next) => next(delivery)`,
    )
  }
  return given as readonly UserStep[]
}

/**
 * A step that somebody else wrote. What it throws is a failure of the record. Mistakes that would lose records, or run a
 * key twice at once, stop the partition and say what is wrong: trying again would not help, and no record is to blame.
 */
export function guardedStep(given: UserStep, parts: StepParts): Step {
  const step = typeof given === 'function' ? given : given.stepFor(parts)
  const name = step.name === '' ? 'a step' : `the step ${step.name}`
  return (delivery, next) => {
    let isCalled = false
    let running: Promise<Outcome> | undefined
    const once: Way = () => {
      if (isCalled) throw defect(`${name} has called next twice`)
      isCalled = true
      const outcome = next(delivery)
      if (outcome instanceof Promise) {
        running = outcome
        const settled = () => {
          running = undefined
        }
        outcome.then(settled, settled)
      }
      return outcome
    }
    /** What has begun to run comes to its end first: its key stays closed until then. */
    const failed = (error: unknown) => afterwards(running, error)
    const answered = (answer: Outcome) =>
      running === undefined
        ? checked(answer, name)
        : afterwards(running, defect(`${name} has not waited for what next answered`))
    let outcome: unknown
    try {
      outcome = step(delivery, once)
    } catch (error) {
      return failed(error)
    }
    if (outcome === running && running !== undefined) return running
    if (isThenable(outcome)) return Promise.resolve(outcome).then(answered, failed)
    return answered(outcome as Outcome)
  }
}

/** Throws, but not before what runs has settled. */
function afterwards(running: Promise<unknown> | undefined, error: unknown): Promise<never> {
  if (running === undefined) throw error
  const end = () => {
    throw error
  }
  return running.then(end, end)
}

function checked(answer: unknown, name: string): Outcome {
  if (answer === undefined) return undefined
  const { skipped, postponedMs } = Object(answer) as { skipped?: unknown; postponedMs?: unknown }
  if (typeof skipped === 'string' || typeof postponedMs === 'number') return answer as Outcome
  const allowed = 'what next answers, nothing, or { skipped }'
  throw defect(`${name} has answered ${shown(answer)}; it must be ${allowed}`)
}

function defect(problem: string): FailureDecision {
  return new FailureDecision('stop', problem)
}

function isThenable(answer: unknown): answer is PromiseLike<Outcome> {
  return typeof (answer as { then?: unknown } | null | undefined)?.then === 'function'
}
