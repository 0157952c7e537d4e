import { isUtf8 } from 'node:buffer'
import secureJson from 'secure-json-parse'
import { ContractViolation } from '../contract-error.ts'
import { oneLine, shown } from '../schema/shown.ts'
import type { Codec, ContractLimits, DecodeContext, EncodeContext } from './codec.ts'
import { needsScan, scanJson } from './json-scan.ts'

/** JSON, guarded. */
export const jsonCodec: Codec = {
  contentType: 'application/json',
  isJson: true,
  encode: (value: unknown, { limits }: EncodeContext) => writeJson(value, limits),
  decode: (bytes: Buffer, { limits }: DecodeContext) => readJson(bytes, limits),
}

/** The value that JSON bytes stand for; throws a `ContractViolation` when the guard refuses them. */
export function readJson(bytes: Buffer, limits: ContractLimits): unknown {
  const text = bytes.toString('utf8')
  // Only then may something have been replaced; a text of single-byte characters is not even searched.
  if (text.includes('\ufffd') && !isUtf8(bytes)) {
    throw new ContractViolation('invalid-utf8', 'the value is not valid UTF-8')
  }
  const value = parse(text)
  if (needsScan(text, limits)) scanJson(text, limits)
  return value
}

function parse(text: string): unknown {
  try {
    return mayHaveForbiddenKey(text) ? secureJson.parse(text) : JSON.parse(text)
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    if (message.includes('forbidden prototype')) {
      throw new ContractViolation(
        'forbidden-key',
        "has a key '__proto__' or 'constructor.prototype'",
      )
    }
    const [, position] = /position (\d+)/.exec(message) ?? []
    const where = position === undefined ? '' : ` at position ${position}`
    throw new ContractViolation('invalid-json', `is not JSON${where}`, {
      path: 'value',
      shown: shown(text),
    })
  }
}

/**
 * Whether a key may be one that reaches the prototype of objects: `__proto__`, or `constructor` with
 * `prototype`. An escape may hide it, and a byte order mark is taken by the guarded parser alone.
 */
function mayHaveForbiddenKey(text: string): boolean {
  return (
    text.includes('__') ||
    text.includes('\\u') ||
    text.charCodeAt(0) === 0xfeff ||
    (text.includes('uctor') && text.includes('prototype'))
  )
}

/** JSON that `readJson` takes back as it is; throws a `ContractViolation` when there is none. */
function writeJson(value: unknown, limits: ContractLimits): string {
  return checkedJson(stringify(value), limits)
}

/** Text that is JSON, unless `readJson` would refuse it. */
export function checkedJson(text: string, limits: ContractLimits): string {
  if (needsScan(text, limits)) scanJson(text, limits)
  if (mayHaveForbiddenKey(text)) parse(text)
  return text
}

/** The JSON of a value, unguarded. */
export function stringify(value: unknown): string {
  let detail = 'there is no value'
  try {
    const text = JSON.stringify(value) as string | undefined
    if (text !== undefined) return text
  } catch (error) {
    detail = error instanceof Error ? oneLine(error.message) : 'it is not serializable'
  }
  throw new ContractViolation('not-encodable', 'cannot be written as JSON', {
    path: 'data',
    detail,
  })
}
