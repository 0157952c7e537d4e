import type { Refusal } from '../refusal.ts'
import { refuse } from '../refusal.ts'
import { findProperty } from './property.ts'
import type { PropertyTable } from './property.ts'
import { splitList } from './property-value.ts'

type Settings = ReadonlyMap<string, string>

/** What IncrementalAlterConfigs can do to a property, by its codes. */
const operations = ['set', 'delete', 'append', 'subtract'] as const

/** One change of IncrementalAlterConfigs (KIP-339). */
export interface ConfigChange {
  readonly name: string
  readonly operation: number
  readonly value: string | null
}

/** The settings with the changes applied; they are not validated. */
export function changeSettings(
  table: PropertyTable,
  current: Settings,
  changes: readonly ConfigChange[],
): Settings | Refusal {
  const repeated = firstRepeated(changes.map(({ name }) => name))
  if (repeated !== undefined) return refuse('INVALID_REQUEST', `${repeated} is named twice`)
  const next = new Map(current)
  for (const change of changes) {
    const wrong = applyChange(table, next, change)
    if (wrong !== undefined) return wrong
  }
  return next
}

function applyChange(
  table: PropertyTable,
  next: Map<string, string>,
  { name, operation, value }: ConfigChange,
): Refusal | undefined {
  const verb = operations[operation]
  if (verb === undefined) {
    const allowed = operations.map((known, code) => `${code} (${known})`).join(', ')
    return refuse('INVALID_REQUEST', `operation (${operation}) of ${name} must be ${allowed}`)
  }
  if (verb === 'delete') {
    next.delete(name)
    return undefined
  }
  if (value === null) return refuseNull(name)
  if (verb === 'set') {
    next.set(name, value)
    return undefined
  }
  const property = findProperty(table, name)
  if (property?.type !== 'LIST') {
    return refuse('INVALID_CONFIG', `${name} is not a list: nothing can be added or taken away`)
  }
  const elements = splitList(next.get(name) ?? property.default ?? '')
  const named = splitList(value)
  const changed =
    verb === 'append'
      ? [...elements, ...new Set(named.filter((element) => !elements.includes(element)))]
      : elements.filter((element) => !named.includes(element))
  next.set(name, changed.join(','))
  return undefined
}

/** The settings that AlterConfigs asks for: all that is not named goes. */
export function replaceSettings(
  configs: readonly { readonly name: string; readonly value: string | null }[],
): Settings | Refusal {
  const repeated = firstRepeated(configs.map(({ name }) => name))
  if (repeated !== undefined) return refuse('INVALID_REQUEST', `${repeated} is named twice`)
  const next = new Map<string, string>()
  for (const { name, value } of configs) {
    if (value === null) return refuseNull(name)
    next.set(name, value)
  }
  return next
}

function refuseNull(name: string): Refusal {
  return refuse('INVALID_REQUEST', `${name} must have a value: null is none`)
}

function firstRepeated(names: readonly string[]): string | undefined {
  return names.find((name, index) => names.indexOf(name) !== index)
}
