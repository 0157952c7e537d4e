import { brokerProperties } from './broker-properties.ts'
import { brokerDocumentation } from './documentation/broker.ts'
import { findProperty } from './property.ts'
import type { PropertyTable } from './property.ts'
import { reservedProblem } from './reserved-properties.ts'

const withoutEffect = 'Kept, and without effect in the embedded broker.'

type Texts = Readonly<Record<string, string>>

/** What a property says, and whether it is obeyed here; null for a property that nobody knows. */
export function documentationOf(name: string, texts: Texts, table: PropertyTable): string | null {
  const property = findProperty(table, name)
  const text = texts[name]
  if (property === undefined || text === undefined) return null
  return property.obeyed === true ? text : `${text} ${withoutEffect}`
}

/** The same for a broker, some of whose properties cannot be given. */
export function brokerDocumentationOf(name: string): string | null {
  const reserved = reservedProblem(name)
  const text = documentationOf(name, brokerDocumentation, brokerProperties)
  if (reserved === undefined || text === null) return text
  return text.replace(withoutEffect, `In the embedded broker it ${reserved}.`)
}
