import { crc32cDataStart, crc32cTableCount } from './crc32c-module.ts'

/*
 * Makes the WebAssembly module of `crc32c-module.ts`, instruction by instruction. It is kept there
 * as bytes, because making them costs a process more at its start than compiling them; a test
 * compares the two, and says what to paste when the code here was changed.
 *
 * The module exports `memory` and `update(crc, end) -> crc`, which folds the bytes of memory from
 * `crc32cDataStart` up to `end` into `crc` (not inverted, before or after). Before the data lie
 * sixteen tables of 256 words: word `b` of table `n` is the remainder of byte `b` followed by `n`
 * zero bytes. With them sixteen bytes take sixteen look-ups that do not wait for one another
 * ("slicing by 16"), where one table would take sixteen that do.
 */

const tableBytes = 256 * 4
const pageBytes = 65_536

// The instructions used, as in the binary format of the WebAssembly core specification, chapter 5.
const block = 0x02
const loop = 0x03
const noResult = 0x40
const end = 0x0b
const branch = (depth: number): number[] => [0x0c, depth]
const branchIf = (depth: number): number[] => [0x0d, depth]
const getLocal = (local: number): number[] => [0x20, local]
const setLocal = (local: number): number[] => [0x21, local]
const loadWord = (offset: number): number[] => [0x28, 2, ...unsigned(offset)]
const loadByte = (offset: number): number[] => [0x2d, 0, ...unsigned(offset)]
const constant = (value: number): number[] => [0x41, ...signed(value)]
const greaterUnsigned = 0x4b
const greaterOrEqualUnsigned = 0x4f
const add = 0x6a
const and = 0x71
const xor = 0x73
const shiftLeft = 0x74
const shiftRightUnsigned = 0x76
const typeInt32 = 0x7f
const typeFunction = 0x60

function unsigned(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >>> 7)]
}

function signed(value: number): number[] {
  const rest = value >> 7
  const low = value & 0x7f
  const isLast = (rest === 0 && (low & 0x40) === 0) || (rest === -1 && (low & 0x40) !== 0)
  return isLast ? [low] : [low | 0x80, ...signed(rest)]
}

// The locals of `update`.
const crc = 0
const dataEnd = 1
const position = 2
const words = [3, 4, 5, 6]

/** Pushes the entry of `table` for byte `byteOfWord` of the word in `local`. */
function lookUp(local: number, byteOfWord: number, table: number): number[] {
  // The index is wanted times four, so bits 8n..8n+7 are moved to bits 2..9, not 0..7.
  const moved =
    byteOfWord === 0
      ? [...constant(2), shiftLeft]
      : [...constant(8 * byteOfWord - 2), shiftRightUnsigned]
  return [...getLocal(local), ...moved, ...constant(0x3fc), and, ...loadWord(table * tableBytes)]
}

function foldSixteenBytes(): number[] {
  const code: number[] = []
  for (const [index, word] of words.entries()) {
    code.push(...getLocal(position), ...loadWord(index * 4))
    if (index === 0) code.push(...getLocal(crc), xor)
    code.push(...setLocal(word))
  }
  let table = crc32cTableCount - 1
  for (const word of words) {
    for (let byte = 0; byte < 4; byte++, table--) {
      code.push(...lookUp(word, byte, table))
      if (table < crc32cTableCount - 1) code.push(xor)
    }
  }
  return [...code, ...setLocal(crc), ...advance(16)]
}

function foldOneByte(): number[] {
  const mixed = [...getLocal(position), ...loadByte(0), ...getLocal(crc), xor]
  const entry = [...mixed, ...constant(0xff), and, ...constant(2), shiftLeft, ...loadWord(0)]
  const rest = [...getLocal(crc), ...constant(8), shiftRightUnsigned]
  return [...entry, ...rest, xor, ...setLocal(crc), ...advance(1)]
}

function advance(bytes: number): number[] {
  return [...getLocal(position), ...constant(bytes), add, ...setLocal(position)]
}

/** `while (!stop) body`. */
function repeatUntil(stop: number[], body: number[]): number[] {
  return [block, noResult, loop, noResult, ...stop, ...branchIf(1), ...body, ...branch(0), end, end]
}

function updateBody(): number[] {
  const fewerThanSixteenLeft = [
    ...[...getLocal(position), ...constant(16), add],
    ...[...getLocal(dataEnd), greaterUnsigned],
  ]
  const noneLeft = [...getLocal(position), ...getLocal(dataEnd), greaterOrEqualUnsigned]
  return [
    ...[1, 1 + words.length, typeInt32], // one group of locals: `position` and the words
    ...[...constant(crc32cDataStart), ...setLocal(position)],
    ...repeatUntil(fewerThanSixteenLeft, foldSixteenBytes()),
    ...repeatUntil(noneLeft, foldOneByte()),
    ...[...getLocal(crc), end],
  ]
}

function section(id: number, content: number[]): number[] {
  return [id, ...unsigned(content.length), ...content]
}

function name(text: string): number[] {
  return [text.length, ...Buffer.from(text, 'latin1')]
}

/** The module's bytes, with room for `dataBytesMax` bytes of data in its memory. */
export function assembleCrc32cModule(dataBytesMax: number): Uint8Array {
  const pages = Math.ceil((crc32cDataStart + dataBytesMax) / pageBytes)
  const body = updateBody()
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0], // "\0asm", version 1
    ...section(1, [1, typeFunction, 2, typeInt32, typeInt32, 1, typeInt32]), // types
    ...section(3, [1, 0]), // functions: one, of type 0
    ...section(5, [1, 0, ...unsigned(pages)]), // memories: one
    ...section(7, [2, ...name('memory'), 2, 0, ...name('update'), 0, 0]), // exports
    ...section(10, [1, ...unsigned(body.length), ...body]), // code
  ])
}
