import { expect } from 'vitest'
import { conformance } from './conformance.ts'
import { expectError } from './expectation.ts'
import { fetch, listOffset, produce } from './steps.ts'

const appendTimeAttribute = 0x08
const hourMs = 3_600_000

conformance('timestamps', {
  'CreateTime is stored as it was sent, and the append time is not answered': async (port) => {
    const topic = await port.topic({ configs: { 'retention.ms': '-1' } })
    const leader = await port.leader(topic.name)
    const records = [{ value: 'a', timestamp: 1_600_000_000_123 }]
    const produced = await produce(leader, topic, { records })
    expect(produced.logAppendTimeMs).toBe(-1)
    const { batches } = await fetch(leader, topic, 0)
    expect(batches[0]?.maxTimestamp).toBe(1_600_000_000_123)
    expect((batches[0]?.attributes ?? 0) & appendTimeAttribute).toBe(0)
  },

  'LogAppendTime is answered, stored, and marked in the attributes': async (port) => {
    const topic = await port.topic({ configs: { 'message.timestamp.type': 'LogAppendTime' } })
    const leader = await port.leader(topic.name)
    const before = Date.now()
    for (const gzip of [false, true]) {
      const produced = await produce(leader, topic, { gzip, records: [{ timestamp: 1000 }] })
      // The clock is the broker's, perhaps of another machine.
      expect(produced.logAppendTimeMs).toBeGreaterThan(before - hourMs)
      const { batches } = await fetch(leader, topic, produced.baseOffset)
      expect(batches[0]?.maxTimestamp).toBe(produced.logAppendTimeMs)
      expect((batches[0]?.attributes ?? 0) & appendTimeAttribute).toBe(appendTimeAttribute)
    }
  },

  'LogAppendTime is what offsets are found by': async (port) => {
    const topic = await port.topic({ configs: { 'message.timestamp.type': 'LogAppendTime' } })
    const leader = await port.leader(topic.name)
    const produced = await produce(leader, topic, { records: [{ timestamp: 1000 }] })
    expect((await listOffset(leader, topic, produced.logAppendTimeMs)).offset).toBe(0)
    expect((await listOffset(leader, topic, produced.logAppendTimeMs + 1)).offset).toBe(-1)
  },

  'a producer on a LogAppendTime topic must not set its bit itself': async (port) => {
    const topic = await port.topic({ configs: { 'message.timestamp.type': 'LogAppendTime' } })
    const leader = await port.leader(topic.name)
    const produced = await produce(leader, topic, { attributes: appendTimeAttribute })
    expectError(produced.errorCode, 'INVALID_TIMESTAMP')
  },

  'a timestamp more than an hour ahead is INVALID_TIMESTAMP, with the record named': async (
    port,
  ) => {
    const topic = await port.topic()
    const leader = await port.leader(topic.name)
    const timestamp = Date.now() + 2 * hourMs
    const produced = await produce(leader, topic, { records: [{ timestamp }] })
    expectError(produced.errorCode, 'INVALID_TIMESTAMP')
    expect(produced.recordErrors[0]?.batchIndex).toBe(0)
  },

  'message.timestamp.after.max.ms and before.max.ms bound timestamps': async (port) => {
    const configs = {
      'message.timestamp.after.max.ms': '1000',
      'message.timestamp.before.max.ms': '100000',
    }
    const topic = await port.topic({ configs })
    const leader = await port.leader(topic.name)
    const at = async (timestamp: number) =>
      (await produce(leader, topic, { records: [{ timestamp }] })).errorCode
    expectError(await at(Date.now()), 'NONE')
    expectError(await at(Date.now() + 60_000), 'INVALID_TIMESTAMP')
    expectError(await at(Date.now() - 200_000), 'INVALID_TIMESTAMP')
  },

  'a record without a timestamp has -1': async (port) => {
    const topic = await port.topic()
    const leader = await port.leader(topic.name)
    const produced = await produce(leader, topic, { records: [{ timestamp: -1 }] })
    expectError(produced.errorCode, 'NONE')
    expect((await fetch(leader, topic, 0)).batches[0]?.maxTimestamp).toBe(-1)
  },
})
