import { describe, expect, it, vi } from 'vitest'
import type { Delivery } from './delivery.ts'
import { startRuntimeWorld } from './fixture/runtime-world.ts'
import type { RuntimeWorld } from './fixture/runtime-world.ts'

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
    world.kafka.intercept('Fetch', async (_request, proceed) => {
      const answer = (await proceed()) as { responses: { partitions: object[] }[] }
      if (isCut || answer.responses.length === 0) return answer
      isCut = true
      const diverged = { divergingEpoch: { epoch: 0, endOffset: 300 } }
      const responses = answer.responses.map(({ partitions, ...each }) => ({
        ...each,
        partitions: partitions.map((partition) => ({ ...partition, ...diverged })),
      }))
      return { ...answer, responses }
    })
    // Something to fetch: the answer to it says that the log was cut.
    await world.newSink().send({ topic: 'orders', partition: 0, key: 'later', value: 'later' })
    await soon(() => expect(seen.filter((offset) => offset === 399)).toHaveLength(2))
    release()
    await soon(() => expect(endings.get('done')).toBe(380 + 95 + 20 + 1))
    const twice = seen.filter((offset, index) => offset % 20 !== 3 && seen.indexOf(offset) < index)
    expect(Math.min(...twice)).toBe(300)
  })
})
