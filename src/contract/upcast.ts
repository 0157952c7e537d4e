import { OptionError } from '../errors.ts'
import type { Awaitable } from './awaitable.ts'
import { whenDone } from './awaitable.ts'
import { ContractViolation } from './contract-error.ts'
import type { CompiledSchema } from './schema/compiled-schema.ts'
import { anything } from './schema/compiled-schema.ts'
import { compileSchema } from './schema/compile-schema.ts'
import type { EventSchema, SchemaOutput } from './schema/event-schema.ts'
import { oneLine } from './schema/shown.ts'

/** How data of one version becomes data of the next: a function, or one with the schema of its input. */
export type Upcast<Next = unknown> =
  ((data: never) => Next) | { readonly data: EventSchema; readonly to: (data: never) => Next }

/** An older version with its schema, so that `to` has types. */
export function upcastFrom<const Schema extends EventSchema, Next>(
  data: Schema,
  to: (data: SchemaOutput<Schema>) => Next,
): { readonly data: Schema; readonly to: (data: never) => Next } {
  return { data, to }
}

/** By older version, what makes the next version of it. The last one makes what the newest schema takes. */
export type Upcasts<Newest = unknown> = Readonly<Record<number, Upcast<Newest | object>>>

interface Step {
  readonly schema: CompiledSchema
  readonly to: (data: never) => unknown
}

/** The way from any older version that is known to the newest one, a version at a time. */
export class UpcastChain {
  /** Oldest first, without a gap up to the newest version. */
  readonly versions: readonly number[]
  readonly #steps = new Map<number, Step>()

  constructor(upcasts: Upcasts, newest: number, option: string) {
    this.versions = Object.keys(upcasts)
      .map(Number)
      .sort((a, b) => a - b)
    this.versions.forEach((version, index) => {
      const expected = newest - this.versions.length + index
      if (version !== expected || version < 1) {
        throw new OptionError(option, problemOf(this.versions, newest))
      }
      this.#steps.set(version, stepOf(upcasts[version], `${option}[${version}]`))
    })
  }

  has(version: number): boolean {
    return this.#steps.has(version)
  }

  /** Data of the newest version; `version` must be known. What older schemas say is checked on the way. */
  apply(data: unknown, version: number, path: string): Awaitable<unknown> {
    const step = this.#steps.get(version)
    if (step === undefined) return data
    return whenDone(step.schema.apply(data, path), (checked) =>
      this.apply(upcast(step, checked, version), version + 1, path),
    )
  }
}

function problemOf(versions: readonly number[], newest: number): string {
  return (
    `has versions ${versions.join(', ')}; they must lead without a gap to version ${newest}` +
    ` (the last one is ${newest - 1})`
  )
}

function stepOf(given: Upcast | undefined, option: string): Step {
  if (typeof given === 'function') return { schema: anything, to: given }
  if (typeof given === 'object' && typeof given.to === 'function') {
    return { schema: compileSchema(given.data, `${option}.data`), to: given.to }
  }
  throw new OptionError(option, 'must be a function or { data, to }')
}

function upcast({ to }: Step, data: unknown, version: number): unknown {
  try {
    return to(data as never)
  } catch (cause) {
    const detail = cause instanceof Error ? oneLine(cause.message) : oneLine(String(cause))
    throw new ContractViolation('upcast-failed', `the upcast from version ${version} failed`, {
      detail,
      cause,
    })
  }
}
