import { expect } from 'vitest'
import { conformance } from './conformance.ts'
import { expectError } from './expectation.ts'
import {
  beginTransaction,
  earliestTimestamp,
  latestTimestamp,
  listOffset,
  produce,
  readCommitted,
  transactionalProducer,
} from './steps.ts'

const maxTimestamp = -3
const earliestLocalTimestamp = -4
const latestTieredTimestamp = -5
/** Young enough that no retention takes it away. */
const base = Date.now() - 60_000

conformance('list offsets', {
  'earliest and latest of an empty partition are 0': async (port) => {
    const topic = await port.topic()
    const leader = await port.leader(topic.name)
    const earliest = await listOffset(leader, topic, earliestTimestamp)
    expect(earliest).toMatchObject({ offset: 0, timestamp: -1, leaderEpoch: 0 })
    const latest = await listOffset(leader, topic, latestTimestamp)
    expect(latest).toMatchObject({ offset: 0, timestamp: -1, leaderEpoch: 0 })
  },

  'earliest, latest and a timestamp answer the leader epoch': async (port) => {
    const topic = await port.topic()
    const leader = await port.leader(topic.name)
    await produce(leader, topic, { records: [{ timestamp: base }] })
    for (const timestamp of [earliestTimestamp, latestTimestamp, base, maxTimestamp]) {
      expect(await listOffset(leader, topic, timestamp)).toMatchObject({ leaderEpoch: 0 })
    }
  },

  'a timestamp finds the first record at or after it, exact within a batch': async (port) => {
    const topic = await port.topic()
    const leader = await port.leader(topic.name)
    for (const gzip of [false, true]) {
      const records = [0, 10, 20, 30].map((delta) => ({ timestamp: base + delta }))
      await produce(leader, topic, { records, gzip })
    }
    for (const [timestamp, offset, found] of [
      [base - 5, 0, base],
      [base + 10, 1, base + 10],
      [base + 11, 2, base + 20],
      [base + 30, 3, base + 30],
    ] as const) {
      const answer = await listOffset(leader, topic, timestamp)
      expect([answer.offset, answer.timestamp]).toEqual([offset, found])
    }
  },

  'a timestamp finds a record of a compressed batch': async (port) => {
    const topic = await port.topic()
    const leader = await port.leader(topic.name)
    const records = [0, 10, 20].map((delta) => ({ timestamp: base + delta }))
    await produce(leader, topic, { records, gzip: true })
    const answer = await listOffset(leader, topic, base + 15)
    expect([answer.offset, answer.timestamp]).toEqual([2, base + 20])
  },

  'a timestamp after all records finds nothing': async (port) => {
    const topic = await port.topic()
    const leader = await port.leader(topic.name)
    await produce(leader, topic, { records: [{ timestamp: base }] })
    const answer = await listOffset(leader, topic, base + 1)
    expectError(answer.errorCode, 'NONE')
    expect([answer.offset, answer.timestamp]).toEqual([-1, -1])
  },

  'timestamps need not rise': async (port) => {
    const topic = await port.topic()
    const leader = await port.leader(topic.name)
    for (const delta of [50, 10, 30]) {
      await produce(leader, topic, { records: [{ timestamp: base + delta }] })
    }
    expect((await listOffset(leader, topic, base + 20)).offset).toBe(0)
    expect((await listOffset(leader, topic, base + 5)).offset).toBe(0)
    expect((await listOffset(leader, topic, base + 51)).offset).toBe(-1)
  },

  'the largest timestamp is found with its offset': async (port) => {
    const topic = await port.topic()
    const leader = await port.leader(topic.name)
    await produce(leader, topic, { records: [{ timestamp: base }, { timestamp: base + 90 }] })
    await produce(leader, topic, { records: [{ timestamp: base + 20 }] })
    const answer = await listOffset(leader, topic, maxTimestamp)
    expect([answer.offset, answer.timestamp]).toEqual([1, base + 90])
  },

  'the largest timestamp of an empty partition is none': async (port) => {
    const topic = await port.topic()
    const leader = await port.leader(topic.name)
    const answer = await listOffset(leader, topic, maxTimestamp)
    expect([answer.errorCode, answer.offset, answer.timestamp]).toEqual([0, -1, -1])
  },

  'earliest local is the start, latest tiered is none': async (port) => {
    const topic = await port.topic()
    const leader = await port.leader(topic.name)
    await produce(leader, topic, {})
    const local = await listOffset(leader, topic, earliestLocalTimestamp, { version: 8 })
    expect(local.offset).toBe(0)
    const tiered = await listOffset(leader, topic, latestTieredTimestamp, { version: 9 })
    expect(tiered.offset).toBe(-1)
  },

  'a timestamp does not find records behind the last stable offset': async (port) => {
    const topic = await port.topic()
    const leader = await port.leader(topic.name)
    const { producer, coordinator } = await transactionalProducer(port)
    await beginTransaction(port, coordinator, producer, topic, 'open')
    const answer = await listOffset(leader, topic, base - 1000, { isolationLevel: readCommitted })
    expect(answer.offset).toBe(-1)
  },

  'a missing topic is unknown': async (port) => {
    const client = await port.any()
    const missing = { name: port.name('missing'), id: '' }
    const answer = await listOffset(client, missing, latestTimestamp)
    expectError(answer.errorCode, 'UNKNOWN_TOPIC_OR_PARTITION')
  },

  'a leader epoch above the current one is UNKNOWN_LEADER_EPOCH': async (port) => {
    const topic = await port.topic()
    const leader = await port.leader(topic.name)
    const answer = await listOffset(leader, topic, latestTimestamp, { currentLeaderEpoch: 1000 })
    expectError(answer.errorCode, 'UNKNOWN_LEADER_EPOCH')
  },
})
