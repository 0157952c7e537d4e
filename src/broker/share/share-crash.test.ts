import { expect, it } from 'vitest'
import type { Platform } from '../../platform/index.ts'
import { kafkaError } from '../../protocol/index.ts'
import { liveAndDie } from '../log/crash-fixture.ts'
import { Sharer, startSharing } from './share-fixture.ts'
import { acknowledgeType } from './share-state.ts'

const { accept, release, reject } = acknowledgeType
const recordCount = 40

/** What a member was told, over all lives of the broker. */
class Told {
  readonly done = new Set<number>()
  /** How often a record had been delivered when its release was confirmed. */
  readonly released = new Map<number, number>()
  deliveries = 0

  /** A record comes: it must not be done with, nor be counted less often than was confirmed. */
  delivered(offset: number, count: number): void {
    this.deliveries += 1
    if (this.done.has(offset)) throw new Error(`${offset} comes again though it is done with`)
    const before = this.released.get(offset) ?? 0
    if (count <= before) throw new Error(`${offset} comes for time ${count} after ${before}`)
  }
}

interface Chance {
  integer(max: number): number
}

/** Works until nothing comes. Answers where the group is, and where the log ends. */
async function work(platform: Platform, chance: Chance, told: Told): Promise<[number, number]> {
  const broker = await startSharing(platform, { 'group.share.delivery.count.limit': '10' })
  const member = await Sharer.connect(platform, broker, 'member')
  await member.configure('share.auto.offset.reset', 'earliest')
  const written = broker.cluster.partition('orders', 0)?.log.highWatermark ?? 0
  if (written < recordCount) await member.produce(1, 3, 6)
  for (;;) {
    const acquired = await member.fetch({ maxRecords: 1 + chance.integer(8), maxWaitMs: 50 })
    if (acquired.length === 0) break
    for (const { first, last, count } of acquired) {
      for (let offset = first; offset <= last; offset++) {
        told.delivered(offset, count)
        const type = [accept, reject, release, release][chance.integer(4)] ?? accept
        const code = await member.acknowledge([offset, offset, type])
        expect(code).toBe(kafkaError.NONE)
        if (type === release) told.released.set(offset, count)
        else told.done.add(offset)
      }
    }
  }
  const endOffset = broker.cluster.partition('orders', 0)?.log.highWatermark ?? -1
  const startOffset = await member.startOffset()
  await broker.close()
  return [startOffset, endOffset]
}

it.each([1, 2, 3, 4, 5, 6])(
  'what a member was told of its acknowledgements holds after a crash (seed %i)',
  async (seed) => {
    const told = new Told()
    const report = await liveAndDie({
      seed,
      lives: 12,
      callsMax: 400,
      live: async (platform, random) => {
        await work(platform, random, told)
      },
      last: async (platform) => {
        // Nothing goes wrong any more: everything gets done.
        const [startOffset, endOffset] = await work(platform, { integer: () => 0 }, told)
        expect(startOffset).toBe(endOffset)
      },
      isOver: () => false,
    })
    expect(report.lives).toBe(12)
    expect(told.deliveries).toBeGreaterThan(0)
  },
)
