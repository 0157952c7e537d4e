import { createNodePlatform } from '../../src/platform/index.ts'
import { createTopicsApi, metadataApi, produceApi } from '../../src/protocol/index.ts'
import { RecordBatchBuilder } from '../../src/protocol/records/index.ts'
import { WireClient } from '../../src/testing/index.ts'

export const topic = 'benchmark'

export function connect(port: number): Promise<WireClient> {
  return WireClient.connect({ platform: createNodePlatform(), host: '127.0.0.1', port })
}

/** A batch of equal records without a producer id, to be sent again and again. */
export function batchOf(records: number, valueBytes: number): Buffer {
  const builder = new RecordBatchBuilder()
  const value = Buffer.alloc(valueBytes, 'x')
  for (let i = 0; i < records; i++) builder.append({ key: null, value, timestamp: 0 })
  return builder.build()
}

export async function createTopic(client: WireClient, partitions: number): Promise<void> {
  await client.request(createTopicsApi, 7, {
    topics: [
      {
        name: topic,
        numPartitions: partitions,
        replicationFactor: 1,
        assignments: [],
        configs: [],
      },
    ],
    timeoutMs: 10_000,
  })
  await client.request(metadataApi, 12, { topics: [{ name: topic }] })
}

export async function produce(client: WireClient, partition: number, batch: Buffer): Promise<void> {
  const response = await client.request(produceApi, 9, {
    acks: -1,
    timeoutMs: 10_000,
    topicData: [{ name: topic, partitionData: [{ index: partition, records: batch }] }],
  })
  const errorCode = response.responses[0]?.partitionResponses[0]?.errorCode
  if (errorCode !== 0) throw new Error(`Produce answered error ${String(errorCode)}`)
}
