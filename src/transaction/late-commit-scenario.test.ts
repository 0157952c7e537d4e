/**
 * Promise: a process that was out of its group for a moment, and comes back while its last transaction is on its way, writes
 * nothing twice.
 *
 * Proves: 6
 */
import { describe, expect, it, vi } from 'vitest'
import { createClient } from '../client/index.ts'
import type { InterceptedRequest } from '../broker/index.ts'
import { createNodePlatform } from '../platform/index.ts'
import { ControlledClock, startBroker } from '../testing/index.ts'
import { createService } from './create.ts'

const soon = (check: () => unknown) => vi.waitFor(check, { timeout: 20_000 })
const log = () => undefined
const group = {
  groupProtocol: 'classic',
  // Whose members say nothing of what they hold: one that holds nothing any more joins as it did before.
  assignors: ['range'],
  sessionTimeoutMs: 6_000,
  heartbeatIntervalMs: 50,
} as const
const recordCount = 10

const memberIn = ({ body }: InterceptedRequest) => (body as { memberId: string }).memberId

describe('exactly-once, in a member that was out of its group for a moment', () => {
  it('reads its offsets when it is known what became of the commit that it had begun', async () => {
    await using kafka = await startBroker({
      properties: { 'group.initial.rebalance.delay.ms': '0' },
    })
    await kafka.createTopic('orders', { partitions: 2 })
    await kafka.createTopic('prices', { partitions: 1 })
    await using client = createClient({ brokers: kafka.bootstrap, log })
    // The leader: as long as it stays, who joins again finds the same generation.
    await using leader = client.consumer({ groupId: 'pricing', offsetReset: 'earliest', ...group })
    leader.subscribe(['orders'])
    await leader.poll({ timeoutMs: 0 })
    await soon(() => expect(leader.assignment).toHaveLength(2))
    // The group has begun: nobody waits for the owner of partition 0 to say where.
    await leader.commit([0, 1].map((partition) => ({ topic: 'orders', partition, offset: 0 })))

    const platform = createNodePlatform()
    const clock = new ControlledClock(platform.clock)
    const logged: string[] = []
    await using service = createService({
      ...{ name: 'pricing', metrics: false, platform: { ...platform, clock } },
      kafka: { brokers: kafka.bootstrap, log: (_level, message) => void logged.push(message) },
      log,
    })
    let handled = 0
    service.records(
      'orders',
      async ({ key, value }, { sendRecord }) => {
        handled += 1
        await sendRecord({ topic: 'prices', key, value })
      },
      { start: 'earliest', exactlyOnce: { transactionTimeoutMs: 60_000 }, group },
    )
    await service.start()
    await soon(async () => {
      await leader.poll({ timeoutMs: 0 })
      expect((await service.health.report('ready')).status).toBe('ok')
    })
    const [{ partition: ofLeader } = { partition: -1 }] = leader.assignment

    const late: (() => void)[] = []
    const sees = { isSilent: true, heartbeats: 0, joins: 0, fetched: 0 }
    using commits = kafka.intercept('TxnOffsetCommit', async (_request, proceed) => {
      await new Promise<void>((letGo) => late.push(letGo))
      return proceed()
    })
    kafka.intercept('Heartbeat', async (request, proceed) => {
      const answer = await proceed()
      const isLeader = memberIn(request) === leader.groupMetadata().memberId
      if (!isLeader && sees.isSilent) return new Promise(() => undefined)
      if (!isLeader && sees.joins > 0) sees.heartbeats += 1
      return answer
    })
    kafka.intercept('SyncGroup', (_request, proceed) => {
      sees.joins += 1
      return proceed()
    })
    kafka.intercept('OffsetFetch', (_request, proceed) => {
      sees.fetched += 1
      return proceed()
    })
    await using producer = client.producer()
    await producer.send(
      Array.from({ length: recordCount }, (_, id) => {
        return { topic: 'orders', partition: 1 - ofLeader, key: 'k', value: String(id) }
      }),
    )
    await soon(() => expect(late).toHaveLength(1))
    const { generation } = leader.groupMetadata()
    for (let passed = 0; passed <= group.sessionTimeoutMs; passed += 500) await clock.advance(500)
    await soon(() => expect(logged).toContain('group member: partitions are lost'))
    sees.isSilent = false
    // In the group again, and time to read the offsets, which the commit has not reached.
    await soon(() => expect(sees.fetched + sees.heartbeats).toBeGreaterThan(5))
    commits[Symbol.dispose]()
    late[0]?.()

    await soon(async () => expect((await service.health.report('ready')).status).toBe('ok'))
    expect(leader.groupMetadata().generation).toBe(generation)
    await producer.send({ topic: 'orders', partition: 1 - ofLeader, key: 'k', value: 'last' })
    await using reader = client.consumer({ offsetReset: 'earliest', isolation: 'read_committed' })
    reader.assign([{ topic: 'prices', partition: 0 }])
    const found: string[] = []
    await soon(async () => {
      for (const batch of await reader.poll({ timeoutMs: 100 })) {
        for (const { value } of batch) found.push(String(value))
      }
      expect(found).toContain('last')
    })
    expect(found).toEqual([...Array.from({ length: recordCount }, (_, id) => String(id)), 'last'])
    expect(handled).toBe(recordCount + 1)
  })
})
