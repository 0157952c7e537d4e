import type { Property, PropertyType, PropertyValue } from './property.ts'

/** A value that was read, or what is wrong with it: a clause that goes on after its name. */
export type ParsedValue = { readonly value: PropertyValue } | { readonly problem: string }

const wholeNumber = /^[+-]?\d+$/
const decimalNumber = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/
const replicas = /^(?:\*|(?:\d+:\d+)(?:,\d+:\d+)*)?$/
const offsetReset =
  /^(?:earliest|latest|by_duration:P(?=[\dT])(?:\d+D)?(?:T(?=\d)(?:\d+H)?(?:\d+M)?(?:\d+(?:\.\d+)?S)?)?)$/

const clientMatchNames: readonly string[] = [
  'client_id',
  'client_instance_id',
  'client_software_name',
  'client_software_version',
  'client_source_address',
  'client_source_port',
]

const wholeNumberBits = { SHORT: 16, INT: 32, LONG: 64 } as const

/** Reads a value as it is written in Kafka's files and tools; blanks around it do not count. */
export function parseValue(property: Property, written: string): ParsedValue {
  const text = written.trim()
  switch (property.type) {
    case 'BOOLEAN':
      return parseFlag(text)
    case 'SHORT':
    case 'INT':
    case 'LONG':
      return parseWholeNumber(property, property.type, text)
    case 'DOUBLE':
      return decimalNumber.test(text)
        ? withinBounds(property, Number(text), 'a number')
        : { problem: `must be ${numberAllowed(property, 'a number')}` }
    case 'LIST':
      return parseList(property, text)
    default:
      return parseText(property, text)
  }
}

/** The value of a text that is known to be allowed. */
export function valueOf(property: Property, written: string): PropertyValue | null {
  const parsed = parseValue(property, written)
  return 'value' in parsed ? parsed.value : null
}

function parseFlag(text: string): ParsedValue {
  const lower = text.toLowerCase()
  if (lower !== 'true' && lower !== 'false') return { problem: 'must be true or false' }
  return { value: lower === 'true' }
}

function parseWholeNumber(
  property: Property,
  type: keyof typeof wholeNumberBits,
  text: string,
): ParsedValue {
  const bits = wholeNumberBits[type]
  const kind = `a whole number of ${bits} bits`
  if (!wholeNumber.test(text)) return { problem: `must be ${numberAllowed(property, kind)}` }
  const exact = BigInt(text)
  if (BigInt.asIntN(bits, exact) !== exact) {
    return { problem: `must be ${numberAllowed(property, kind)}` }
  }
  const safe = Math.min(Math.max(Number(exact), Number.MIN_SAFE_INTEGER), Number.MAX_SAFE_INTEGER)
  return withinBounds(property, safe, kind)
}

function withinBounds(property: Property, value: number, kind: string): ParsedValue {
  const { min = -Infinity, max = Infinity, also } = property
  if (value === also || (value >= min && value <= max)) return { value }
  return { problem: `must be ${numberAllowed(property, kind)}` }
}

function numberAllowed({ min, max, also }: Property, kind: string): string {
  const lower = min === undefined ? '' : max === undefined ? ` from ${min} on` : ` from ${min}`
  const upper = max === undefined ? '' : ` to ${max}`
  return `${kind}${lower}${upper}${also === undefined ? '' : `, or ${also}`}`
}

function parseList(property: Property, text: string): ParsedValue {
  const elements = splitList(text)
  if (property.empty === false && elements.length === 0) return { problem: 'must not be empty' }
  const { oneOf } = property
  if (oneOf !== undefined && !elements.every((element) => oneOf.includes(element))) {
    return { problem: `must be a list of ${oneOf.join(', ')}` }
  }
  if (property.format === 'replicas' && !replicas.test(elements.join())) {
    return { problem: 'must be * or a list of partition:broker' }
  }
  if (property.format === 'client-match' && !elements.every(isClientMatch)) {
    return { problem: `must be a list of name=pattern; names are ${clientMatchNames.join(', ')}` }
  }
  return { value: elements }
}

function isClientMatch(element: string): boolean {
  const equals = element.indexOf('=')
  if (equals === -1 || !clientMatchNames.includes(element.slice(0, equals).trim())) return false
  try {
    new RegExp(element.slice(equals + 1))
    return true
  } catch {
    return false
  }
}

/** The elements of a list as it is written: commas part them, blanks around them do not count. */
export function splitList(written: string): string[] {
  const text = written.trim()
  return text === '' ? [] : text.split(/\s*,\s*/)
}

function parseText(property: Property, text: string): ParsedValue {
  const { oneOf, ignoreCase } = property
  if (property.empty === false && text === '') return { problem: 'must not be empty' }
  if (property.format === 'offset-reset' && !offsetReset.test(text)) {
    return {
      problem: 'must be earliest, latest or by_duration: with a duration as ISO 8601 has it',
    }
  }
  if (oneOf === undefined) return { value: text }
  const compared = ignoreCase === true ? text.toUpperCase() : text
  if (oneOf.some((allowed) => (ignoreCase === true ? allowed.toUpperCase() : allowed) === compared))
    return { value: text }
  return { problem: `must be one of ${oneOf.join(', ')}` }
}

/**
 * A value in the one form in which Kafka describes it: without blanks, flags in lower case, numbers as
 * Java prints them. What cannot be read stays as it is.
 */
export function canonicalText(property: Property, written: string): string {
  const parsed = parseValue(property, written)
  if ('problem' in parsed) return written
  const { type } = property
  if (isWholeNumberType(type)) return BigInt(written.trim()).toString()
  if (typeof parsed.value === 'number') return javaDouble(parsed.value)
  return typeof parsed.value === 'object' ? parsed.value.join(',') : String(parsed.value)
}

function isWholeNumberType(type: PropertyType): boolean {
  return type in wholeNumberBits
}

/** A number as Java prints a double: always with a point, and an exponent far away from one. */
function javaDouble(value: number): string {
  const size = Math.abs(value)
  if (size === 0) return '0.0'
  if (size >= 1e-3 && size < 1e7) return Number.isInteger(value) ? `${value}.0` : String(value)
  const [digits = '', exponent = ''] = value.toExponential().split('e')
  return `${digits.includes('.') ? digits : `${digits}.0`}E${Number(exponent)}`
}
