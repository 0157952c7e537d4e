import type { Driver, DriverFeatures } from '../../driver/index.ts'
import { OptionError } from '../../errors.ts'
import { shown } from '../../option-checks.ts'
import type { Findings } from './findings.ts'

/** A promise of the runtime that a service can do without. */
export type DriverPromise = Exclude<keyof DriverFeatures, 'partitionPause' | 'transactions'>

/** What is lost without each. */
const losses: Readonly<Record<DriverPromise, string>> = {
  commitMetadata:
    'after a restart attempts are counted anew, records that ended above the frontier run again, and a record that kills the process is not found',
  awaitedRevocation: 'records run again when their partition moves while handlers run',
  exactReadCommitted: 'records of aborted transactions may be handled',
  idempotentWrites: 'what is published, and dead letters, may be there twice or out of order',
}

const promises = Object.keys(losses) as DriverPromise[]

/** Checks what a service says it does without. */
export function resolveDoWithout(given: unknown, option: string): ReadonlySet<DriverPromise> {
  if (given === undefined) return new Set()
  if (!Array.isArray(given)) {
    throw new OptionError(option, `(${shown(given)}) must be a list of promises`)
  }
  return new Set(
    given.map((each: unknown, index) => {
      const promise = promises.find((known) => known === each)
      if (promise !== undefined) return promise
      const allowed = promises.join(', ')
      throw new OptionError(`${option}[${index}]`, `(${shown(each)}) must be one of ${allowed}`)
    }),
  )
}

/** Refuses a driver for what it cannot promise, by name; what a service said it does without is logged. */
export function checkDriver(
  { name, features }: Pick<Driver, 'name' | 'features'>,
  doWithout: ReadonlySet<DriverPromise>,
  findings: Findings,
): void {
  if (!features.partitionPause) {
    findings.refuse(
      `the driver ${name} cannot pause single partitions (partitionPause), which nothing replaces: use another`,
    )
  }
  for (const promise of promises) {
    if (features[promise]) continue
    const lack = `the driver ${name} does not promise ${promise}: ${losses[promise]}`
    if (doWithout.has(promise)) findings.warn(lack)
    else findings.refuse(`${lack}; use another, or accept it with doWithout: ['${promise}']`)
  }
}
