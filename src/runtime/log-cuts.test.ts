/**
 * Promise: when a log was cut, what comes in the place of what is gone is run, and nothing of the rest again.
 *
 * Proves: 1, 3
 */
import { describe, expect, it, vi } from 'vitest'
import type { Delivery } from './delivery.ts'
import { startRuntimeWorld } from './fixture/runtime-world.ts'
import type { RuntimeWorld } from './fixture/runtime-world.ts'
import { writeMetadata } from './ledger/commit-metadata.ts'
import { findCutLogs } from './log-cuts.ts'

/** Waits as long as a busy machine may need. */
const soon = (check: () => unknown) => vi.waitFor(check, { timeout: 20_000 })

/** A consumer that has done everything but what has the key of record 3, and remembers what it saw. */
async function heldUpAtThree(world: RuntimeWorld) {
  const records = Array.from({ length: 400 }, (_, number) => ({
    ...{ topic: 'orders', partition: 0, key: `k-${number % 20}`, value: String(number) },
  }))
  await world.newSink().send(records)
  const seen: number[] = []
  let release: () => void = () => undefined
  const stuck = new Promise<void>((resolve) => (release = resolve))
  const way = async (delivery: Delivery) => {
    seen.push(delivery.offset)
    if (delivery.offset % 20 === 3) await stuck
    return undefined
  }
  const consumer = world.start(way, { commit: { intervalMs: 10, countMax: 100 } })
  await soon(() => expect(consumer.endings.get('done')).toBe(380))
  return { ...consumer, seen, way, release }
}

async function committedIn(world: RuntimeWorld): Promise<number | undefined> {
  const [found] = await world.driver.admin().groups.offsets('workers')
  return found !== undefined && found.error === undefined ? found.offset : undefined
}

describe('a commit that names what has ended above its offset', () => {
  it.each([
    ['is believed while the leader has all of it', 46, []],
    ['is not believed when the log ends below the highest of it', 45, ['orders-0']],
    ['is believed when nobody can say where its leader has ended', -1, []],
  ])('%s', async (_title, endOffset, expected) => {
    const state = { frontier: 40, endedAbove: Uint8Array.of(0b10_0010), attempts: new Map() }
    const lineage = { clusterId: 'cluster', topicId: 'topic' }
    const { text } = writeMetadata({ ...state, mark: undefined, leaderEpoch: 3 }, lineage, 4_096)
    const at = { topic: 'orders', partition: 0 }
    const source = {
      epochEnds: (asked: readonly object[]) => {
        expect(asked).toEqual([{ ...at, leaderEpoch: 3 }])
        return Promise.resolve([{ ...at, leaderEpoch: 3, endOffset }])
      },
    }
    const committed = [{ ...at, offset: 40, leaderEpoch: 2, metadata: text }]
    const cut = await findCutLogs(source, committed, lineage, new AbortController().signal)
    expect([...cut]).toEqual(expected)
  })
})

describe('what has ended above a log that was cut', () => {
  it.each([
    ['is not run again by the next owner when the leader has all of it', 400, 20],
    ['is run again by the next owner when the log ends below the highest of it', 399, 397],
  ])('%s', async (_title, endOffset, runs) => {
    await using world = await startRuntimeWorld({ orders: 1 })
    const { run, way, release } = await heldUpAtThree(world)
    await run.close({ drainMs: 0, leave: true })
    const asked: unknown[] = []
    world.kafka.intercept('OffsetForLeaderEpoch', async ({ body }, proceed) => {
      asked.push(body)
      const { topics } = (await proceed()) as { topics: { partitions: object[] }[] }
      const cut = (partition: object) => ({ ...partition, endOffset })
      return { topics: topics.map((each) => ({ ...each, partitions: each.partitions.map(cut) })) }
    })
    release()
    const second = world.start(way)
    await soon(() => expect(second.endings.get('done')).toBe(runs))
    await soon(async () => expect(await committedIn(world)).toBe(400))
    expect(second.endings.get('done')).toBe(runs)
    expect(asked).toHaveLength(1)
  })

  it('is run again when the cut is seen while it is read; what lies below is not', async () => {
    await using world = await startRuntimeWorld({ orders: 1 })
    const { endings, seen, release } = await heldUpAtThree(world)
    let isCut = false
    world.kafka.intercept('Fetch', async ({ body }, proceed) => {
      const answer = (await proceed()) as { responses: { partitions: object[] }[] }
      const { topics } = body as { topics: { partitions: { fetchOffset: number }[] }[] }
      // It is told until somebody has heard it, and reads from below the cut.
      isCut ||= topics.some(({ partitions }) => partitions.some((each) => each.fetchOffset <= 300))
      if (isCut || !seen.includes(400) || answer.responses.length === 0) return answer
      const diverged = { divergingEpoch: { epoch: 0, endOffset: 300 } }
      const responses = answer.responses.map(({ partitions, ...each }) => ({
        ...each,
        partitions: partitions.map((partition) => ({ ...partition, ...diverged })),
      }))
      return { ...answer, responses }
    })
    const write = async (key: string) =>
      world.newSink().send({ topic: 'orders', partition: 0, key, value: key })
    // The fetch that is on its way takes the first one; the answer to the next says that the log was cut.
    await write('first')
    await soon(() => expect(seen).toContain(400))
    await write('second')
    await soon(() => expect(seen.filter((offset) => offset === 399)).toHaveLength(2))
    // A handler that still runs keeps its key: nothing of that runs beside it.
    expect(seen.filter((offset) => offset % 20 === 3)).toEqual([3])
    release()
    await soon(() => expect(endings.get('done')).toBe(380 + 1 + 95 + 2 + 20))
    const twice = seen.filter((offset, index) => offset % 20 !== 3 && seen.indexOf(offset) < index)
    expect(Math.min(...twice)).toBe(300)
  })
})
