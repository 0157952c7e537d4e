import type { StateKey } from '../../store/index.ts'
import { freshBytes } from '../../fresh-bytes.ts'
import { StateError } from '../state/state-error.ts'
import { measuredAt, nameEnd, orderedNumber, orderedNumberAt } from '../state/state-key.ts'

/** How results are kept: as JSON, of a version. */
export interface ResultForm<Result> {
  /** Of the operator. */
  readonly name: string
  readonly version: number
  /** Reads what an older version has kept. */
  readonly upgrade: ((kept: unknown, version: number) => Result) | undefined
}

/** A result as it lies in the state. */
export interface KeptResult<Result> {
  /** Of its window; 0 without any. */
  readonly end: number
  readonly isClosed: boolean
  readonly value: Result
}

const format = 1
const headBytes = 11

export function writtenResult<Result>(
  { name, version }: ResultForm<Result>,
  { end, isClosed, value }: KeptResult<Result>,
): Buffer {
  const text = JSON.stringify(value) as string | undefined
  if (text === undefined) throw new Error(`'${name}' came to nothing that JSON can hold`)
  const bytes = freshBytes(headBytes + Buffer.byteLength(text))
  bytes[0] = format
  bytes[1] = isClosed ? 1 : 0
  bytes.writeUInt16BE(version, 2)
  bytes.write(orderedNumber(end), 4, 'latin1')
  bytes.write(text, headBytes)
  return bytes
}

export function keptResultIn<Result>(bytes: Buffer, form: ResultForm<Result>): KeptResult<Result> {
  if (bytes[0] !== format) {
    throw new StateError(`the state of '${form.name}' has format ${bytes[0]}, of a newer version`)
  }
  const kept = parsed(bytes.toString('utf8', headBytes), form.name)
  const version = bytes.readUInt16BE(2)
  return {
    end: orderedNumberAt(bytes.toString('latin1', 4, headBytes), 0),
    isClosed: bytes[1] === 1,
    value: version === form.version ? (kept as Result) : upgraded(kept, version, form),
  }
}

function parsed(text: string, name: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch (error) {
    throw new StateError(`the state of '${name}' has a result that is no JSON`, error)
  }
}

function upgraded<Result>(
  kept: unknown,
  version: number,
  { name, version: own, upgrade }: ResultForm<Result>,
): Result {
  if (upgrade !== undefined && version < own) {
    try {
      return upgrade(kept, version)
    } catch (error) {
      throw new StateError(
        `what '${name}' has kept of version ${version} could not be upgraded`,
        error,
      )
    }
  }
  throw new StateError(
    `the state of '${name}' has version ${version}, and this is ${own}: say how to read it by upgrade`,
  )
}

/** The key and the start of the window in an entry's key. */
export function placeIn(
  entry: StateKey,
  name: string,
): { readonly key: StateKey; readonly start: number } {
  const at = name.length + nameEnd.length
  const key = measuredAt(entry, at)
  const startAt = at + 2 + key.length
  return { key, start: startAt < entry.length ? orderedNumberAt(entry, startAt) : 0 }
}
