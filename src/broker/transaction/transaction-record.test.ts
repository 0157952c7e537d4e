import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readTransactionRecord, tombstone, transactionRecord } from './transaction-record.ts'
import type { TransactionMetadata } from './transaction-metadata.ts'

const ongoing: TransactionMetadata = {
  transactionalId: 'a',
  state: 'Ongoing',
  producerId: 5,
  previousProducerId: 4,
  nextProducerId: -1,
  producerEpoch: 2,
  lastProducerEpoch: -1,
  timeoutMs: 1_000,
  partitions: new Map([['t', new Set([0, 2])]]),
  startTimestamp: 7,
  updateTimestamp: 8,
  version: 2,
}

describe('the record of a transactional id', () => {
  it("is Kafka's, byte for byte, in version 0", () => {
    const { key, value } = transactionRecord({ ...ongoing, version: 0 }, 0)
    expect(key.toString('hex')).toBe('0000' + '0001' + '61')
    expect(value?.toString('hex')).toBe(
      '0000' + // version
        '0000000000000005' + // producer id
        '0002' + // producer epoch
        '000003e8' + // timeout
        '01' + // Ongoing
        '00000001' + // topics
        ('0001' + '74') + // topic
        ('00000002' + '00000000' + '00000002') + // partitions
        '0000000000000008' + // updated
        '0000000000000007', // started
    )
  })

  it("is Kafka's, byte for byte, in version 1", () => {
    const { value } = transactionRecord({ ...ongoing, nextProducerId: 6 }, 2)
    expect(value?.toString('hex')).toBe(
      '0001' + // version
        '0000000000000005' + // producer id
        '0002' + // producer epoch
        '000003e8' + // timeout
        '01' + // Ongoing
        '02' + // topics
        ('02' + '74') + // topic
        ('03' + '00000000' + '00000002' + '00') + // partitions
        '0000000000000008' + // updated
        '0000000000000007' + // started
        '03' + // tagged fields
        ('00' + '08' + '0000000000000004') + // previous producer id
        ('01' + '08' + '0000000000000006') + // next producer id
        ('02' + '02' + '0002'), // client transaction version
    )
  })

  it('has no value once the id has expired', () => {
    const record = tombstone('a')
    expect(record.value).toBeNull()
    expect(readTransactionRecord(record)).toEqual({ transactionalId: 'a', metadata: undefined })
  })

  it('of an unknown type is passed over', () => {
    expect(readTransactionRecord({ key: Buffer.from([0, 9, 1]), value: null })).toBeUndefined()
  })

  it('of an unknown version, or in an unknown state, cannot be read', () => {
    const record = transactionRecord(ongoing, 0)
    const value = Buffer.from(record.value ?? [])
    value.writeInt16BE(7, 0)
    expect(() => readTransactionRecord({ key: record.key, value })).toThrow(/version \(7\)/)
    value.writeInt16BE(0, 0)
    value.writeInt8(6, 16)
    expect(() => readTransactionRecord({ key: record.key, value })).toThrow(/state \(6\)/)
  })

  it('reads back as what was written', () => {
    const metadata = fc.record({
      transactionalId: fc.string({ minLength: 1 }),
      state: fc.constantFrom(
        'Ongoing' as const,
        'PrepareCommit' as const,
        'PrepareAbort' as const,
        'CompleteCommit' as const,
        'CompleteAbort' as const,
      ),
      producerId: fc.nat(),
      previousProducerId: fc.constant(-1),
      nextProducerId: fc.integer({ min: -1, max: 1e9 }),
      producerEpoch: fc.integer({ min: 1, max: 0x7ffe }),
      timeoutMs: fc.nat(),
      partitions: fc
        .dictionary(fc.string({ minLength: 1 }), fc.uniqueArray(fc.nat(50), { minLength: 1 }))
        .map(
          (topics) => new Map(Object.entries(topics).map(([name, ids]) => [name, new Set(ids)])),
        ),
      startTimestamp: fc.nat(),
      updateTimestamp: fc.nat(),
      version: fc.constantFrom(0 as const, 2 as const),
    })
    fc.assert(
      fc.property(metadata, (generated) => {
        const { state, version, producerEpoch } = generated
        const ended = state !== 'Ongoing' && version === 2
        const written = { ...generated, lastProducerEpoch: ended ? producerEpoch - 1 : -1 }
        const read = readTransactionRecord(transactionRecord(written, 2))
        expect(read).toEqual({ transactionalId: written.transactionalId, metadata: written })
      }),
      { seed: 890 },
    )
  })
})
