/** The library's consumer on logs that compaction and retention have changed. */
import { expect } from 'vitest'
import type { Client } from '../../src/client/index.ts'
import { clientOf, partitionsOf, readAll, readCount, valuesOfRecords } from './client-steps.ts'
import { conformance } from './conformance.ts'
import type { Port, Topic } from './port.ts'

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

/** Sends records, each in a segment of its own; the last segment is never compacted. */
async function sendApart(
  client: Client,
  topic: Topic,
  records: readonly (readonly [key: string, value: string | null])[],
): Promise<void> {
  await using producer = client.producer()
  const startMs = Date.now() - hourMs
  for (const [index, [key, value]] of records.entries()) {
    await producer.send({ topic: topic.name, key, value, timestamp: startMs + index * stepMs })
  }
}

function untilStored(port: Port, client: Client, topic: Topic, values: readonly (string | null)[]) {
  const wanted = JSON.stringify(values)
  return port.eventually(`${wanted} is what is stored`, async () => {
    const read = await readAll(client, topic)
    return JSON.stringify(valuesOfRecords(read)) === wanted ? read : undefined
  })
}

conformance('client: compacted and deleted logs', {
  'records keep their offsets over gaps, and a seek into a gap goes on behind it': async (port) => {
    const topic = await port.topic({ configs: compacted })
    await using client = clientOf(port)
    await sendApart(client, topic, [
      ['a', '1'],
      ['b', '2'],
      ['a', '3'],
      ['a', '4'],
      ['a', '5'],
      ['a', '6'],
      ['a', '7'],
      ['end', 'end'],
    ])
    const read = await untilStored(port, client, topic, ['2', '7', 'end'])
    expect(read.map(({ offset }) => offset)).toEqual([1, 6, 7])
    await using consumer = client.consumer({ offsetReset: 'none' })
    const partition = { topic: topic.name, partition: 0 }
    consumer.assign([partition])
    consumer.seek(partition, 3)
    expect((await readCount(consumer, 2)).map(({ offset }) => offset)).toEqual([6, 7])
    consumer.seek(partition, 'beginning')
    expect((await readCount(consumer, 3)).map(({ offset }) => offset)).toEqual([1, 6, 7])
  },

  'a reader of what retention has removed goes on at what is left': async (port) => {
    const topic = await port.topic({ configs: { ...rolling, 'retention.ms': '60000' } })
    await using client = clientOf(port)
    await sendApart(client, topic, [
      ['a', '1'],
      ['a', '2'],
    ])
    await using consumer = client.consumer({ offsetReset: 'earliest' })
    await port.eventually('all is gone', async () => {
      const [first] = await consumer.beginningOffsets(partitionsOf(topic))
      return first?.offset === 2 ? true : undefined
    })
    await using producer = client.producer()
    expect(await producer.send({ topic: topic.name, value: 'next' })).toMatchObject({ offset: 2 })
    const partition = { topic: topic.name, partition: 0 }
    consumer.assign([partition])
    consumer.seek(partition, 0)
    expect((await readCount(consumer, 1)).map(({ offset }) => offset)).toEqual([2])
  },
})
