/** Promise: our members and Java's share a group, whoever of them leads it. */
import { spawn } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { createCluster } from '../../src/client/cluster/kafka-cluster.ts'
import type { KafkaCluster } from '../../src/client/cluster/kafka-cluster.ts'
import { rangeAssignor } from '../../src/client/consumer/group/assignors/range.ts'
import {
  cooperativeStickyAssignor,
  stickyAssignor,
} from '../../src/client/consumer/group/assignors/sticky.ts'
import { createGroupMember } from '../../src/client/consumer/group/create-group-member.ts'
import { groupMemberDefaults } from '../../src/client/consumer/group/group-member-options.ts'
import type { GroupMemberOptions } from '../../src/client/consumer/group/group-member-options.ts'
import type { GroupMember, GroupMemberHandler } from '../../src/client/consumer/group-member.ts'
import { resolveClientOptions } from '../../src/client/resolve-options.ts'
import { silentLog } from '../../src/observe/index.ts'
import { createNodePlatform } from '../../src/platform/index.ts'
import { createTopicsApi } from '../../src/protocol/index.ts'
import { startBroker } from '../../src/testing/index.ts'
import { kafkaClassPath } from './kafka-jars.ts'
import { startRealKafka } from './real-kafka.ts'

const platform = createNodePlatform()
const topics = ['t', 'u']
const partitions = 6
const all = topics.length * partitions

const kinds: readonly (readonly [string, string, Partial<GroupMemberOptions>])[] = [
  ['cooperative-sticky', strategy('CooperativeStickyAssignor'), classic(cooperativeStickyAssignor)],
  ['sticky', strategy('StickyAssignor'), classic(stickyAssignor)],
  ['range', strategy('RangeAssignor'), classic(rangeAssignor)],
  ['consumer', 'group.protocol=consumer', { groupProtocol: 'consumer' }],
]

function strategy(name: string): string {
  return `partition.assignment.strategy=org.apache.kafka.clients.consumer.${name}`
}

function classic(assignor: typeof rangeAssignor): Partial<GroupMemberOptions> {
  return { groupProtocol: 'classic', assignors: [assignor] }
}

interface Started extends AsyncDisposable {
  readonly bootstrap: string
}

const brokers: readonly (readonly [string, () => Promise<Started>, number])[] = [
  ['the embedded broker', () => startBroker(), kinds.length],
  ['Apache Kafka 4.1.1', () => startRealKafka({ version: '4.1.1' }), kinds.length],
  // Before Kafka 4 the new protocol is not finished.
  ['Apache Kafka 3.9.1', () => startRealKafka({ version: '3.9.1' }), kinds.length - 1],
]

describe.each(brokers)('members of %s', (_, start, kindCount) => {
  it('share with Java’s', { timeout: 240_000 }, async () => {
    await using kafka = await start()
    const options = resolveClientOptions({ brokers: kafka.bootstrap })
    await using cluster = createCluster(options, { platform, log: silentLog })
    await createTopics(cluster)
    for (const [name, property, more] of kinds.slice(0, kindCount)) {
      const member = (): GroupMember => {
        const made = createGroupMember(cluster, { ...short, groupId: name, ...more }, quiet)
        made.subscribe({ kind: 'topics', topics })
        return made
      }
      const ours = member()
      await holds(ours, all)
      await using java = await startJava(kafka.bootstrap, name, property)
      await holds(ours, all / 2)
      const second = member()
      await Promise.all([holds(ours, all / 3), holds(second, all / 3)])
      await Promise.all([leave(ours), leave(second)])
      // Java's member leads now.
      const third = member()
      await holds(third, all / 2)
      await java.leave()
      await holds(third, all)
      await leave(third)
    }
  })
})

const short = { ...groupMemberDefaults, sessionTimeoutMs: 10_000, heartbeatIntervalMs: 300 }

const quiet: GroupMemberHandler = {
  assigned: () => Promise.resolve(),
  revoked: () => Promise.resolve(),
  lost: () => Promise.resolve(),
  failed: (error) => {
    throw error
  },
}

async function createTopics(cluster: KafkaCluster): Promise<void> {
  const controller = await cluster.controller()
  await controller.request(createTopicsApi, {
    topics: topics.map((name) => ({
      name,
      numPartitions: partitions,
      replicationFactor: 1,
      assignments: [],
      configs: [],
    })),
    timeoutMs: 10_000,
    validateOnly: false,
  })
}

/** It holds so many, and may commit all of them. */
async function holds(member: GroupMember, count: number): Promise<void> {
  await expect.poll(() => member.assignment.length, { timeout: 40_000 }).toBe(count)
  if (count === all) return
  const offsets = member.assignment.map((each) => ({ ...each, offset: 0, leaderEpoch: -1 }))
  await member.commit(offsets.map((each) => ({ ...each, metadata: 'ours' })))
}

function leave(member: GroupMember): Promise<void> {
  return member.close({ deadlineMs: platform.clock.elapsedMs() + 10_000, leave: true })
}

async function startJava(bootstrap: string, group: string, property: string) {
  const child = spawn(
    'java',
    [
      ...['-Xmx128m', '-XX:TieredStopAtLevel=1', '-cp', await kafkaClassPath('4.1.1')],
      'org.apache.kafka.tools.consumer.ConsoleConsumer',
      ...['--bootstrap-server', bootstrap, '--include', topics.join('|'), '--group', group],
      ...['--consumer-property', property],
    ],
    { stdio: 'ignore' },
  )
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const stop = (signal: 'SIGTERM' | 'SIGKILL'): Promise<void> => {
    child.kill(signal)
    return ended
  }
  return { leave: () => stop('SIGTERM'), [Symbol.asyncDispose]: () => stop('SIGKILL') }
}
