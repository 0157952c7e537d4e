import { expect, it } from 'vitest'
import { createClient } from '../../src/client/index.ts'
import { kafkaError, type produceApi, type RequestOf } from '../../src/protocol/index.ts'
import { silentLog } from '../../src/observe/index.ts'
import { closeConnection, startBroker } from '../../src/testing/index.ts'

/*
 * Records without a key are written once each, to the partition that was chosen for them once, also when a broker
 * refuses some of them or its answer is lost. (Choosing anew for each attempt loses some and repeats others.)
 */

const topic = 'orders'
const partitions = 3
const rounds = 30

it('each once, where its result says', async () => {
  await using broker = await startBroker()
  await broker.createTopic(topic, { partitions })
  await using client = createClient({
    ...{ brokers: broker.bootstrap, log: silentLog },
    ...{ retryBackoffMs: 1, retryBackoffMsMax: 5 },
  })
  let requests = 0
  broker.intercept('Produce', async (request, proceed) => {
    requests += 1
    if (requests % 5 === 0) {
      await proceed()
      return closeConnection
    }
    if (requests % 3 !== 0) return proceed()
    const { topicData } = request.body as RequestOf<typeof produceApi>
    return {
      responses: topicData.map(({ partitionData, ...named }) => ({
        ...named,
        partitionResponses: partitionData.map(({ index }) => ({
          ...{ index, baseOffset: -1, errorCode: kafkaError.NOT_ENOUGH_REPLICAS },
        })),
      })),
    }
  })
  await using producer = client.producer({ batchBytesMax: 256 })
  const places = new Map<string, { partition: number; offset: number }>()
  for (let round = 0; round < rounds; round++) {
    const values = Array.from({ length: 9 }, (_, index) => `${round}.${index}`)
    const results = await producer.send(values.map((value) => ({ topic, value })))
    for (const [index, { partition, offset }] of results.toArray().entries()) {
      places.set(values[index] ?? '', { partition, offset })
    }
  }
  const stored = Array.from({ length: partitions }, (_, partition) =>
    broker
      .records(topic, partition)
      .map(({ value, offset }) => [String(value), { partition, offset }] as const),
  ).flat()
  expect(stored).toHaveLength(rounds * 9)
  expect(new Map(stored)).toEqual(places)
  expect(new Set(stored.map(([, { partition }]) => partition)).size).toBe(partitions)
})
