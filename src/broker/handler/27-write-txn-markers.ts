import { kafkaError, writeTxnMarkersApi } from '../../protocol/index.ts'
import type { RequestOf } from '../../protocol/index.ts'
import { isRefusal } from '../refusal.ts'
import { defineHandler } from './handler.ts'
import type { RequestContext } from './handler.ts'
import { findLedPartition } from './partition-access.ts'

type Marker = RequestOf<typeof writeTxnMarkersApi>['markers'][number]

/**
 * WriteTxnMarkers 1: ends transactions by hand. Our own coordinator does not need it; an operator
 * does, whose transaction nobody ends (`kafka-transactions abort`).
 */
export const writeTxnMarkers = defineHandler({
  api: writeTxnMarkersApi,
  versions: [1, 1],
  async handle(request, context) {
    const markers = request.markers.map(async (marker) => ({
      producerId: marker.producerId,
      topics: await Promise.all(marker.topics.map((topic) => writeToTopic(marker, topic, context))),
    }))
    return { markers: await Promise.all(markers) }
  },
})

async function writeToTopic(
  marker: Marker,
  { name, partitionIndexes }: Marker['topics'][number],
  context: RequestContext,
) {
  const partitions = partitionIndexes.map(async (partitionIndex) => ({
    partitionIndex,
    errorCode: await writeToPartition(marker, name, partitionIndex, context),
  }))
  return { name, partitions: await Promise.all(partitions) }
}

async function writeToPartition(
  { producerId, producerEpoch, coordinatorEpoch, transactionResult: commit }: Marker,
  topic: string,
  partition: number,
  { broker, nodeId }: RequestContext,
): Promise<number> {
  const found = findLedPartition(
    broker.cluster,
    { name: topic, id: '', byId: false },
    partition,
    nodeId,
  )
  if (isRefusal(found)) return kafkaError[found.error]
  const refusal = await broker.transactions.writeMarker(topic, partition, {
    producerId,
    producerEpoch,
    coordinatorEpoch,
    commit,
    // What this version does not say. The check is the weaker one of old transactions.
    transactionVersion: 0,
  })
  return kafkaError[refusal?.error ?? 'NONE']
}
