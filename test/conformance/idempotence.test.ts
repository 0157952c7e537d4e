import { expect } from 'vitest'
import { deleteRecordsApi } from '../../src/protocol/index.ts'
import { conformance } from './conformance.ts'
import { expectError } from './expectation.ts'
import { listOffset, idempotentProducer, latestTimestamp, produce, valuesOf } from './steps.ts'

conformance('idempotence', {
  'a repeated batch is answered with its first offset and not stored again': async (port) => {
    const topic = await port.topic()
    const leader = await port.leader(topic.name)
    const producer = await idempotentProducer(port)
    const batch = { ...producer, baseSequence: 0 }
    const first = await produce(leader, topic, batch)
    await produce(leader, topic, { ...producer, baseSequence: 1 })
    const again = await produce(leader, topic, batch)
    expectError(again.errorCode, 'NONE')
    expect(again.baseOffset).toBe(first.baseOffset)
    expect((await listOffset(leader, topic, latestTimestamp)).offset).toBe(2)
  },

  'the last five batches are remembered': async (port) => {
    const topic = await port.topic()
    const leader = await port.leader(topic.name)
    const producer = await idempotentProducer(port)
    for (let baseSequence = 0; baseSequence < 5; baseSequence++) {
      await produce(leader, topic, { ...producer, baseSequence })
    }
    const again = await produce(leader, topic, { ...producer, baseSequence: 0 })
    expectError(again.errorCode, 'NONE')
    expect(again.baseOffset).toBe(0)
  },

  'a batch older than the last five is a duplicate without its offset': async (port) => {
    const topic = await port.topic()
    const leader = await port.leader(topic.name)
    const producer = await idempotentProducer(port)
    for (let baseSequence = 0; baseSequence < 6; baseSequence++) {
      await produce(leader, topic, { ...producer, baseSequence })
    }
    const again = await produce(leader, topic, { ...producer, baseSequence: 0 })
    expectError(again.errorCode, 'OUT_OF_ORDER_SEQUENCE_NUMBER')
  },

  'a gap in the sequence is refused': async (port) => {
    const topic = await port.topic()
    const leader = await port.leader(topic.name)
    const producer = await idempotentProducer(port)
    await produce(leader, topic, { ...producer, baseSequence: 0 })
    const gap = await produce(leader, topic, { ...producer, baseSequence: 2 })
    expectError(gap.errorCode, 'OUT_OF_ORDER_SEQUENCE_NUMBER')
  },

  'a batch that overlaps with the last one is refused': async (port) => {
    const topic = await port.topic()
    const leader = await port.leader(topic.name)
    const producer = await idempotentProducer(port)
    const records = [{ value: 'a' }, { value: 'b' }]
    await produce(leader, topic, { ...producer, baseSequence: 0, records })
    const overlap = await produce(leader, topic, { ...producer, baseSequence: 1, records })
    expectError(overlap.errorCode, 'OUT_OF_ORDER_SEQUENCE_NUMBER')
  },

  'an epoch below the known one is refused with INVALID_PRODUCER_EPOCH': async (port) => {
    const topic = await port.topic()
    const leader = await port.leader(topic.name)
    const { producerId } = await idempotentProducer(port)
    await produce(leader, topic, { producerId, producerEpoch: 3, baseSequence: 0 })
    const old = await produce(leader, topic, { producerId, producerEpoch: 2, baseSequence: 1 })
    expectError(old.errorCode, 'INVALID_PRODUCER_EPOCH')
  },

  'a higher epoch starts again at sequence 0': async (port) => {
    const topic = await port.topic()
    const leader = await port.leader(topic.name)
    const { producerId } = await idempotentProducer(port)
    await produce(leader, topic, { producerId, producerEpoch: 0, baseSequence: 0 })
    const gap = await produce(leader, topic, { producerId, producerEpoch: 1, baseSequence: 1 })
    expectError(gap.errorCode, 'OUT_OF_ORDER_SEQUENCE_NUMBER')
    const start = await produce(leader, topic, { producerId, producerEpoch: 1, baseSequence: 0 })
    expectError(start.errorCode, 'NONE')
  },

  'a producer that the partition does not know may start anywhere': async (port) => {
    const topic = await port.topic()
    const leader = await port.leader(topic.name)
    const producer = await idempotentProducer(port)
    const first = await produce(leader, topic, { ...producer, baseSequence: 17 })
    expectError(first.errorCode, 'NONE')
    const next = await produce(leader, topic, { ...producer, baseSequence: 18 })
    expectError(next.errorCode, 'NONE')
  },

  'the sequence wraps from the largest 32-bit number to 0': async (port) => {
    const topic = await port.topic()
    const leader = await port.leader(topic.name)
    const producer = await idempotentProducer(port)
    await produce(leader, topic, { ...producer, baseSequence: 2 ** 31 - 1 })
    const wrapped = await produce(leader, topic, { ...producer, baseSequence: 0 })
    expectError(wrapped.errorCode, 'NONE')
    expect(wrapped.baseOffset).toBe(1)
  },

  'the sequence wraps within a batch': async (port) => {
    const topic = await port.topic()
    const leader = await port.leader(topic.name)
    const producer = await idempotentProducer(port)
    const records = [{ value: 'a' }, { value: 'b' }, { value: 'c' }]
    await produce(leader, topic, { ...producer, baseSequence: 2 ** 31 - 2, records })
    const next = await produce(leader, topic, { ...producer, baseSequence: 1 })
    expectError(next.errorCode, 'NONE')
  },

  'each partition has sequences of its own': async (port) => {
    const topic = await port.topic({ partitions: 2 })
    const producer = await idempotentProducer(port)
    for (const partition of [0, 1]) {
      const leader = await port.leader(topic.name, partition)
      const batch = { ...producer, baseSequence: 0 }
      const produced = await produce(leader, topic, batch, { partition })
      expectError(produced.errorCode, 'NONE')
      expect(produced.baseOffset).toBe(0)
    }
  },

  'a producer id with a negative sequence is refused': async (port) => {
    const topic = await port.topic()
    const leader = await port.leader(topic.name)
    const producer = await idempotentProducer(port)
    const produced = await produce(leader, topic, { ...producer, baseSequence: -1 })
    expectError(produced.errorCode, 'INVALID_RECORD')
  },

  'deleted records do not make the producer unknown': async (port) => {
    const topic = await port.topic()
    const leader = await port.leader(topic.name)
    const producer = await idempotentProducer(port)
    for (let baseSequence = 0; baseSequence < 3; baseSequence++) {
      await produce(leader, topic, { ...producer, baseSequence })
    }
    await leader.request(deleteRecordsApi, 2, {
      topics: [{ name: topic.name, partitions: [{ partitionIndex: 0, offset: -1 }] }],
      timeoutMs: 10_000,
    })
    const gap = await produce(leader, topic, { ...producer, baseSequence: 7 })
    expectError(gap.errorCode, 'OUT_OF_ORDER_SEQUENCE_NUMBER')
    const next = await produce(leader, topic, { ...producer, baseSequence: 3 })
    expectError(next.errorCode, 'NONE')
  },

  'batches of several producers stay apart': async (port) => {
    const topic = await port.topic()
    const leader = await port.leader(topic.name)
    const [one, two] = [await idempotentProducer(port), await idempotentProducer(port)]
    expect(one.producerId).not.toBe(two.producerId)
    for (let baseSequence = 0; baseSequence < 4; baseSequence++) {
      for (const producer of [one, two]) {
        const produced = await produce(leader, topic, { ...producer, baseSequence })
        expectError(produced.errorCode, 'NONE')
      }
    }
    expect(await valuesOf(leader, topic)).toHaveLength(8)
  },

  'pipelined batches are taken in the order in which they were sent': async (port) => {
    const topic = await port.topic()
    const leader = await port.leader(topic.name)
    const producer = await idempotentProducer(port)
    const produced = await Promise.all(
      [0, 1, 2, 3, 4].map((baseSequence) => produce(leader, topic, { ...producer, baseSequence })),
    )
    expect(produced.map((partition) => partition.errorCode)).toEqual([0, 0, 0, 0, 0])
    expect(produced.map((partition) => partition.baseOffset)).toEqual([0, 1, 2, 3, 4])
  },
})
