import type { Platform } from '../../platform/index.ts'
import {
  describeShareGroupOffsetsApi,
  incrementalAlterConfigsApi,
  kafkaError,
  produceApi,
  shareAcknowledgeApi,
  shareFetchApi,
  shareGroupHeartbeatApi,
} from '../../protocol/index.ts'
import type { ResponseOf } from '../../protocol/index.ts'
import { RecordBatchBuilder } from '../../protocol/records/index.ts'
import { createSimulation } from '../../testing/simulation/index.ts'
import { WireClient } from '../../testing/wire-client.ts'
import { startBroker } from '../embedded-broker.ts'
import type { EmbeddedBroker } from '../embedded-broker.ts'
import { resourceType } from '../handler/config-resource.ts'
import { isRefusal } from '../refusal.ts'
import type { AcquiredRange } from './share-state.ts'

export const topicName = 'orders'
export const groupName = 'workers'

const properties = {
  'offsets.topic.num.partitions': '1',
  'share.coordinator.state.topic.num.partitions': '1',
  'group.share.min.record.lock.duration.ms': '1000',
}

/** Runs a program on a machine of a simulation: time passes as fast as nothing happens. */
export function onMachine(program: (platform: Platform) => Promise<void>): Promise<void> {
  const simulation = createSimulation({ seed: 932 })
  return simulation.runProcess('broker', 'broker', program, { withinMs: 3_600_000 })
}

/** Starts a broker that keeps what it knows in `/data`, with a topic of one partition a node. */
export async function startSharing(
  platform: Platform,
  more: Readonly<Record<string, string>> = {},
  nodes = 1,
): Promise<EmbeddedBroker> {
  const broker = await startBroker({
    ...{ platform, host: 'broker', insecure: true, data: '/data', nodes },
    properties: { ...properties, ...more },
  })
  await broker.cluster.prepareCoordinators('group')
  if (broker.cluster.topic(topicName) === undefined) await createTopic(broker, nodes)
  return broker
}

export async function createTopic({ cluster }: EmbeddedBroker, partitions = 1): Promise<void> {
  const topic = { name: topicName, partitions, replicationFactor: 1, configs: new Map() }
  const made = await cluster.createTopic(topic)
  if (isRefusal(made)) throw new Error(made.message)
}

/**
 * A member of the group, which speaks the protocol itself: nothing is said but what a test says. It is
 * about one partition, and with the node that leads it.
 */
export class Sharer {
  readonly memberId: string
  readonly partition: number
  readonly client: WireClient
  readonly #broker: EmbeddedBroker
  #topicId = ''
  epoch = 0
  memberEpoch = 0

  constructor(broker: EmbeddedBroker, client: WireClient, memberId: string, partition: number) {
    this.#broker = broker
    this.client = client
    this.memberId = memberId
    this.partition = partition
  }

  static async connect(
    platform: Platform,
    broker: EmbeddedBroker,
    memberId: string,
    partition = 0,
  ): Promise<Sharer> {
    const leader = broker.cluster.partition(topicName, partition)?.leader ?? 1
    const port = Number(broker.bootstrap.split(',')[leader - 1]?.split(':').at(-1))
    const client = await WireClient.connect({ platform, host: 'broker', port })
    return new Sharer(broker, client, memberId, partition)
  }

  /** The id of the topic; the last one while there is none. */
  get topicId(): string {
    this.#topicId = this.#broker.cluster.topic(topicName)?.id ?? this.#topicId
    return this.#topicId
  }

  /** Sets a property of the group. */
  async configure(name: string, value: string): Promise<void> {
    const { responses } = await this.client.request(incrementalAlterConfigsApi, 1, {
      resources: [
        {
          resourceType: resourceType.group,
          resourceName: groupName,
          configs: [{ name, configOperation: 0, value }],
        },
      ],
      validateOnly: false,
    })
    if (responses[0]?.errorCode !== kafkaError.NONE)
      throw new Error(String(responses[0]?.errorMessage))
  }

  /** Appends batches of so many records. */
  async produce(...sizes: number[]): Promise<void> {
    for (const size of sizes) {
      const builder = new RecordBatchBuilder()
      for (let i = 0; i < size; i++) {
        builder.append({ key: null, value: Buffer.from(`value-${i}`), timestamp: 1_000_000 })
      }
      const { responses } = await this.client.request(produceApi, 9, {
        transactionalId: null,
        acks: -1,
        timeoutMs: 5_000,
        topicData: [
          { name: topicName, partitionData: [{ index: this.partition, records: builder.build() }] },
        ],
      })
      const errorCode = responses[0]?.partitionResponses[0]?.errorCode
      if (errorCode !== kafkaError.NONE) throw new Error(`produce: ${errorCode}`)
    }
  }

  async heartbeat(
    memberEpoch = this.memberEpoch,
  ): Promise<ResponseOf<typeof shareGroupHeartbeatApi>> {
    const answer = await this.client.request(shareGroupHeartbeatApi, 1, {
      groupId: groupName,
      memberId: this.memberId,
      memberEpoch,
      subscribedTopicNames: memberEpoch === 0 ? [topicName] : null,
    })
    if (answer.errorCode === kafkaError.NONE) this.memberEpoch = answer.memberEpoch
    return answer
  }

  /** One ShareFetch as it is asked; acknowledgements go with it. */
  async rawFetch(
    more: {
      readonly epoch?: number
      readonly maxWaitMs?: number
      readonly maxRecords?: number
      readonly said?: readonly Said[]
    } = {},
  ): Promise<ResponseOf<typeof shareFetchApi>> {
    const { epoch = this.epoch, maxWaitMs = 0, maxRecords = 500, said = [] } = more
    const answer = await this.client.request(shareFetchApi, 1, {
      groupId: groupName,
      memberId: this.memberId,
      shareSessionEpoch: epoch,
      maxWaitMs,
      minBytes: 1,
      maxRecords,
      batchSize: 500,
      topics: [
        {
          topicId: this.topicId,
          partitions: [
            { partitionIndex: this.partition, acknowledgementBatches: said.map(batchOf) },
          ],
        },
      ],
      forgottenTopicsData: [],
    })
    if (answer.errorCode === kafkaError.NONE) this.epoch = epoch + 1
    return answer
  }

  /** What one ShareFetch has acquired. */
  async fetch(more: Parameters<Sharer['rawFetch']>[0] = {}): Promise<AcquiredRange[]> {
    const answer = await this.rawFetch(more)
    const partition = answer.responses[0]?.partitions[0]
    const codes = [
      answer.errorCode,
      partition?.errorCode ?? 0,
      partition?.acknowledgeErrorCode ?? 0,
    ]
    if (codes.some((code) => code !== kafkaError.NONE)) throw new Error(`fetch: ${codes.join()}`)
    return (partition?.acquiredRecords ?? []).map(({ firstOffset, lastOffset, deliveryCount }) => ({
      first: firstOffset,
      last: lastOffset,
      count: deliveryCount,
    }))
  }

  /** Answers the code of the whole, or that of the partition. */
  async acknowledge(...said: Said[]): Promise<number> {
    return this.acknowledgeIn(this.epoch, ...said)
  }

  /** Where the group is; -1 where it has not begun. */
  async startOffset(): Promise<number> {
    const { groups } = await this.client.request(describeShareGroupOffsetsApi, 0, {
      groups: [{ groupId: groupName, topics: [{ topicName, partitions: [this.partition] }] }],
    })
    return groups[0]?.topics[0]?.partitions[0]?.startOffset ?? Number.NaN
  }

  async acknowledgeIn(epoch: number, ...said: Said[]): Promise<number> {
    const answer = await this.client.request(shareAcknowledgeApi, 1, {
      groupId: groupName,
      memberId: this.memberId,
      shareSessionEpoch: epoch,
      topics: [
        {
          topicId: this.topicId,
          partitions: [
            { partitionIndex: this.partition, acknowledgementBatches: said.map(batchOf) },
          ],
        },
      ],
    })
    if (answer.errorCode === kafkaError.NONE) this.epoch = epoch + 1
    return answer.errorCode === kafkaError.NONE
      ? (answer.responses[0]?.partitions[0]?.errorCode ?? kafkaError.NONE)
      : answer.errorCode
  }
}

/** Offsets, and Kafka's number of what is said of them. */
export type Said = readonly [first: number, last: number, type: number]

function batchOf([firstOffset, lastOffset, type]: Said) {
  return { firstOffset, lastOffset, acknowledgeTypes: [type] }
}
