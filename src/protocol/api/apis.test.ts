import { describe, expect, it } from 'vitest'
import { isMillraceError } from '../../errors.ts'
import { arbitraryMessage, seededDraw } from '../wire/fixture/arbitrary-message.ts'
import type { Draw } from '../wire/fixture/arbitrary-message.ts'
import type { Fields } from '../wire/field.ts'
import type { Message } from '../wire/message.ts'
import { apis } from './apis.ts'

interface VersionedMessage {
  readonly message: Message<Fields>
  readonly version: number
}

const all: VersionedMessage[] = apis.flatMap(({ request, response, versions }) => {
  const list: VersionedMessage[] = []
  for (let version = versions.first; version <= versions.last; version++) {
    list.push({ message: request, version }, { message: response, version })
  }
  return list
})

/** Overwrites, cuts, inserts or repeats bytes. */
function mutate(bytes: Buffer, draw: Draw): Buffer {
  const mutated = Buffer.from(bytes)
  const at = draw(Math.max(1, mutated.length))
  switch (draw(5)) {
    case 0:
      return mutated.subarray(0, at)
    case 1:
      return Buffer.concat([
        mutated.subarray(0, at),
        Buffer.from([draw(256)]),
        mutated.subarray(at),
      ])
    case 2:
      return Buffer.concat([mutated, mutated.subarray(at)])
    case 3:
      mutated.fill(
        [0xff, 0x7f, 0x80, 0][draw(4)] ?? 0,
        at,
        Math.min(mutated.length, at + 1 + draw(5)),
      )
      return mutated
    default:
      if (mutated.length > 0) mutated[at] = draw(256)
      return mutated
  }
}

describe('every api in every version', () => {
  it('is known once by its key', () => {
    const keys = apis.map((api) => api.key)
    expect(new Set(keys).size).toBe(keys.length)
    expect(keys).toEqual([...keys].sort((a, b) => a - b))
  })

  it('reads back what it has written, and writes the same bytes again', () => {
    for (const { message, version } of all) {
      for (let seed = 0; seed < 12; seed++) {
        const value = arbitraryMessage(message, version, seededDraw(seed))
        const bytes = message.encode(value, version)
        const decoded = message.decode(bytes, version)
        expect(decoded, `${message.name} v${version}, seed ${seed}`).toMatchObject(value)
        expect(message.encode(decoded, version).equals(bytes), `${message.name} v${version}`).toBe(
          true,
        )
      }
    }
  })

  it('answers spoilt bytes with a value or a ProtocolError, and nothing else', () => {
    const draw = seededDraw(7)
    let refused = 0
    for (const { message, version } of all) {
      for (let round = 0; round < 60; round++) {
        const bytes = mutate(
          message.encode(arbitraryMessage(message, version, draw), version),
          draw,
        )
        try {
          message.decode(bytes, version)
        } catch (error) {
          if (!isMillraceError(error, 'MILLRACE_PROTOCOL_INVALID')) throw error
          refused += 1
        }
      }
    }
    expect(refused).toBeGreaterThan(1000)
  })
})
