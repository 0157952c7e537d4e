import {
  crc32cDataBytes,
  crc32cDataStart,
  crc32cModule,
  crc32cTableCount,
} from './crc32c-module.ts'

/** The two parts of the standard `WebAssembly` object used here; the types of Node lack it. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object
  readonly Instance: new (module: object) => { readonly exports: unknown }
}

/** The Castagnoli polynomial, its highest power in the lowest bit. */
const polynomial = 0x82f63b78

/** Below this many bytes the call into WebAssembly costs more than it saves. */
const smallBytes = 24

interface Summer {
  /** Where the bytes to be summed go. */
  readonly data: Uint8Array
  readonly update: (remainder: number, end: number) => number
}

let byteTable: Uint32Array | undefined
let summer: Summer | undefined

/** The CRC-32C (Castagnoli) of `bytes`, from 0 to 2^32 - 1. */
export function crc32c(bytes: Uint8Array): number {
  return crc32cUpdate(0, bytes)
}

/** The CRC-32C of what gave `crc`, followed by `bytes`. Start with 0. */
export function crc32cUpdate(crc: number, bytes: Uint8Array): number {
  if (bytes.length < smallBytes) return ~foldBytes(~crc, bytes) >>> 0
  const { data, update } = (summer ??= makeSummer())
  if (bytes.length <= crc32cDataBytes) {
    data.set(bytes)
    return ~update(~crc, crc32cDataStart + bytes.length) >>> 0
  }
  let remainder = ~crc
  // The chunks are small enough for a copy to be in the nearest cache when it is summed.
  for (let start = 0; start < bytes.length; start += crc32cDataBytes) {
    const chunk = bytes.subarray(start, start + crc32cDataBytes)
    data.set(chunk)
    remainder = update(remainder, crc32cDataStart + chunk.length)
  }
  return ~remainder >>> 0
}

function foldBytes(remainder: number, bytes: Uint8Array): number {
  const table = (byteTable ??= makeTables(1))
  for (let index = 0; index < bytes.length; index++) {
    const byte = (remainder ^ (bytes[index] as number)) & 0xff
    remainder = (table[byte] as number) ^ (remainder >>> 8)
  }
  return remainder
}

function makeSummer(): Summer {
  const module = new WebAssembly.Module(Buffer.from(crc32cModule, 'base64'))
  const { memory, update } = new WebAssembly.Instance(module).exports as {
    memory: { readonly buffer: ArrayBuffer }
    update: Summer['update']
  }
  new Uint32Array(memory.buffer).set(makeTables(crc32cTableCount))
  return { data: new Uint8Array(memory.buffer, crc32cDataStart, crc32cDataBytes), update }
}

/** Word `256 * n + b` is the remainder of byte `b` followed by `n` zero bytes. */
function makeTables(count: number): Uint32Array {
  const tables = new Uint32Array(count * 256)
  // The remainder is linear: that of a byte is the sum of those of its bits.
  let remainder = 1
  for (let bit = 128; bit > 0; bit >>>= 1) {
    remainder = remainder & 1 ? (remainder >>> 1) ^ polynomial : remainder >>> 1
    for (let byte = bit; byte < 256; byte += 2 * bit) {
      tables[byte] = (tables[byte - bit] as number) ^ remainder
    }
  }
  for (let entry = 256; entry < tables.length; entry++) {
    const shorter = tables[entry - 256] as number
    tables[entry] = (shorter >>> 8) ^ (tables[shorter & 0xff] as number)
  }
  return tables
}
