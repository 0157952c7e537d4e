import type { EmbeddedBroker } from '../../../src/broker/index.ts'
import { Admin } from '../../../src/client/admin/index.ts'
import type { Platform } from '../../../src/platform/index.ts'
import { recordHistory } from '../../../src/testing/index.ts'
import type { HistoryRecorder } from '../../../src/testing/index.ts'
import { BrokerSession } from '../broker-session.ts'
import { simulated } from '../broker-simulation.ts'
import { checkSettled } from '../check-settled.ts'
import { Reader } from '../readers.ts'
import { connectCluster } from '../transactional-clients.ts'
import { groupName } from './world-clients.ts'
import type { WorldClients } from './world-clients.ts'

const { topic, target, partitions, brokerHost, port } = simulated

/** How long anything may take once nothing goes wrong any more. */
const patienceMs = 30_000
const lookEveryMs = 50
const allPartitions = Array.from({ length: partitions }, (_, index) => index)

export interface FinalReaderOptions {
  readonly platform: Platform
  readonly history: HistoryRecorder
  readonly clients: WorldClients
  readonly nodes: number
  readonly broker: () => EmbeddedBroker
  /** Whether nothing befalls the cluster any more. */
  readonly isCalm: () => boolean
  /** Tells the members that all is done. */
  readonly endMembers: () => void
}

/**
 * Sees a world to its end: waits until whoever writes has come to its end and every transaction is decided,
 * until the group has committed all of it, until the members have left, and until nothing is undecided
 * anywhere; then reads everything from the start.
 */
export async function readFinally(options: FinalReaderOptions): Promise<void> {
  const { platform, history, clients, broker, isCalm, endMembers } = options
  const { clock } = platform
  await until('the faults to be over', () => (isCalm() ? undefined : 'a node is down'))
  await until('the writers to come to their end', () => ended(clients, clients.writers))
  await until('the topic to be decided', () => settledTopic(broker()))
  const session = sessionOf(platform)
  if (clients.members.length > 0) {
    leadFromFirstNode(broker())
    await untilAllCommitted(options, await lastOffsets(session))
    endMembers()
    await until('the members to come to their end', () => ended(clients, clients.members))
  }
  await until('all to be decided', () => settled(broker()))
  leadFromFirstNode(broker())
  history.note({ kind: 'final', process: 'final-reader' })
  for (const each of [topic, target]) await readerOf(session, history, each).readToEnd()
  session.drop()

  /** `isThere` answers what is missing. */
  async function until(what: string, missing: () => string | undefined): Promise<void> {
    const deadlineMs = clock.elapsedMs() + patienceMs
    for (let found = missing(); found !== undefined; found = missing()) {
      if (clock.elapsedMs() > deadlineMs) throw new Error(`waited in vain for ${what}: ${found}`)
      await clock.sleep(lookEveryMs)
    }
  }
}

function ended(clients: WorldClients, names: readonly string[]): string | undefined {
  const running = clients.running(names)
  return running.length === 0 ? undefined : `${running.join(', ')} goes on`
}

function settled(broker: EmbeddedBroker): string | undefined {
  try {
    checkSettled(broker)
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}

/** What is written to the topic is read while others still work on it: no transaction may hang there. */
function settledTopic(broker: EmbeddedBroker): string | undefined {
  for (const { index, log } of broker.cluster.topic(topic)?.partitions ?? []) {
    if (log.lastStableOffset !== log.logEndOffset) {
      return `${topic}-${index} is stable up to ${log.lastStableOffset} of ${log.logEndOffset}`
    }
  }
  return undefined
}

/** The reader speaks to one node only. */
function leadFromFirstNode({ cluster }: EmbeddedBroker): void {
  const [first] = cluster.nodes
  if (first === undefined) return
  for (const name of [topic, target]) {
    for (const partition of cluster.topic(name)?.partitions ?? []) {
      if (partition.leader !== first.id) cluster.moveLeader(partition, first.id)
    }
  }
}

/** The last record of each partition of the topic. */
async function lastOffsets(session: BrokerSession): Promise<ReadonlyMap<number, number>> {
  const { clock } = session.platform
  const read = recordHistory({ now: () => clock.elapsedMs() })
  await readerOf(session, read, topic).readToEnd()
  const last = new Map<number, number>()
  for (const event of read.events) {
    if (event.event !== 'end') continue
    for (const { partition, offsets } of event.reads ?? []) {
      last.set(partition, Math.max(last.get(partition) ?? -1, ...offsets))
    }
  }
  return last
}

async function untilAllCommitted(
  { platform, nodes }: FinalReaderOptions,
  lastRecords: ReadonlyMap<number, number>,
): Promise<void> {
  const { clock } = platform
  await using cluster = connectCluster({
    ...{ platform, nodes, host: brokerHost, port, clientId: 'final-reader' },
  })
  const admin = new Admin(cluster)
  const deadlineMs = clock.elapsedMs() + patienceMs
  for (;;) {
    const committed = await admin.groups.offsets(groupName)
    const missing = [...lastRecords].filter(([partition, offset]) => {
      const found = committed.find((each) => each.topic === topic && each.partition === partition)
      return found?.error !== undefined || (found?.offset ?? 0) <= offset
    })
    if (missing.length === 0) return
    if (clock.elapsedMs() > deadlineMs) {
      const wanted = missing.map(([partition, offset]) => `${partition} past ${offset}`).join(', ')
      throw new Error(
        `waited in vain for the group to commit ${wanted}: it has ${JSON.stringify(committed)}`,
      )
    }
    await clock.sleep(lookEveryMs)
  }
}

function sessionOf(platform: Platform): BrokerSession {
  return new BrokerSession({
    ...{ platform, host: brokerHost, port, clientId: 'final-reader', timeoutMs: 1_000 },
  })
}

function readerOf(session: BrokerSession, history: HistoryRecorder, of: string): Reader {
  return new Reader({
    ...{ session, history, topic: of, partitions: allPartitions, goesOn: () => true },
    name: `final-reader of ${of}`,
  })
}
