import { expect } from 'vitest'
import { fetchApi } from '../../src/protocol/index.ts'
import { makeBatch } from './batch.ts'
import { conformance } from './conformance.ts'
import { expectError } from './expectation.ts'
import { fetch, produce } from './steps.ts'

/** Longer than a case may take: only an event can end such a wait. */
const endlessMs = 300_000

conformance('reading', {
  'a fetch within a batch answers the whole batch': async (port) => {
    const topic = await port.topic()
    const leader = await port.leader(topic.name)
    await produce(leader, topic, { records: [{ value: 'a' }, { value: 'b' }, { value: 'c' }] })
    const { batches } = await fetch(leader, topic, 1)
    expect(batches[0]?.baseOffset).toBe(0)
    expect(batches[0]?.values).toEqual(['a', 'b', 'c'])
  },

  'a fetch at the end answers nothing, with the watermarks': async (port) => {
    const topic = await port.topic()
    const leader = await port.leader(topic.name)
    await produce(leader, topic, {})
    const fetched = await fetch(leader, topic, 1)
    expectError(fetched.errorCode, 'NONE')
    expect(fetched.batches).toEqual([])
    expect(fetched.highWatermark).toBe(1)
    expect(fetched.logStartOffset).toBe(0)
  },

  'a fetch beyond the end is OFFSET_OUT_OF_RANGE': async (port) => {
    const topic = await port.topic()
    const leader = await port.leader(topic.name)
    await produce(leader, topic, {})
    const fetched = await fetch(leader, topic, 2)
    expectError(fetched.errorCode, 'OFFSET_OUT_OF_RANGE')
    expect(fetched.batches).toEqual([])
  },

  'a negative offset is OFFSET_OUT_OF_RANGE': async (port) => {
    const topic = await port.topic()
    const leader = await port.leader(topic.name)
    expectError((await fetch(leader, topic, -1)).errorCode, 'OFFSET_OUT_OF_RANGE')
  },

  'the first batch is answered even above all limits': async (port) => {
    const topic = await port.topic()
    const leader = await port.leader(topic.name)
    const batch = makeBatch({ records: [{ value: 'x'.repeat(10_000) }] })
    await produce(leader, topic, batch)
    const { batches } = await fetch(leader, topic, 0, { maxBytes: 10, partitionMaxBytes: 10 })
    expect(batches[0]?.bytes).toBe(batch.length)
  },

  'the limit of a partition stops after the batches that fit': async (port) => {
    const topic = await port.topic()
    const leader = await port.leader(topic.name)
    const batch = makeBatch({ records: [{ value: 'x'.repeat(1000) }] })
    for (let index = 0; index < 5; index++) await produce(leader, topic, batch)
    const fetched = await fetch(leader, topic, 0, { partitionMaxBytes: batch.length * 2 + 10 })
    expect(fetched.batches.map((one) => one.baseOffset)).toEqual([0, 1])
  },

  'the limit of a request is shared by its partitions': async (port) => {
    const topic = await port.topic({ partitions: 1 })
    const leader = await port.leader(topic.name)
    const batch = makeBatch({ records: [{ value: 'x'.repeat(1000) }] })
    for (let index = 0; index < 5; index++) await produce(leader, topic, batch)
    const fetched = await fetch(leader, topic, 0, { maxBytes: batch.length * 3 + 10 })
    expect(fetched.batches.map((one) => one.baseOffset)).toEqual([0, 1, 2])
  },

  'a wait ends when enough bytes have come': async (port) => {
    const topic = await port.topic()
    const reader = await port.leader(topic.name)
    const writer = await port.leader(topic.name)
    const batch = makeBatch({ records: [{ value: 'x'.repeat(100) }] })
    const waiting = fetch(reader, topic, 0, { maxWaitMs: endlessMs, minBytes: batch.length * 2 })
    await produce(writer, topic, batch)
    await produce(writer, topic, batch)
    expect((await waiting).batches).toHaveLength(2)
  },

  'a wait ends at its time, with what there is': async (port) => {
    const topic = await port.topic()
    const leader = await port.leader(topic.name)
    await produce(leader, topic, {})
    const fetched = await fetch(leader, topic, 0, { maxWaitMs: 300, minBytes: 1_000_000 })
    expect(fetched.batches).toHaveLength(1)
  },

  'an error ends the wait at once': async (port) => {
    const topic = await port.topic()
    const leader = await port.leader(topic.name)
    const fetched = await fetch(leader, topic, 99, { maxWaitMs: endlessMs, minBytes: 1 })
    expectError(fetched.errorCode, 'OFFSET_OUT_OF_RANGE')
  },

  'a request without partitions is answered at once': async (port) => {
    const client = await port.any()
    const response = await client.request(fetchApi, 12, {
      maxWaitMs: endlessMs,
      minBytes: 1,
      sessionEpoch: -1,
      topics: [],
    })
    expectError(response.errorCode, 'NONE')
    expect(response.responses).toEqual([])
  },

  'minimum bytes of 0 do not wait': async (port) => {
    const topic = await port.topic()
    const leader = await port.leader(topic.name)
    const fetched = await fetch(leader, topic, 0, { maxWaitMs: endlessMs, minBytes: 0 })
    expect(fetched.batches).toEqual([])
  },

  'a missing topic or partition is unknown': async (port) => {
    const topic = await port.topic()
    const leader = await port.leader(topic.name)
    const missing = { name: port.name('missing'), id: '' }
    expectError((await fetch(leader, missing, 0)).errorCode, 'UNKNOWN_TOPIC_OR_PARTITION')
    const partition = await fetch(leader, topic, 0, { partition: 5 })
    expectError(partition.errorCode, 'UNKNOWN_TOPIC_OR_PARTITION')
  },

  'Fetch 13 names topics by id, and an id that is not known is UNKNOWN_TOPIC_ID': async (port) => {
    const topic = await port.topic()
    const leader = await port.leader(topic.name)
    await produce(leader, topic, {})
    expect((await fetch(leader, topic, 0, { version: 13 })).batches).toHaveLength(1)
    const unknown = { ...topic, id: 'AAAAAAAAAAAAAAAAAAAA-A' }
    const fetched = await fetch(leader, unknown, 0, { version: 13 })
    expectError(fetched.errorCode, 'UNKNOWN_TOPIC_ID')
  },

  'a leader epoch above the current one is UNKNOWN_LEADER_EPOCH': async (port) => {
    const topic = await port.topic()
    const leader = await port.leader(topic.name)
    const fetched = await fetch(leader, topic, 0, { currentLeaderEpoch: 1000 })
    expectError(fetched.errorCode, 'UNKNOWN_LEADER_EPOCH')
    expectError((await fetch(leader, topic, 0, { currentLeaderEpoch: 0 })).errorCode, 'NONE')
  },

  'every version of Fetch from 4 on answers the same records': async (port) => {
    const topic = await port.topic()
    const leader = await port.leader(topic.name)
    await produce(leader, topic, { records: [{ value: 'a' }] })
    for (let version = 4; version <= 17; version++) {
      const { batches } = await fetch(leader, topic, 0, { version })
      expect(batches[0]?.values, `version ${version}`).toEqual(['a'])
    }
  },

  'a full fetch without a session has an entry for each partition, also empty ones': async (
    port,
  ) => {
    const topic = await port.topic({ partitions: 1 })
    const leader = await port.leader(topic.name)
    const response = await leader.request(fetchApi, 12, {
      maxWaitMs: 0,
      minBytes: 0,
      sessionId: 0,
      sessionEpoch: 0,
      topics: [
        {
          topic: topic.name,
          partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1000 }],
        },
      ],
    })
    expect(response.responses[0]?.partitions).toHaveLength(1)
  },

  'a session that does not exist is FETCH_SESSION_ID_NOT_FOUND': async (port) => {
    const client = await port.any()
    const response = await client.request(fetchApi, 12, {
      maxWaitMs: 0,
      minBytes: 0,
      sessionId: 123_456,
      sessionEpoch: 4,
      topics: [],
    })
    expectError(response.errorCode, 'FETCH_SESSION_ID_NOT_FOUND')
  },

  'a session answers only what has changed': async (port) => {
    const topic = await port.topic()
    const leader = await port.leader(topic.name)
    const partition = { partition: 0, fetchOffset: 0, partitionMaxBytes: 100_000 }
    const ask = (sessionId: number, sessionEpoch: number, full: boolean) =>
      leader.request(fetchApi, 12, {
        maxWaitMs: 0,
        minBytes: 0,
        sessionId,
        sessionEpoch,
        topics: full ? [{ topic: topic.name, partitions: [partition] }] : [],
      })
    const { sessionId } = await ask(0, 0, true)
    // A broker may decline sessions: then every fetch is a full one.
    if (sessionId === 0) return
    const unchanged = await ask(sessionId, 1, false)
    expect(unchanged.responses).toEqual([])
    await produce(leader, topic, {})
    const changed = await ask(sessionId, 2, false)
    expect(changed.responses[0]?.partitions[0]?.highWatermark).toBe(1)
    const skipped = await ask(sessionId, 9, false)
    expectError(skipped.errorCode, 'INVALID_FETCH_SESSION_EPOCH')
  },
})
