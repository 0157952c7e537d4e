import { OptionError } from '../../errors.ts'

/** What tells the children of a family apart. Numbers, such as partitions, are written in decimal. */
export type Labels<Name extends string> = Readonly<Record<Name, string | number>>

/** The labels as an argument: a family without labels takes none. */
export type LabelsArgument<Name extends string> = [Name] extends [never]
  ? []
  : [labels: Labels<Name>]

/** Labels of one child: the values as they are exported, and the text that they make in an exposition. */
export interface LabelSet {
  readonly values: Readonly<Record<string, string>>
  /** Without braces. Equal exactly for equal values, so it also is the child's key. */
  readonly text: string
}

/**
 * Values come from outside (event types, error classes), and the number of children alone does not bound
 * what they hold.
 */
const valueLengthMax = 256

/** The value of all labels of the child that takes what has no room for a child of its own. */
const overflowValue = 'other'

/** Checks that there is one value for each name, and writes them down in the order of the names. */
export function labelSetOf(
  family: string,
  names: readonly string[],
  given: Readonly<Record<string, string | number>>,
): LabelSet {
  const values: Record<string, string> = {}
  for (const name of names) {
    const value = Object.hasOwn(given, name) ? given[name] : undefined
    if (typeof value !== 'string' && typeof value !== 'number') {
      throw new OptionError(`${family}.${name}`, `must be given, as a text or a number`)
    }
    values[name] = exportable(String(value))
  }
  const unknown = Object.keys(given).find((name) => !names.includes(name))
  if (unknown !== undefined) {
    const known = names.length === 0 ? 'it has none' : `it has ${names.join(', ')}`
    throw new OptionError(`${family}.${unknown}`, `is not a label of this metric; ${known}`)
  }
  return { values, text: labelText(names, values) }
}

/** The labels of the child that takes what has no room for a child of its own. */
export function overflowLabels(names: readonly string[]): LabelSet {
  const values = Object.fromEntries(names.map((name) => [name, overflowValue]))
  return { values, text: labelText(names, values) }
}

/**
 * Half of a surrogate pair has no form in UTF-8: encoded, two different values would become the same series
 * twice, and a scraper refuses the whole exposition. A zero byte ends the text for some of them.
 */
function exportable(value: string): string {
  return value.slice(0, valueLengthMax).replace(/[\0\p{Surrogate}]/gu, '\uFFFD')
}

function labelText(names: readonly string[], values: Readonly<Record<string, string>>): string {
  return names.map((name) => `${name}="${escapeLabelValue(values[name] ?? '')}"`).join(',')
}

/** The same in both formats. */
function escapeLabelValue(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
}
