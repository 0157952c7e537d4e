/** A member of a group, by the library, for worlds of clients. */
import { isMillraceError } from '../../../src/errors.ts'
import type {
  ConsumerOptions,
  GroupMetadata,
  TopicPartition,
  Consumer,
} from '../../../src/client/index.ts'
import type { KafkaCluster } from '../../../src/client/cluster/kafka-cluster.ts'
import { createConsumer } from '../../../src/client/consumer/create-consumer.ts'
import type { HistoryRecorder, PolledRecord } from '../../../src/testing/index.ts'
import { recordsOf } from '../consumer-clients.ts'
import type { Tally } from './exercised.ts'
import type { Ownership } from './ownership.ts'

export interface GroupClientOptions {
  readonly cluster: KafkaCluster
  readonly history: HistoryRecorder
  readonly tally: Tally
  readonly ownership: Ownership
  /** The process in the history. */
  readonly name: string
  readonly group: string
  readonly topic: string
  readonly consumer: Partial<ConsumerOptions>
  readonly goesOn: () => boolean
}

/** Small, so that a partition is fetched in many pieces, and the buffer is full at times. */
const limits = { partitionFetchBytesMax: 900, bufferedBytesMax: 3_000, fetchWaitMsMax: 150 }
const pollMs = 250
const recordsMax = 7
const stallMs = 1_000

/** What a poll has brought, to the member that it was when it was brought. */
export interface Polled {
  readonly consumer: Consumer
  readonly records: readonly PolledRecord[]
  readonly member: GroupMetadata
  /** What is still the member's own, as far as it has been told. */
  readonly owned: () => readonly TopicPartition[]
}

/** Works on what a poll has brought; the next poll waits for it. */
export type Handle = (polled: Polled) => Promise<void>

/**
 * Is a member for as long as it shall. A static member that is fenced, which the protocol does not always spare
 * it, begins again, as its process would.
 */
export async function runGroupClient(options: GroupClientOptions, handle: Handle): Promise<void> {
  const { goesOn, tally, cluster } = options
  for (let life = 1; goesOn(); life++) {
    try {
      await runMemberLife(options, `${options.name}/${life}`, handle)
    } catch (error) {
      if (!isMillraceError(error, 'MILLRACE_CLIENT_MEMBER_FENCED')) throw error
      tally.count('groups', 'static members begun again')
      await cluster.platform.clock.sleep(cluster.platform.random.integer(200))
    }
  }
}

async function runMemberLife(
  options: GroupClientOptions,
  process: string,
  handle: Handle,
): Promise<void> {
  const { cluster, history, tally, ownership, group, topic, goesOn } = options
  const { clock, random } = cluster.platform
  const owned = new Set<number>()
  let working: Promise<void> = Promise.resolve()
  const waitsForWork = random.integer(2) === 0
  const giveUp = (partitions: readonly TopicPartition[]) => {
    for (const { partition } of partitions) owned.delete(partition)
  }
  await using consumer = createConsumer(cluster, {
    ...limits,
    offsetReset: 'earliest',
    groupId: group,
    onAssigned: (given) => {
      tally.count('groups', 'partitions given', given.length)
      for (const { partition } of given) owned.add(partition)
      ownership.claim(consumer.groupMetadata(), given)
    },
    onRevoked: async (taken, { signal }) => {
      tally.count('groups', 'partitions taken', taken.length)
      if (waitsForWork) await Promise.race([working, aborted(signal)])
      giveUp(taken)
    },
    onLost: (lost) => {
      tally.count('groups', 'partitions lost', lost.length)
      giveUp(lost)
    },
    ...options.consumer,
  })
  history.note({ kind: 'subscribe', process, topics: [topic] })
  consumer.subscribe(topic)
  while (goesOn()) {
    const polled = history.begin({ kind: 'poll', process, group })
    const records = await consumer
      .poll({ maxRecords: recordsMax, timeoutMs: pollMs })
      .then(recordsOf, (error: unknown) => {
        polled.failed(error)
        throw error
      })
    polled.ok({ records })
    if (records.length === 0) continue
    const foreign = records.find(({ partition }) => !owned.has(partition))
    if (foreign !== undefined) {
      throw new Error(`${process} was handed ${foreign.partition}, which is not its own`)
    }
    const member = consumer.groupMetadata()
    ownership.claim(member, records)
    const work = handle({
      ...{ consumer, records, member },
      owned: () => consumer.assignment.filter(({ partition }) => owned.has(partition)),
    })
    working = work.catch(() => undefined)
    await work
    if (random.integer(40) === 0) await clock.sleep(stallMs)
    else await clock.sleep(random.integer(40))
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve()))
}
