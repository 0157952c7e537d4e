/** Consumers of the library in a simulated world, alone and in groups. */
import type { Consumer } from '../../src/client/consumer/consumer.ts'
import type { ConsumerOptions } from '../../src/client/consumer/consumer-options.ts'
import { createConsumer } from '../../src/client/consumer/create-consumer.ts'
import type { FetchedBatch } from '../../src/client/consumer/fetched-batch.ts'
import type { KafkaCluster } from '../../src/client/cluster/kafka-cluster.ts'
import type {
  History,
  HistoryRecorder,
  PolledRecord,
  ScenarioResult,
  Simulation,
  TopicPartition,
} from '../../src/testing/index.ts'
import { client, simulateBroker, simulated } from './broker-simulation.ts'
import { runIdempotentProducer, runTransactionalProducer } from './producers.ts'
import { connectCluster } from './transactional-clients.ts'

const { topic, partitions, brokerHost, port, workMs, quietMs } = simulated

/** What is left of the time at the end for members to leave their groups. */
const leavingMs = 10_000

/**
 * Consumers of the library on a broker to which everything happens: one that is told what to read, and
 * jumps about in it; a group that commits what it has handled; a group that commits by itself. What they
 * were handed is held against what others wrote, and in the end each group has handled everything.
 */
export function simulateConsumers(
  seed: number,
): Promise<ScenarioResult & { readonly history: History }> {
  const replay = (again: number) => `npm run simulate -- --consumers --seed ${again}`
  return simulateBroker(seed, startClients, replay, (history) => {
    for (const group of ['committing', 'automatic']) checkAllHandled(history, group)
  })
}

function startClients(simulation: Simulation, history: HistoryRecorder): void {
  const writes = { history, topic, partitions, goesOn: () => simulation.nowMs < workMs }
  client(simulation, 'idempotent-1', (session, name) =>
    runIdempotentProducer({ ...writes, pauseMs: 60, session, name }),
  )
  for (const transactionalId of ['first', 'second', 'third']) {
    client(simulation, `transactional-${transactionalId}`, (session, name) =>
      runTransactionalProducer({ ...writes, pauseMs: 120, session, name, transactionalId }),
    )
  }
  const reads = { history, goesOn: () => simulation.nowMs < workMs + quietMs - leavingMs }
  const consumer = (name: string, run: (workload: ConsumerWorkload) => Promise<void>) =>
    client(simulation, name, async ({ platform }, process) => {
      const address = { platform, host: brokerHost, port, clientId: process }
      await using cluster = connectCluster(address)
      await run({ ...reads, cluster, name: process })
    })
  consumer('jumping', readAndJump)
  for (const number of [1, 2]) {
    consumer(`committing-${number}`, (workload) =>
      handleInGroup({ ...workload, group: 'committing', options: classic }),
    )
    // In this protocol the broker misses members that are no more for 45 s: these are not killed.
    consumer(`reader-automatic-${number}`, (workload) =>
      handleInGroup({ ...workload, group: 'automatic', options: automatic }),
    )
  }
}

export interface ConsumerWorkload {
  readonly cluster: KafkaCluster
  readonly history: HistoryRecorder
  /** The process in the history. */
  readonly name: string
  readonly goesOn: () => boolean
}

interface GroupWorkload extends ConsumerWorkload {
  readonly group: string
  readonly options: Partial<ConsumerOptions>
}

const classic: Partial<ConsumerOptions> = {
  groupProtocol: 'classic',
  sessionTimeoutMs: 6_000,
  heartbeatIntervalMs: 500,
  rebalanceTimeoutMs: 6_000,
}

const automatic: Partial<ConsumerOptions> = {
  groupProtocol: 'consumer',
  rebalanceTimeoutMs: 6_000,
  autoCommit: { intervalMs: 300 },
}

const pollMs = 400
/** Small, so that a partition is fetched in many pieces, and the buffer is full at times. */
const limits = { partitionFetchBytesMax: 700, bufferedBytesMax: 2_500, fetchWaitMsMax: 200 }

export function recordsOf(batches: readonly FetchedBatch[]): PolledRecord[] {
  return batches.flatMap((batch) =>
    Array.from(batch, ({ offset, value }) => ({
      topic: batch.topic,
      partition: batch.partition,
      offset,
      value: String(value),
    })),
  )
}

/** Reads all partitions from the start, pauses some of them at times, and seeks back and forth. */
export async function readAndJump({
  cluster,
  history,
  name,
  goesOn,
}: ConsumerWorkload): Promise<void> {
  const { clock, random } = cluster.platform
  await using consumer = createConsumer(cluster, { ...limits, offsetReset: 'none' })
  const all = Array.from({ length: partitions }, (_, partition) => ({ topic, partition }))
  history.note({ kind: 'assign', process: name, partitions: all })
  consumer.assign(all)
  for (const each of all) consumer.seek(each, 0)
  const seen = new SeenOffsets()
  while (goesOn()) {
    const records = await pollOnce(consumer, history, name)
    for (const record of records) seen.add(record)
    const handed = records.at(-1)
    if (random.integer(12) === 0 && handed !== undefined) jump(handed)
    if (random.integer(6) === 0) {
      const some = all.filter(() => random.integer(2) === 0)
      consumer.resume(all)
      if (random.integer(2) === 0) consumer.pause(some)
    }
    await clock.sleep(random.integer(100))
  }

  /** Somewhere that exists: at most one beyond what was handed out last. */
  function jump({ partition, offset }: PolledRecord): void {
    const to = random.integer(offset + 2)
    history.note({ kind: 'seek', process: name, offsets: [{ topic, partition, offset: to }] })
    seen.sought(partition, to)
    // Another seek on the way there leaves no trace.
    if (random.integer(3) === 0) consumer.seek({ topic, partition }, 'beginning')
    consumer.seek({ topic, partition }, to)
  }
}

/** The offsets of records that a reader from the start has been handed, to know what must come after a seek. */
class SeenOffsets {
  readonly #seen = new Map<number, Set<number>>()
  readonly #sought = new Map<number, number>()

  sought(partition: number, offset: number): void {
    this.#sought.set(partition, offset)
  }

  /** A record was handed out: the first one after a seek must be the first one from there on. */
  add({ partition, offset }: PolledRecord): void {
    const seen = this.#seen.get(partition) ?? new Set()
    const sought = this.#sought.get(partition)
    this.#sought.delete(partition)
    if (sought !== undefined) {
      const expected = [...seen].filter((each) => each >= sought).sort((a, b) => a - b)[0]
      if (offset < sought || (expected ?? offset) !== offset) {
        throw new Error(`after a seek to ${sought} came ${offset}, not ${expected}`)
      }
    }
    this.#seen.set(partition, seen.add(offset))
  }
}

/** Handles what its group gives it: each record at least once. */
async function handleInGroup(workload: GroupWorkload): Promise<void> {
  const { cluster, history, name, group, goesOn, options } = workload
  const { clock, random } = cluster.platform
  const owned = new Set<number>()
  const leave = (lost: readonly TopicPartition[]) => {
    for (const { partition } of lost) owned.delete(partition)
  }
  await using consumer = createConsumer(cluster, {
    ...limits,
    offsetReset: 'earliest',
    groupId: group,
    onAssigned: (given) => given.forEach(({ partition }) => owned.add(partition)),
    onRevoked: leave,
    onLost: leave,
    ...options,
  })
  history.note({ kind: 'subscribe', process: name, topics: [topic] })
  consumer.subscribe(topic)
  while (goesOn()) {
    const records = await pollOnce(consumer, history, name, group)
    for (const { partition, offset } of records) {
      if (!owned.has(partition)) throw new Error(`${name} was handed ${partition}, not its own`)
      const handling = { topic, partition, offset, group, key: null }
      history.begin({ kind: 'handler', process: name, ...handling }).ok()
    }
    await clock.sleep(random.integer(60))
    if (options.autoCommit === undefined) await commitOffsets(workload, consumer, records)
  }
}

async function pollOnce(
  consumer: Consumer,
  history: HistoryRecorder,
  process: string,
  group?: string,
): Promise<PolledRecord[]> {
  const polled = history.begin({
    kind: 'poll',
    process,
    ...(group === undefined ? {} : { group }),
  })
  const records = recordsOf(await consumer.poll({ maxRecords: 7, timeoutMs: pollMs }))
  polled.ok({ records })
  return records
}

/** Commits what was handled, as far as it is still ours. */
async function commitOffsets(
  { history, name, group }: GroupWorkload,
  consumer: Consumer,
  records: readonly PolledRecord[],
): Promise<void> {
  const last = new Map(records.map((each) => [each.partition, each.offset + 1]))
  if (last.size === 0) return
  const offsets = [...last].map(([partition, offset]) => ({ topic, partition, offset }))
  const commit = history.begin({ kind: 'commit', process: name, group, offsets })
  try {
    await consumer.commit(offsets)
    commit.ok()
  } catch (error) {
    // Partitions that were taken away meanwhile, or no answer: their records are handled again.
    commit.unknown(error)
  }
}

/** Every record that the last readers have found was handled in the group. */
export function checkAllHandled({ events }: History, group: string): void {
  const handled = new Set<string>()
  const finalPolls = new Set<number>()
  for (const event of events) {
    if (event.event !== 'begin') continue
    if (event.kind === 'handler' && event.group === group) {
      handled.add(`${event.partition} ${event.offset}`)
    }
    if (event.kind === 'poll' && event.process === `final-reader of ${topic}`) {
      finalPolls.add(event.id)
    }
  }
  for (const event of events) {
    if (event.event !== 'end' || !finalPolls.has(event.id)) continue
    for (const { partition, offsets } of event.reads ?? []) {
      const missed = offsets.filter((offset) => !handled.has(`${partition} ${offset}`))
      if (missed.length === 0) continue
      throw new Error(`group ${group} has never handled ${partition} at ${missed.join(', ')}`)
    }
  }
}
