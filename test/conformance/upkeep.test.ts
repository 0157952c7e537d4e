/** What a broker does to its logs by itself: retention and compaction. */
import { expect } from 'vitest'
import type { WireClient } from '../../src/testing/wire-client.ts'
import { makeBatch, type ReadBatch } from './batch.ts'
import { conformance } from './conformance.ts'
import { expectError } from './expectation.ts'
import type { Port, Topic } from './port.ts'
import {
  beginTransaction,
  earliestTimestamp,
  endTransaction,
  fetch,
  idempotentProducer,
  listOffset,
  produce,
  transactionalProducer,
  untilStable,
} from './steps.ts'

const hourMs = 3_600_000
/** Timestamps this far apart are never in one segment of a topic with these settings. */
const stepMs = 10_000
const rolling = { 'segment.ms': '5000' }
const compacted = {
  ...rolling,
  'cleanup.policy': 'compact',
  'min.cleanable.dirty.ratio': '0.001',
  'delete.retention.ms': '0',
}

/** Appends records, each in a segment of its own; the last segment is never compacted. */
async function appendApart(
  leader: WireClient,
  topic: Topic,
  records: readonly (readonly [key: string, value: string | null])[],
  startMs: number,
): Promise<void> {
  for (const [index, [key, value]] of records.entries()) {
    const timestamp = startMs + index * stepMs
    const produced = await produce(leader, topic, { records: [{ key, value, timestamp }] })
    expectError(produced.errorCode, 'NONE')
  }
}

/** All batches from the first to the last: a fetch answers one segment at a time. */
async function allBatches(leader: WireClient, topic: Topic): Promise<ReadBatch[]> {
  const batches: ReadBatch[] = []
  for (let offset = (await listOffset(leader, topic, earliestTimestamp)).offset; ;) {
    const fetched = await fetch(leader, topic, offset)
    batches.push(...fetched.batches)
    const last = fetched.batches.at(-1)
    if (last === undefined) return batches
    offset = last.lastOffset + 1
  }
}

async function storedValues(leader: WireClient, topic: Topic): Promise<(string | null)[]> {
  const batches = await allBatches(leader, topic)
  return batches.filter((batch) => !batch.control).flatMap((batch) => batch.values)
}

async function untilStored(
  port: Port,
  leader: WireClient,
  topic: Topic,
  values: readonly (string | null)[],
): Promise<void> {
  const wanted = JSON.stringify(values)
  await port.eventually(`${wanted} is what is stored`, async () => {
    return JSON.stringify(await storedValues(leader, topic)) === wanted ? true : undefined
  })
}

conformance('upkeep', {
  'retention by time deletes old segments, also the last one': async (port) => {
    const topic = await port.topic({ configs: { ...rolling, 'retention.ms': '60000' } })
    const leader = await port.leader(topic.name)
    const records = [['a', '1'] as const, ['a', '2'] as const]
    await appendApart(leader, topic, records, Date.now() - 2 * hourMs)
    await port.eventually('all is gone', async () => {
      const { offset } = await listOffset(leader, topic, earliestTimestamp)
      return offset === 2 ? true : undefined
    })
    const next = await produce(leader, topic, { records: [{ value: 'next' }] })
    expect(next.baseOffset).toBe(2)
    expect(next.logStartOffset).toBe(2)
  },

  'retention by time keeps what is young': async (port) => {
    const topic = await port.topic({ configs: { ...rolling, 'retention.ms': String(hourMs) } })
    const leader = await port.leader(topic.name)
    await appendApart(leader, topic, [['a', 'old']], Date.now() - 2 * hourMs)
    await appendApart(leader, topic, [['a', 'young']], Date.now() - stepMs)
    await untilStored(port, leader, topic, ['young'])
    expect((await listOffset(leader, topic, earliestTimestamp)).offset).toBe(1)
    expectError((await fetch(leader, topic, 0)).errorCode, 'OFFSET_OUT_OF_RANGE')
  },

  'retention by size deletes the oldest segments': async (port) => {
    const size = makeBatch({ records: [{ key: 'a', value: '1' }] }).length
    const topic = await port.topic({
      configs: { ...rolling, 'retention.bytes': String(size * 2) },
    })
    const leader = await port.leader(topic.name)
    const records = ['1', '2', '3', '4', '5'].map((value) => ['a', value] as const)
    await appendApart(leader, topic, records, Date.now() - hourMs)
    await untilStored(port, leader, topic, ['4', '5'])
  },

  'compaction keeps the last value of each key, and every offset its own': async (port) => {
    const topic = await port.topic({ configs: compacted })
    const leader = await port.leader(topic.name)
    const records = [
      ['a', '1'],
      ['b', '2'],
      ['a', '3'],
      ['c', '4'],
      ['a', '5'],
      ['end', 'end'],
    ] as const
    await appendApart(leader, topic, records, Date.now() - hourMs)
    await untilStored(port, leader, topic, ['2', '4', '5', 'end'])
    const batches = await allBatches(leader, topic)
    const kept = batches.filter((batch) => batch.values.length > 0)
    expect(kept.map((batch) => batch.lastOffset)).toEqual([1, 3, 4, 5])
    expect((await listOffset(leader, topic, earliestTimestamp)).offset).toBe(0)
  },

  'a fetch in a gap goes on behind it': async (port) => {
    const topic = await port.topic({ configs: compacted })
    const leader = await port.leader(topic.name)
    const records = [
      ['a', '1'],
      ['a', '2'],
      ['a', '3'],
      ['end', 'end'],
    ] as const
    await appendApart(leader, topic, records, Date.now() - hourMs)
    await untilStored(port, leader, topic, ['3', 'end'])
    const fetched = await fetch(leader, topic, 1)
    expectError(fetched.errorCode, 'NONE')
    expect(fetched.batches.flatMap((batch) => batch.values)[0]).toBe('3')
  },

  'a tombstone removes its key, and goes itself in the end': async (port) => {
    const topic = await port.topic({ configs: compacted })
    const leader = await port.leader(topic.name)
    const start = Date.now() - hourMs
    const records = [
      ['a', '1'],
      ['a', null],
      ['b', '2'],
      ['end', '0'],
    ] as const
    await appendApart(leader, topic, records, start)
    await port.eventually('the value is gone', async () =>
      (await storedValues(leader, topic)).includes('1') ? undefined : true,
    )
    // The tombstone may go in a later round, and there is one only when there is something to do.
    let round = 0
    await port.eventually('the tombstone is gone', async () => {
      round += 1
      const next = start + (records.length + round) * stepMs
      await appendApart(leader, topic, [['end', `round ${round}`]], next)
      return (await storedValues(leader, topic)).includes(null) ? undefined : true
    })
    const kept = await storedValues(leader, topic)
    expect(kept).toContain('2')
    expect(kept).not.toContain('1')
  },

  'compaction does not forget a producer: its last sequence stays known': async (port) => {
    const topic = await port.topic({ configs: compacted })
    const leader = await port.leader(topic.name)
    const producer = await idempotentProducer(port)
    const start = Date.now() - hourMs
    const batchAt = (baseSequence: number) => ({
      ...producer,
      baseSequence,
      records: [{ key: 'a', value: `${baseSequence}`, timestamp: start + baseSequence * stepMs }],
    })
    for (let sequence = 0; sequence < 3; sequence++) await produce(leader, topic, batchAt(sequence))
    const behind = [
      ['a', 'last'],
      ['end', 'end'],
    ] as const
    await appendApart(leader, topic, behind, start + 4 * stepMs)
    await untilStored(port, leader, topic, ['last', 'end'])
    const again = await produce(leader, topic, batchAt(2))
    expectError(again.errorCode, 'NONE')
    expect(again.baseOffset).toBe(2)
    expectError((await produce(leader, topic, batchAt(3))).errorCode, 'NONE')
  },

  'compaction drops what was aborted': async (port) => {
    const topic = await port.topic({ configs: compacted })
    const leader = await port.leader(topic.name)
    const { producer, coordinator } = await transactionalProducer(port)
    await beginTransaction(port, coordinator, producer, topic, 'aborted')
    await endTransaction(coordinator, producer, false)
    await untilStable(port, leader, topic)
    const records = [
      ['b', '1'],
      ['end', 'end'],
    ] as const
    await appendApart(leader, topic, records, Date.now() + stepMs)
    await untilStored(port, leader, topic, ['1', 'end'])
  },

  'nothing at or behind an open transaction is compacted': async (port) => {
    const topic = await port.topic({ configs: compacted })
    const leader = await port.leader(topic.name)
    const { producer, coordinator } = await transactionalProducer(port)
    const start = Date.now() - hourMs
    await appendApart(leader, topic, [['a', '1']], start)
    await appendApart(leader, topic, [['a', '2']], start + stepMs)
    await beginTransaction(port, coordinator, producer, topic, 'open')
    const behind = [
      ['a', '3'],
      ['a', '4'],
      ['end', 'end'],
    ] as const
    await appendApart(leader, topic, behind, Date.now() + stepMs)
    await untilStored(port, leader, topic, ['2', 'open', '3', '4', 'end'])
  },
})
