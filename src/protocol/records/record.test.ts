import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { build, changed, failure } from './fixture/batch-samples.ts'
import { makeRecord, RecordBatch, recordOfContent } from './index.ts'

describe('headers', () => {
  const value = Buffer.from('1')
  const headers = [
    ...[
      { key: 'first', value },
      { key: 'größe', value: null },
      { key: '', value },
    ],
    ...[
      { key: 'first', value: Buffer.from('2') },
      { key: 'FIRST', value: Buffer.alloc(0) },
    ],
    { key: 'a name that is longer than any that is remembered, by some bytes more', value },
  ]
  const record = RecordBatch.at(build([{ key: null, value, timestamp: 0, headers }]))
    .records(0)
    .next()

  it('are found by name, the last of a name first', () => {
    expect(record?.headers).toEqual(headers)
    expect(record?.header('first')?.toString()).toBe('2')
    expect(record?.header('FIRST')?.length).toBe(0)
    expect(record?.header('größe')).toBeNull()
    expect(record?.header('')?.toString()).toBe('1')
    expect(record?.header(headers[5]?.key ?? '')?.toString()).toBe('1')
    for (const name of ['second', 'firs', 'first2', 'grösse', 'größ']) {
      expect(record?.header(name)).toBeUndefined()
    }
  })

  it('are found by name again and again, whatever was asked for before', () => {
    const name = fc.oneof(
      fc.constantFrom('trace-id', 'traceparent', 'tr', 't', '', 'te', 'ét', 'tét', 'größe'),
      fc.string({ unit: 'binary', maxLength: 3 }),
    )
    fc.assert(
      fc.property(fc.array(name, { maxLength: 6 }), fc.array(name), (there, asked) => {
        const named = there.map((key, index) => ({ key, value: Buffer.from([index]) }))
        const read = RecordBatch.at(build([{ key: null, value, timestamp: 0, headers: named }]))
          .records(0)
          .next()
        const known = read?.headers ?? []
        for (const each of [...asked, ...known.map(({ key }) => key)]) {
          const last = known.findLast(({ key }) => key === each)
          expect(read?.header(each)).toEqual(last?.value)
        }
      }),
      { seed: 4, numRuns: 300 },
    )
  })

  it('are refused when they are read, not before', () => {
    const bytes = build([{ key: null, value, timestamp: 0, headers: [{ key: 'name', value }] }])
    const start = bytes.length - 8 // count, 1 + 4, 1 + 1
    for (const [position, byte, problem] of [
      [0, 9, '-5 headers'],
      [0, 8, '4 headers do not fit'],
      [0, 4, 'inside of a number'],
      [1, 2 * 8, 'has 8 bytes'],
      [1, 1, 'has -1 bytes'],
      [6, 2 * 2, 'has 2 bytes'],
      [6, 3, 'has -2 bytes'],
      [6, 0, 'left behind the headers'],
    ] as const) {
      const broken = RecordBatch.at(changed(bytes, start + position, byte))
        .records(0)
        .next()
      expect(broken?.value?.toString()).toBe('1')
      expect(failure(() => broken?.headers)).toMatch(problem)
      expect(failure(() => broken?.header('name'))).toMatch(problem)
    }
  })
})

describe('the content of a record', () => {
  const bytes = fc.option(
    fc.uint8Array({ maxLength: 200 }).map((each) => Buffer.from(each)),
    { nil: null },
  )
  const content = fc.record({
    key: bytes,
    value: bytes,
    headers: fc.array(fc.record({ key: fc.string({ maxLength: 70 }), value: bytes }), {
      maxLength: 4,
    }),
  })

  it('makes the same record again, wherever it was written to', () => {
    fc.assert(
      fc.property(content, fc.nat(300), (given, position) => {
        const inBatch = RecordBatch.at(build([{ ...given, timestamp: 5 }]))
          .records(0)
          .next()
        for (const record of [inBatch, makeRecord({ ...given, offset: 7, timestamp: 5 })]) {
          if (record === undefined) throw new Error('the batch is empty')
          const target = Buffer.alloc(position + record.contentBytes + 1, 0xee)
          const end = record.putContent(target, position)
          expect(end).toBe(target.length - 1)
          expect(target.indexOf(0xee, end)).toBe(end)
          const again = recordOfContent(target.subarray(position, end), {
            ...{ offset: 9, timestamp: 8 },
          })
          const { offset, timestamp, key, value, headers, sizeInBytes } = again
          expect({ offset, timestamp, key, value, headers, sizeInBytes }).toEqual({
            ...given,
            ...{ offset: 9, timestamp: 8, sizeInBytes: record.sizeInBytes },
          })
        }
      }),
      { seed: 2, numRuns: 200 },
    )
  })

  it('is the same where its key had more bytes for its size than it needs', () => {
    const plain = build([{ key: Buffer.from('k'), value: Buffer.from('v'), timestamp: 0 }])
    const at = plain.length - 5 // key size, key, value size, value, header count
    expect([...plain.subarray(at)]).toEqual([2, 107, 2, 118, 0])
    const longer = Buffer.concat([
      plain.subarray(0, at),
      Buffer.from([0x82, 0]),
      plain.subarray(at + 1),
    ])
    longer[at - 4] = (longer[at - 4] as number) + 2
    longer.writeInt32BE(plain.readInt32BE(8) + 1, 8)
    const record = RecordBatch.at(longer).records(0).next()
    const target = Buffer.alloc(record?.contentBytes ?? 0)
    record?.putContent(target, 0)
    expect([...target]).toEqual([2, 107, 2, 118, 0])
  })
})
