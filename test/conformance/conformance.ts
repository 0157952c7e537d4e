/**
 * Declares the suite's cases. A case says what Apache Kafka does; where an implementation is known
 * to differ, the table in `differences.ts` says why, and the case must fail there: a row that is
 * no longer true fails the run.
 */
import { afterAll, beforeAll, describe, inject, it } from 'vitest'
import { differences } from './differences.ts'
import {
  chosenImplementation,
  startImplementation,
  type Implementation,
  type ImplementationName,
} from './implementation.ts'
import { Port, type Addresses } from './port.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** Where the implementation listens, when it was started for all files together. */
    readonly conformanceAddresses: Addresses | undefined
  }
}

export type CaseBody = (port: Port) => Promise<void>

const caseTimeoutMs = 120_000

/** An area that needs the implementation to be set up in another way than the others do. */
interface ConformanceOptions {
  /** Undefined where the implementation cannot be had that way: the area is skipped. */
  readonly start: (name: ImplementationName) => Promise<Implementation | undefined>
}

/** Declares the cases of an area of behaviour; a name is what Kafka does. */
export function conformance(
  area: string,
  cases: Readonly<Record<string, CaseBody>>,
  options?: ConformanceOptions,
): void {
  const name = chosenImplementation()
  const known = differences[name] ?? {}
  // A cluster that is there already is not ours to set up.
  const declare = options !== undefined && name === 'attached' ? describe.skip : describe
  declare(`${name}: ${area}`, () => {
    let started: Implementation | undefined
    let addresses: Addresses | undefined =
      options === undefined ? inject('conformanceAddresses') : undefined

    beforeAll(async () => {
      if (addresses !== undefined) return
      started = await (options?.start ?? startImplementation)(name)
      addresses = started
    })
    afterAll(() => started?.[Symbol.asyncDispose]())

    for (const [caseName, body] of Object.entries(cases)) {
      const isKnown = known[caseName] !== undefined
      const test = isKnown ? it.concurrent.fails : it.concurrent
      // What must fail is not tried again because it has.
      test(caseName, { timeout: caseTimeoutMs, ...(isKnown && { retry: 0 }) }, async () => {
        await using port = new Port(addresses)
        await body(port)
      })
    }
  })
}
