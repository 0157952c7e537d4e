import { beforeAll, describe, expect, it } from 'vitest'
import { prepareCompression } from '../compression/index.ts'
import { mutate, seededFractions } from '../compression/fixture/fuzz.ts'
import { fuzzAppend, fuzzRead } from './fixture/fuzz.ts'
import { goldenBatches } from './golden/golden-batches.ts'
import { crc32c } from './index.ts'

beforeAll(async () => {
  await prepareCompression('zstd')
})

describe('anything that is not a batch', () => {
  const inputs = Object.values(goldenBatches).map((text) => Buffer.from(text, 'base64'))

  it('is read to its first fault, and no further', () => {
    const random = seededFractions(17)
    let read = 0
    for (let round = 0; round < 2000; round++) {
      const input = inputs[round % inputs.length] ?? Buffer.alloc(0)
      read += fuzzRead(mutate(input, random))
    }
    expect(read).toBeGreaterThan(1000)
  })

  it('is appended and compacted only if it passed the checks', () => {
    const random = seededFractions(19)
    let appended = 0
    for (let round = 0; round < 2000; round++) {
      const input = inputs[round % inputs.length] ?? Buffer.alloc(0)
      const mutated = round < inputs.length ? Buffer.from(input) : mutate(input, random)
      if (mutated.length > 61) {
        // Past the length and the CRC, which would stop nearly all of them.
        mutated.fill(0, 0, 8)
        mutated.writeInt32BE(mutated.length - 12, 8)
        mutated.writeUInt32BE(crc32c(mutated.subarray(21)), 17)
      }
      if (fuzzAppend(mutated)) appended++
    }
    expect(appended).toBeGreaterThan(100)
  })
})
