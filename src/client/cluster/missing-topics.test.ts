import { describe, expect, it } from 'vitest'
import type { LogFields } from '../../observe/index.ts'
import { createNodePlatform } from '../../platform/index.ts'
import { kafkaError } from '../../protocol/index.ts'
import { startBroker } from '../../testing/index.ts'
import { resolveClientOptions } from '../resolve-options.ts'
import { createCluster } from './kafka-cluster.ts'
import type { ClusterMetadata } from './metadata.ts'
import { MissingTopics } from './missing-topics.ts'
import type { WantedTopics } from './topic-watches.ts'

/** Says what is warned of while time goes by in steps of a second. */
function watch() {
  let nowMs = 0
  const warnings: string[] = []
  const log = (_level: string, message: string, fields: LogFields = {}) =>
    warnings.push(`${nowMs / 1_000} s: ${message}, for ${String(fields['forMs'])} ms`)
  const clock = { ...createNodePlatform().clock, elapsedMs: () => nowMs }
  const missing = new MissingTopics(clock, log)
  const look = (seconds: number, wanted: Partial<WantedTopics>, metadata: ClusterMetadata) => {
    for (let second = 0; second < seconds; second++) {
      missing.look({ topics: [], toCreate: [], ...wanted }, metadata)
      nowMs += 1_000
    }
  }
  return { warnings, look }
}

function metadataWith(errors: Readonly<Record<string, number>>): ClusterMetadata {
  const topics = Object.entries(errors).map(([name, errorCode]) => [name, { errorCode }] as const)
  return { topics: new Map(topics) } as unknown as ClusterMetadata
}

const { UNKNOWN_TOPIC_OR_PARTITION, LEADER_NOT_AVAILABLE, TOPIC_AUTHORIZATION_FAILED } = kafkaError

describe('a topic that is wanted and not there', () => {
  it('is told of at once, then less and less often, and anew when it has been there', () => {
    const { warnings, look } = watch()
    const topics = ['orders']
    look(100, { topics }, metadataWith({ orders: UNKNOWN_TOPIC_OR_PARTITION }))
    const what = `topic 'orders' cannot be used: UNKNOWN_TOPIC_OR_PARTITION (3)`
    expect(warnings.splice(0)).toEqual([
      `0 s: ${what}, for 0 ms`,
      `10 s: ${what}, for 10000 ms`,
      `30 s: ${what}, for 30000 ms`,
      `70 s: ${what}, for 70000 ms`,
    ])
    look(20, { topics }, metadataWith({ orders: 0 }))
    expect(warnings).toEqual([])
    look(5, { topics }, metadataWith({ orders: TOPIC_AUTHORIZATION_FAILED }))
    expect(warnings).toEqual([
      `120 s: topic 'orders' cannot be used: TOPIC_AUTHORIZATION_FAILED (29), for 0 ms`,
    ])
  })

  it('is nothing to tell of while it is made', () => {
    const { warnings, look } = watch()
    look(5, { topics: ['orders'] }, metadataWith({ orders: LEADER_NOT_AVAILABLE }))
    look(5, { topics: 'all' }, metadataWith({ others: TOPIC_AUTHORIZATION_FAILED }))
    const toCreate = ['orders']
    look(1, { toCreate }, metadataWith({ orders: UNKNOWN_TOPIC_OR_PARTITION }))
    expect(warnings).toEqual([])
    look(5, { toCreate }, metadataWith({ orders: UNKNOWN_TOPIC_OR_PARTITION }))
    expect(warnings).toHaveLength(1)
  })

  it('is told of by the client', async () => {
    await using kafka = await startBroker()
    const messages: string[] = []
    const log = (level: string, message: string) => messages.push(`${level} ${message}`)
    const options = resolveClientOptions({ brokers: kafka.bootstrap })
    await using cluster = createCluster(options, { platform: createNodePlatform(), log })
    await kafka.createTopic('orders')
    cluster.watchTopics(['orders', 'odrers'])
    await cluster.refreshMetadata()
    await cluster.refreshMetadata()
    expect(messages).toEqual([`warn topic 'odrers' cannot be used: UNKNOWN_TOPIC_OR_PARTITION (3)`])
  })
})
