/**
 * Promise: a record that kills its process is found: it runs first, and alone.
 *
 * Proves: 4
 */
import { expect, it, vi } from 'vitest'
import type { CommittedOffset } from '../client/index.ts'
import { Bookkeeping } from './bookkeeping.ts'
import { startRuntimeWorld } from './fixture/runtime-world.ts'
import type { RuntimeWorld } from './fixture/runtime-world.ts'

const place = { topic: 'orders', partition: 0 }
const logEnd = 20

/** Commits what processes would have that died one after another, the last ones while they ran this record alone. */
async function die(world: RuntimeWorld, processes: number, started: number): Promise<void> {
  const admin = world.driver.admin()
  const [{ clusterId }, { id: topicId }] = await Promise.all([
    admin.cluster.describe(),
    admin.topics.describe('orders'),
  ])
  const lineage = { clusterId, topicId }
  let committed: CommittedOffset = { ...place, offset: 0, leaderEpoch: -1, metadata: '' }
  for (let life = 1; life <= processes; life++) {
    const processId = `dead-${life}`
    const books = new Bookkeeping({ committed, lineage, logEnd, processId, window: 64 })
    books.takeCommit(place, 4_096).acknowledged()
    books.mark.start(started)
    const { offset, leaderEpoch, metadata } = books.takeCommit(place, 4_096).commit
    committed = { ...place, offset, leaderEpoch, metadata }
  }
  await admin.groups.alterOffsets('workers', [committed])
}

it('the record that ran when its process died runs first, though others were read before it', async () => {
  await using world = await startRuntimeWorld({ orders: 1 })
  const records = Array.from({ length: logEnd }, (_, index) => ({
    ...{ topic: 'orders', partition: 0, key: `k-${index}`, value: 'v' },
  }))
  await world.newSink().send(records)
  // Three deaths make the partition suspect; the next owner dies in the record.
  await die(world, 4, 10)
  const order: number[] = []
  const { endings } = world.start(({ offset }) => {
    order.push(offset)
    return undefined
  })
  await world.pass(12_000)
  await vi.waitFor(() => expect(endings.get('done')).toBe(logEnd), { timeout: 20_000 })
  expect(order.slice(0, 3)).toEqual([10, 0, 1])
})
