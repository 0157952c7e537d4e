import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RecordBatchBuilder } from '../../protocol/records/index.ts'
import { packRecord } from './packed-record.ts'
import { partitionOfKey } from './partitioner.ts'
import { headersOf } from './producer-record.ts'
import type { ProducerRecord } from './producer-record.ts'

const text = fc.string({ unit: 'binary', maxLength: 90 })
const field = fc.oneof(
  fc.constant(null),
  text,
  fc.uint8Array({ maxLength: 90 }).map((bytes) => Buffer.from(bytes)),
)
const anyRecord: fc.Arbitrary<ProducerRecord> = fc.record({
  topic: fc.constant('orders'),
  key: field,
  value: field,
  headers: fc.array(fc.tuple(text, field), { maxLength: 5 }),
  timestamp: fc.integer({ min: 0, max: 2 ** 45 }),
})

describe('a packed record', () => {
  it('is the same in a batch, and goes to the same partition', () => {
    fc.assert(
      fc.property(fc.array(anyRecord, { minLength: 1, maxLength: 4 }), (records) => {
        const [plain, packed] = [new RecordBatchBuilder(), new RecordBatchBuilder()]
        for (const record of records) {
          const { key = null, value, headers, timestamp = 0 } = record
          plain.append({ key, value, timestamp, headers: headersOf(headers) })
          const { content, keyHash } = packRecord(record)
          expect(packed.tryAppendContent(content, timestamp, packed.sizeInBytes)).toBe(false)
          expect(packed.tryAppendContent(content, timestamp, plain.sizeInBytes)).toBe(true)
          expect(keyHash < 0 ? -1 : keyHash % 12).toBe(key === null ? -1 : partitionOfKey(key, 12))
        }
        expect(packed.build()).toEqual(plain.build())
      }),
      { seed: 5, numRuns: 200 },
    )
  })

  it('says of itself what it was made of', () => {
    fc.assert(
      fc.property(anyRecord, (record) => {
        const bytes = (given: unknown) =>
          given === null ? null : Buffer.from(given as string | Uint8Array)
        const { topic, timestamp, partition, key, value, headers } = packRecord(record)
        const given = record.headers as readonly (readonly [string, unknown])[]
        expect({ topic, timestamp, partition, key, value, headers }).toEqual({
          ...{ topic: record.topic, timestamp: record.timestamp, partition: undefined },
          ...{ key: bytes(record.key), value: bytes(record.value) },
          headers: given.map(([name, content]) => [Buffer.from(name).toString(), bytes(content)]),
        })
      }),
      { seed: 6, numRuns: 200 },
    )
    expect(packRecord({ topic: 'orders', value: '1', partition: 3 })).toMatchObject({
      ...{ key: null, partition: 3, timestamp: undefined },
    })
  })

  it('does not change with what it was made of', () => {
    const value = Buffer.from('before')
    const packed = packRecord({ topic: 'orders', value })
    value.fill(0)
    expect(String(packed.value)).toBe('before')
  })

  it('is refused where it is no record', () => {
    const made = (record: object) => () => packRecord({ topic: 'orders', ...record } as never)
    expect(made({})).toThrow('value is undefined')
    expect(made({ value: 1 })).toThrow('value is a number')
    expect(made({ value: '', key: {} })).toThrow('key is a object')
    expect(made({ value: '', headers: { name: 1 } })).toThrow("headers['name'] is a number")
  })
})
