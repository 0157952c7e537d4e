import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { silentLog } from '../../observe/index.ts'
import { createNodePlatform } from '../../platform/index.ts'
import { ControlledClock } from '../../testing/index.ts'
import { AwaitedSight, SourceWatch } from './source-watch.ts'

const from = [0, 1].map((partition) => ({ topic: 'payments', partition }))
const to = [0, 1].map((partition) => ({ topic: 'payments.by-key', partition }))

function startWatch() {
  const asked: string[] = []
  const committed = [{ ...from[0], offset: 5, leaderEpoch: 0, metadata: '700' }]
  const offsets = new Map([
    ['payments', 5],
    ['payments.by-key', 9],
  ])
  const clock = new ControlledClock(createNodePlatform().clock)
  let isAway = false
  const watch = new SourceWatch({
    ...{ clock, log: silentLog, to, everyMs: 1_000, from: () => Promise.resolve(from) },
    source: {
      committed: () => {
        asked.push('committed')
        return Promise.resolve(committed as never)
      },
      beginningOffsets: (places) => Promise.resolve(places.map((each) => ({ ...each, offset: 5 }))),
    },
    ends: {
      endOffsets: (places) => {
        if (isAway) return Promise.reject(new Error('nobody answers'))
        asked.push(`ends of ${places[0]?.topic ?? ''}`)
        return Promise.resolve(
          places.map((each) => ({ ...each, offset: offsets.get(each.topic) ?? 0 })),
        )
      },
      close: () => Promise.resolve(),
    },
  })
  void watch.run()
  onTestFinished(() => watch.close())
  const fail = () => (isAway = true)
  return { watch, asked, clock, fail }
}

describe('what is known of a topic that is written again', () => {
  it('is asked for in the order in which it is true', async () => {
    const { watch, asked } = startWatch()
    await vi.waitFor(() => expect(watch.latest).toBeDefined())
    expect(asked).toEqual(['ends of payments', 'committed', 'ends of payments.by-key'])
    // The second partition begins where it ends, and nothing of it was ever committed.
    expect(watch.latest).toEqual({ times: [700, -1], areRead: [true, true], ends: [9, 9] })
  })

  it('is worth nothing when it could not be asked for several times', async () => {
    const { watch, clock, fail } = startWatch()
    await vi.waitFor(() => expect(watch.latest).toBeDefined())
    fail()
    await vi.waitFor(async () => {
      await clock.advance(1_000)
      expect(watch.latest).toBeUndefined()
    })
  })

  it('counts when all was taken that had been written, however much follows', () => {
    const awaited = new AwaitedSight()
    const sight = (end: number) => ({ times: [1], areRead: [false], ends: [end] })
    const [first, second] = [sight(5), sight(50)]
    const takenTo =
      (offset: number) =>
      ({ ends }: { readonly ends: readonly number[] }) =>
        (ends[0] ?? 0) <= offset
    expect(awaited.next(first, takenTo(4))).toBeUndefined()
    expect(awaited.next(second, takenTo(5))).toBe(first)
    expect(awaited.next(second, takenTo(6))).toBeUndefined()
    expect(awaited.next(second, takenTo(50))).toBe(second)
    expect(awaited.next(second, takenTo(60))).toBeUndefined()
  })
})
