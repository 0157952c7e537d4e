/** Record batches as Java clients compress them, through a broker and back. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { conformance, type CaseBody } from './conformance.ts'
import { expectError } from './expectation.ts'
import { fetch, listOffset, produce } from './steps.ts'

interface GoldenBatch {
  readonly attributes: number
  readonly content: string
}

const codecNames = ['none', 'gzip', 'snappy', 'lz4', 'zstd']
const codecMask = 7
const zstd = 4
const recordCountAt = 57
const producerIdAt = 43
const checksumAt = 17

/** The recorded batches are older than any retention. */
const recorded = { 'retention.ms': '-1' }

const golden = readFileSync(join(import.meta.dirname, '..', 'golden', 'batches.jsonl'), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as GoldenBatch)
  .filter(({ attributes }) => attributes <= zstd)
  .map(({ attributes, content }) => ({ attributes, content: Buffer.from(content, 'base64') }))

/** A batch of Java's in this codec, with at least two records. */
function goldenBatch(codec: number): Buffer {
  const found = golden.find(
    ({ attributes, content }) =>
      (attributes & codecMask) === codec && content.readInt32BE(recordCountAt) >= 3,
  )
  if (found === undefined) throw new Error(`no batch was recorded with codec ${codec}`)
  return Buffer.from(found.content)
}

const casesOfCodecs = codecNames.flatMap((name, codec): [string, CaseBody][] => [
  [
    `${name}: a batch is answered as it came, but for offset and leader epoch`,
    async (port) => {
      const topic = await port.topic({ configs: recorded })
      const leader = await port.leader(topic.name)
      const batch = goldenBatch(codec)
      // Its producer is not one of this cluster, which knows nothing of it: any sequence will do.
      await produce(leader, topic, {})
      expectError((await produce(leader, topic, batch)).errorCode, 'NONE')
      const { records } = await fetch(leader, topic, 1)
      const stored = Buffer.from(records ?? [])
      expect(stored.subarray(checksumAt)).toEqual(batch.subarray(checksumAt))
      expect(stored.readBigInt64BE(0)).toBe(1n)
      expect(stored.readInt32BE(12)).toBe(0)
      expect(batch.readBigInt64BE(producerIdAt)).toBeGreaterThanOrEqual(-1n)
    },
  ],
  [
    `${name}: records are found by their timestamp`,
    async (port) => {
      const topic = await port.topic({ configs: recorded })
      const leader = await port.leader(topic.name)
      await produce(leader, topic, goldenBatch(codec))
      // The golden driver's records are at …000, …001 and …500.
      expect((await listOffset(leader, topic, 1_700_000_000_001)).offset).toBe(1)
      expect((await listOffset(leader, topic, 1_700_000_000_002)).offset).toBe(2)
    },
  ],
  [
    `${name}: a keyless record is found out on a compacted topic`,
    async (port) => {
      const topic = await port.topic({ configs: { 'cleanup.policy': 'compact' } })
      const leader = await port.leader(topic.name)
      const produced = await produce(leader, topic, goldenBatch(codec))
      expectError(produced.errorCode, 'INVALID_RECORD')
      expect(produced.recordErrors[0]?.batchIndex).toBe(1)
    },
  ],
])

conformance('codecs', {
  ...Object.fromEntries(casesOfCodecs),

  'zstd is answered to every version of Fetch, also to those before it': async (port) => {
    const topic = await port.topic({ configs: { ...recorded, 'compression.type': 'zstd' } })
    const leader = await port.leader(topic.name)
    await produce(leader, topic, goldenBatch(zstd))
    for (const version of [9, 10]) {
      expectError((await fetch(leader, topic, 0, { version })).errorCode, 'NONE')
    }
  },

  'compression.type of the topic decides how records are stored': async (port) => {
    const topic = await port.topic({ configs: { 'compression.type': 'gzip' } })
    const leader = await port.leader(topic.name)
    const value = 'compressible '.repeat(100)
    await produce(leader, topic, { records: [{ value }] })
    const { batches } = await fetch(leader, topic, 0)
    expect((batches[0]?.attributes ?? 0) & codecMask).toBe(1)
    expect(batches[0]?.values).toEqual([value])
    expect(batches[0]?.bytes).toBeLessThan(value.length)
  },

  'compression.type uncompressed stores records plain': async (port) => {
    const topic = await port.topic({ configs: { 'compression.type': 'uncompressed' } })
    const leader = await port.leader(topic.name)
    await produce(leader, topic, { gzip: true, records: [{ value: 'a' }, { value: 'b' }] })
    const { batches } = await fetch(leader, topic, 0)
    expect((batches[0]?.attributes ?? 0) & codecMask).toBe(0)
    expect(batches[0]?.values).toEqual(['a', 'b'])
  },
})
