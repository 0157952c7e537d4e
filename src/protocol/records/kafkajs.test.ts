import { createRequire } from 'node:module'
import { describe, expect, it } from 'vitest'
import { build, bytesMax, time } from './fixture/batch-samples.ts'
import { RecordBatch, checkProducedBatch } from './index.ts'

// Batches of kafkajs are read by us, and ours by kafkajs.

const require = createRequire(import.meta.url)

interface KafkajsRecord {
  readonly offset: string
  readonly timestamp: string
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: Record<string, Buffer | Buffer[]>
}

interface KafkajsBatch {
  readonly firstOffset: string
  readonly producerId: string
  readonly inTransaction: boolean
  readonly records: readonly KafkajsRecord[]
}

type Encode = (fields: object) => { readonly buffer: Buffer }

const { RecordBatch: encodeBatch } = require('kafkajs/src/protocol/recordBatch/v0') as {
  RecordBatch: (fields: object) => Promise<{ readonly buffer: Buffer }>
}
const encodeRecord = require('kafkajs/src/protocol/recordBatch/record/v0') as Encode
const decodeBatch = require('kafkajs/src/protocol/recordBatch/v0/decoder') as (
  decoder: object,
) => Promise<KafkajsBatch>
const Decoder = require('kafkajs/src/protocol/decoder') as new (bytes: Buffer) => object

const compressionIds = { none: 0, gzip: 1 } as const

describe.each(['none', 'gzip'] as const)('kafkajs, %s', (codec) => {
  it('writes batches that we read', async () => {
    const records = [0, 40, 100_000].map((timestampDelta, offsetDelta) =>
      encodeRecord({
        ...{ offsetDelta, timestampDelta, key: `key-${offsetDelta}` },
        value: offsetDelta === 1 ? null : Buffer.alloc(300, 'x'),
        headers: { one: Buffer.from('1'), many: [Buffer.from('2'), Buffer.from('3')] },
      }),
    )
    const { buffer } = await encodeBatch({
      ...{ compression: compressionIds[codec], records, lastOffsetDelta: 2 },
      ...{ firstTimestamp: time, maxTimestamp: time + 100_000 },
    })
    const { batch } = checkProducedBatch(buffer, bytesMax)
    expect(batch?.compression).toBe(codec)
    const read = [...(batch?.records(bytesMax) ?? [])]
    expect(read.map((record) => record.timestamp)).toEqual([time, time + 40, time + 100_000])
    expect(read.map((record) => record.key?.toString())).toEqual(['key-0', 'key-1', 'key-2'])
    expect(read.map((record) => record.value?.length)).toEqual([300, undefined, 300])
    expect(read[2]?.headers.map(({ key, value }) => `${key}=${value?.toString()}`)).toEqual([
      ...['one=1', 'many=2', 'many=3'],
    ])
  })

  it('reads batches that we write', async () => {
    const bytes = build(
      [
        { key: Buffer.from('a'), value: Buffer.alloc(500, 'y'), timestamp: time },
        { key: null, value: null, timestamp: time - 5000 },
        {
          ...{ key: Buffer.alloc(0), value: Buffer.from('b'), timestamp: time + 2 ** 33 },
          headers: [
            { key: 'größe', value: Buffer.from('1') },
            { key: 'größe', value: Buffer.from('2') },
          ],
        },
      ],
      { compression: codec, baseOffset: 2 ** 40, producerId: 2 ** 45, isTransactional: true },
    )
    expect(RecordBatch.at(bytes).compression).toBe(codec)
    const batch = await decodeBatch(new Decoder(bytes))
    expect([batch.firstOffset, batch.producerId]).toEqual([`${2 ** 40}`, `${2 ** 45}`])
    expect(batch.inTransaction).toBe(true)
    expect(batch.records.map(({ offset }) => Number(offset) - 2 ** 40)).toEqual([0, 1, 2])
    expect(batch.records.map(({ timestamp }) => Number(timestamp) - time)).toEqual([
      0,
      -5000,
      2 ** 33,
    ])
    expect(batch.records.map(({ key }) => key?.length)).toEqual([1, undefined, 0])
    expect(batch.records.map(({ value }) => value?.toString())).toEqual([
      ...['y'.repeat(500), undefined, 'b'],
    ])
    expect(batch.records[2]?.headers['größe']?.toString()).toBe('1,2')
  })
})
