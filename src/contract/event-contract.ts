import { OptionError } from '../errors.ts'
import { optionsOf } from '../option-checks.ts'
import { ContractViolation } from './contract-error.ts'
import { whenDone } from './awaitable.ts'
import type { EventContent, EventKey, KeyRule } from './event.ts'
import { wholeNumber } from './option-checks.ts'
import type { CompiledSchema } from './schema/compiled-schema.ts'
import { compileSchema } from './schema/compile-schema.ts'
import type { EventSchema, SchemaInput, SchemaOutput } from './schema/event-schema.ts'
import { shown } from './schema/shown.ts'
import type { Upcasts } from './upcast.ts'
import { UpcastChain } from './upcast.ts'

export interface EventOptions<Type extends string, Schema extends EventSchema> {
  /** What the data must be: TypeBox, a JSON Schema, or any Standard Schema. */
  readonly data: Schema
  /** The version of `data`. A record that does not say one is of version 1. @defaultValue 1 */
  readonly version?: number
  /** The key of its records; the topic's `key` where this is absent. */
  readonly key?: (event: EventContent<Type, SchemaInput<Schema>>) => EventKey
  /** For each older version that can still be read, what makes the next one of it. */
  readonly upcast?: Upcasts<SchemaInput<Schema>>
  /** What the event means, for `describeTopics`. */
  readonly description?: string
  /** What `describeTopics` shows where the schema is a Standard Schema. */
  readonly jsonSchema?: object
}

declare const eventTypes: unique symbol

/** One type of event: its name, its schema with all versions that can be read, and its key. */
export class EventContract<Type extends string = string, Input = unknown, Output = Input> {
  /** For the type checker alone. */
  declare readonly [eventTypes]?: { readonly input: Input; readonly output: Output }
  readonly type: Type
  readonly version: number
  readonly description: string | undefined
  readonly #schema: CompiledSchema
  readonly #key: KeyRule | undefined
  readonly #upcasts: UpcastChain

  /** Use `defineEvent`. */
  constructor(type: Type, options: EventOptions<string, EventSchema>) {
    const name = `defineEvent('${type}')`
    this.type = type
    this.version = wholeNumber(options.version ?? 1, `${name}.version`, {
      min: 1,
      max: 2 ** 31 - 1,
    })
    this.description = options.description
    this.#schema = compileSchema(options.data, `${name}.data`, options.jsonSchema)
    this.#key = options.key
    this.#upcasts = new UpcastChain(options.upcast ?? {}, this.version, `${name}.upcast`)
  }

  /** The versions that can be read, oldest first. */
  get versions(): readonly number[] {
    return [...this.#upcasts.versions, this.version]
  }

  get hasKey(): boolean {
    return this.#key !== undefined
  }

  /** The source of its own rule for the key, for descriptions. */
  get keyRule(): string | undefined {
    return this.#key?.toString()
  }

  /** The JSON Schema of the newest version, where there is one to show. */
  get jsonSchema(): object | undefined {
    return this.#schema.jsonSchema
  }

  /** Whether a handler may get other data than was written. @internal */
  get transforms(): boolean {
    return this.#schema.transforms
  }

  /** The key of an event by its own rule, undefined where the topic's counts. @internal */
  keyOf(content: EventContent): EventKey | undefined {
    return this.#key?.(content)
  }

  /** Checks data of the newest version. @internal */
  check(data: unknown, path: string): unknown {
    return this.#schema.apply(data, path)
  }

  /** Makes data of any known version the newest one, and checks it. @internal */
  read(data: unknown, version: number, path: string): unknown {
    if (version === this.version) return this.#schema.apply(data, path)
    this.#checkVersion(version)
    const newest = this.#upcasts.apply(data, version, path)
    return whenDone(newest, (upcast) => this.#schema.apply(upcast, path))
  }

  #checkVersion(version: number): void {
    if (this.#upcasts.has(version)) return
    const known = this.versions.join(', ')
    const remedy =
      version > this.version
        ? 'it was written by a newer program: deploy readers first'
        : `add an upcast from version ${version}`
    throw new ContractViolation(
      'version-unknown',
      `is of version ${version} of ${this.type}; known here: ${known}; ${remedy}`,
    )
  }
}

const typeLengthMax = 200

/**
 * Declares a type of event.
 *
 * @example
 * const OrderCreated = defineEvent('ORDER_CREATED', {
 *   data: Type.Object({ orderId: Type.String(), totalAmount: Type.Number({ minimum: 0 }) }),
 *   key: ({ data }) => data.orderId,
 * })
 */
export function defineEvent<const Type extends string, const Schema extends EventSchema>(
  type: Type,
  options: EventOptions<Type, Schema>,
): EventContract<Type, SchemaInput<Schema>, SchemaOutput<Schema>> {
  if (typeof type !== 'string' || !/^[^\p{C}\p{Z}]+$/u.test(type) || type.length > typeLengthMax) {
    throw new OptionError(
      'defineEvent.type',
      `(${shown(type)}) must be 1 to ${typeLengthMax} characters without spaces`,
    )
  }
  optionsOf(options, `defineEvent(${shown(type)})`, eventOptionNames)
  return new EventContract(type, options as unknown as EventOptions<string, EventSchema>)
}

const eventOptionNames: readonly (keyof EventOptions<string, EventSchema>)[] = [
  'data',
  'version',
  'key',
  'upcast',
  'description',
  'jsonSchema',
]
