import type { RequestInput, ResponseOf } from '../../protocol/index.ts'
import { produceApi } from '../../protocol/index.ts'
import type { PartitionAnswer } from './attempt.ts'
import type { PartitionQueue } from './partition-queue.ts'
import type { ProducerBatch } from './producer-batch.ts'

/** A batch in a request, and the queue that it came from. */
export interface SentBatch {
  readonly queue: PartitionQueue
  readonly batch: ProducerBatch
}

interface RequestTopic {
  readonly name: string
  readonly id: string | undefined
  readonly sent: SentBatch[]
}

/** What Kafka appends per partition goes with topic ids from this version on. */
const versionWithTopicIds = 13

export type ProduceResponse = ResponseOf<typeof produceApi>
type PartitionResponse = ProduceResponse['responses'][number]['partitionResponses'][number]

/** The batches that go to one broker together: at most one of each partition. */
export class ProduceRequest {
  readonly leaderId: number
  readonly topics: RequestTopic[] = []
  /** The size of the batches. */
  bytes = 0
  batchCount = 0

  constructor(leaderId: number) {
    this.leaderId = leaderId
  }

  add(topicId: string | undefined, queue: PartitionQueue, batch: ProducerBatch): void {
    let topic = this.topics[this.topics.length - 1]
    if (topic?.name !== queue.topic) {
      topic = this.topics.find(({ name }) => name === queue.topic)
      if (topic === undefined) {
        topic = { name: queue.topic, id: topicId, sent: [] }
        this.topics.push(topic)
      }
    }
    topic.sent.push({ queue, batch })
    this.bytes += batch.sizeInBytes
    this.batchCount += 1
  }

  /** The highest version that can name all its topics. */
  get versionMax(): number {
    const haveIds = this.topics.every(({ id }) => id !== undefined)
    return haveIds ? produceApi.versions.last : versionWithTopicIds - 1
  }

  body(
    acks: number,
    timeoutMs: number,
    transactionalId: string | null,
  ): RequestInput<typeof produceApi> {
    return {
      transactionalId,
      acks,
      timeoutMs,
      topicData: this.topics.map(({ name, id, sent }) => ({
        name,
        ...(id === undefined ? {} : { topicId: id }),
        partitionData: sent.map(({ batch }) => ({ index: batch.partition, records: batch.bytes })),
      })),
    }
  }

  *batches(): Iterable<SentBatch> {
    for (const { sent } of this.topics) yield* sent
  }

  /** Each batch with what the response says of it; undefined where it says nothing. */
  *answers(
    response: ProduceResponse,
  ): Iterable<SentBatch & { readonly answer: (PartitionAnswer & PartitionResponse) | undefined }> {
    for (const [position, topic] of this.topics.entries()) {
      const isOf = ({ name, topicId }: { name: string; topicId: string }) =>
        name === topic.name || (name === '' && topicId === topic.id)
      const sameAt = response.responses[position]
      const answered = sameAt !== undefined && isOf(sameAt) ? sameAt : response.responses.find(isOf)
      const partitions = answered?.partitionResponses ?? []
      // Brokers answer in the order of the request; looked up one by one, a thousand would take a million steps.
      let byIndex: Map<number, PartitionResponse> | undefined
      for (const [place, { queue, batch }] of topic.sent.entries()) {
        const { partition } = batch
        const inPlace = partitions[place]
        const answer =
          inPlace?.index === partition
            ? inPlace
            : (byIndex ??= mapByIndex(partitions)).get(partition)
        yield { queue, batch, answer }
      }
    }
  }
}

function mapByIndex(partitions: readonly PartitionResponse[]): Map<number, PartitionResponse> {
  return new Map(partitions.map((each) => [each.index, each]))
}
