import { expect } from 'vitest'
import { deleteRecordsApi } from '../../src/protocol/index.ts'
import type { WireClient } from '../../src/testing/wire-client.ts'
import { conformance } from './conformance.ts'
import { expectError } from './expectation.ts'
import type { Port, Topic } from './port.ts'
import { earliestTimestamp, fetch, listOffset, produce } from './steps.ts'

async function filled(
  port: Port,
  configs: Readonly<Record<string, string>> = {},
): Promise<{ topic: Topic; leader: WireClient }> {
  const topic = await port.topic({ configs })
  const leader = await port.leader(topic.name)
  for (let index = 0; index < 5; index++) await produce(leader, topic, {})
  return { topic, leader }
}

async function remove(leader: WireClient, name: string, offset: number) {
  const response = await leader.request(deleteRecordsApi, 2, {
    topics: [{ name, partitions: [{ partitionIndex: 0, offset }] }],
    timeoutMs: 10_000,
  })
  return response.topics[0]?.partitions[0]
}

conformance('delete records', {
  'records below the offset are gone, and the answer says where the log starts': async (port) => {
    const { topic, leader } = await filled(port)
    const answer = await remove(leader, topic.name, 3)
    expectError(answer?.errorCode, 'NONE')
    expect(answer?.lowWatermark).toBe(3)
    expect((await listOffset(leader, topic, earliestTimestamp)).offset).toBe(3)
    expectError((await fetch(leader, topic, 2)).errorCode, 'OFFSET_OUT_OF_RANGE')
    const { logStartOffset, batches } = await fetch(leader, topic, 3)
    expect(logStartOffset).toBe(3)
    expect(batches[0]?.baseOffset).toBe(3)
  },

  '-1 deletes up to the high watermark': async (port) => {
    const { topic, leader } = await filled(port)
    expect((await remove(leader, topic.name, -1))?.lowWatermark).toBe(5)
    expect((await fetch(leader, topic, 5)).batches).toEqual([])
  },

  'an offset above the high watermark or below -1 is OFFSET_OUT_OF_RANGE': async (port) => {
    const { topic, leader } = await filled(port)
    for (const offset of [6, -2]) {
      const answer = await remove(leader, topic.name, offset)
      expectError(answer?.errorCode, 'OFFSET_OUT_OF_RANGE')
      expect(answer?.lowWatermark).toBe(-1)
    }
  },

  'an offset below the start changes nothing': async (port) => {
    const { topic, leader } = await filled(port)
    await remove(leader, topic.name, 4)
    const answer = await remove(leader, topic.name, 2)
    expectError(answer?.errorCode, 'NONE')
    expect(answer?.lowWatermark).toBe(4)
  },

  'a topic that is only compacted is POLICY_VIOLATION': async (port) => {
    const { topic, leader } = await filled(port, { 'cleanup.policy': 'compact' })
    expectError((await remove(leader, topic.name, 2))?.errorCode, 'POLICY_VIOLATION')
  },

  'a topic that is compacted and deleted lets records be deleted': async (port) => {
    const { topic, leader } = await filled(port, { 'cleanup.policy': 'compact,delete' })
    expectError((await remove(leader, topic.name, 2))?.errorCode, 'NONE')
  },

  'a missing topic is unknown': async (port) => {
    const client = await port.any()
    const answer = await remove(client, port.name('missing'), 1)
    expectError(answer?.errorCode, 'UNKNOWN_TOPIC_OR_PARTITION')
  },
})
