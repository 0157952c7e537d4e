import type { Field, Fields, WireType } from './field.ts'
import type { Message } from './message.ts'
import { includes, versionRange } from './versions.ts'

/** Answers a whole number from 0 up to, not including, `bound`. */
export type Draw = (bound: number) => number

/** A small generator of numbers for tests (mulberry32): the same seed draws the same numbers. */
export function seededDraw(seed: number): Draw {
  let state = seed >>> 0
  return (bound) => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) % bound
  }
}

/** Draws a value of a message: what the version carries is arbitrary, the rest is left out. */
export function arbitraryMessage(
  message: Message<Fields>,
  version: number,
  draw: Draw,
): Record<string, unknown> {
  return arbitraryStruct(message.fields, version, draw)
}

function arbitraryStruct(fields: Fields, version: number, draw: Draw): Record<string, unknown> {
  const value: Record<string, unknown> = {}
  for (const [name, field] of Object.entries(fields)) {
    if (includes(versionRange(field.versions), version)) {
      value[name] = arbitraryField(field, version, draw)
    }
  }
  return value
}

function arbitraryField(field: Field<unknown, boolean>, version: number, draw: Draw): unknown {
  const nullable = includes(versionRange(field.options.nullable), version)
  if (nullable && draw(4) === 0) return null
  return arbitraryValue(field.type, version, draw)
}

const texts = ['', 'orders', 'größer', '💧', 'x'.repeat(200)]

function arbitraryValue(type: WireType, version: number, draw: Draw): unknown {
  const signed = (bits: number) => {
    const edge = [0, -1, 1, 2 ** (bits - 1) - 1, -(2 ** (bits - 1))]
    const chosen = draw(edge.length + 1)
    return edge[chosen] ?? draw(100)
  }
  switch (type.kind) {
    case 'array':
      return Array.from({ length: draw(3) }, () => arbitraryValue(type.element, version, draw))
    case 'struct':
      return arbitraryStruct(type.fields, version, draw)
    case 'bool':
      return draw(2) === 1
    case 'int8':
      return signed(8)
    case 'int16':
      return signed(16)
    case 'uint16':
      return draw(0x1_0000)
    case 'int32':
      return signed(32)
    case 'int64':
      return [Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER, signed(32), signed(32)][draw(4)]
    case 'float64':
      return draw(1000) / 7
    case 'string':
      return texts[draw(texts.length)]
    case 'bytes':
    case 'records':
      return Buffer.alloc(draw(3) === 0 ? 1500 : draw(20), draw(256))
    case 'uuid':
      return Buffer.from(Array.from({ length: 16 }, () => draw(256))).toString('base64url')
  }
}
