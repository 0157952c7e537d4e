/**
 * Promise: on three nodes of Apache Kafka that are killed one after the other, with services that are killed beside them (SIGKILL),
 * the order pipeline comes out even: lost 0, duplicated 0, mismatches 0.
 *
 * Proves: 1, 2, 6
 */
import { expect, it } from 'vitest'
import { runPipeline } from '../pipeline-run.ts'
import { startRealKafka } from './real-kafka.ts'
import type { RealKafka } from './real-kafka.ts'

/** Each record is on all nodes, two must have it; and who was killed is missed within seconds. */
const properties = {
  'default.replication.factor': '3',
  'min.insync.replicas': '2',
  'group.consumer.session.timeout.ms': '6000',
  'group.consumer.min.session.timeout.ms': '6000',
  'group.consumer.heartbeat.interval.ms': '1000',
  'group.consumer.min.heartbeat.interval.ms': '1000',
  'transaction.abort.timed.out.transaction.cleanup.interval.ms': '500',
}
const quietMs = 5_000
const goneMs = 1_500

const after = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

/** Kills the nodes in turn, without warning, and starts each again. Answers how many were killed. */
async function failNodes(kafka: RealKafka, goesOn: () => boolean): Promise<number> {
  let killed = 0
  for (;;) {
    const node = kafka.nodes[killed % kafka.nodes.length]
    await after(quietMs)
    if (!goesOn() || node === undefined) return killed
    await node.kill()
    killed += 1
    await after(goneMs)
    await kafka.start(node)
  }
}

it('the order pipeline while nodes and services are killed', { timeout: 180_000 }, async () => {
  await using kafka = await startRealKafka({ nodes: 3, properties })
  let isOpen = true
  const options = ['--for', '20s', '--rate', '100', '--chaos', '--workers', '1']
  const running = runPipeline(...options, '--kafka', kafka.bootstrap)
  void running.then(() => (isOpen = false))
  // What is left when the shop has closed is done on nodes that stay.
  const openUntilMs = performance.now() + 35_000
  const killed = await failNodes(kafka, () => isOpen && performance.now() < openUntilMs)
  const { code, text } = await running
  expect(text).toContain('All that was promised to be zero is zero.')
  expect(code).toBe(0)
  expect(killed).toBeGreaterThan(1)
})
