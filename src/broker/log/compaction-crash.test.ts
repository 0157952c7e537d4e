import { describe, expect, it } from 'vitest'
import type { Platform } from '../../platform/index.ts'
import type { SeededRandom } from '../../testing/simulation/index.ts'
import { isRefusal } from '../refusal.ts'
import { liveAndDie } from './crash-fixture.ts'
import { batchOf, changingConfig, readAll, readCommitted } from './log-fixture.ts'
import type { LogConfig } from './log-config.ts'
import { openLogFolder } from './log-folder.ts'
import type { Truncation } from './log-recovery.ts'
import type { PartitionLog } from './partition-log.ts'

/**
 * A broker compacts while it writes, dies at any call, and comes back. A reader must find the last
 * acknowledged value of each key or a later one, and nothing that was aborted.
 */

const config: Partial<LogConfig> = {
  compacted: true,
  deleted: false,
  segmentBytes: 900,
  deleteRetentionMs: 20,
}
const identity = { topic: 'table', topicId: 'id', partition: 0 }
const dayMs = 86_400_000

/** What the world outside knows; it outlives the broker. */
class Outside {
  /** Offset and value of the last acknowledged record of each key. */
  readonly acknowledged = new Map<string, { readonly offset: number; readonly value: string }>()
  readonly sent = new Set<string>()
  readonly aborted = new Set<string>()
  readonly truncations: Truncation[] = []
  problem: string | undefined
  writes = 0
  /** Each transaction has an epoch of its own. */
  epoch = 0
  compactions = 0

  fail(problem: string): void {
    this.problem ??= problem
  }

  inspect(log: PartitionLog, bytesMax: number): void {
    const latest = new Map<string, number>()
    let last = -1
    for (const { offset, key, value } of readCommitted(log, bytesMax)) {
      if (offset <= last) this.fail(`offset ${offset} follows ${last}`)
      last = offset
      if (!this.sent.has(value ?? '')) this.fail(`${value} was never sent`)
      if (this.aborted.has(value ?? '')) this.fail(`${value} was aborted`)
      latest.set(key ?? '', offset)
    }
    for (const [key, { offset, value }] of this.acknowledged) {
      const found = latest.get(key) ?? -1
      // What an open transaction hides is not lost.
      if (found < offset && offset < log.lastStableOffset) {
        this.fail(`${value} of ${key} at ${offset} is lost, the last is at ${found}`)
      }
    }
    const end = readAll(log).at(-1)?.nextOffset ?? log.logStartOffset
    if (end !== log.highWatermark) this.fail(`readers end at ${end}, not ${log.highWatermark}`)
  }
}

/** Writes a value outside of a transaction, or in one that is committed or aborted. */
async function write(
  log: PartitionLog,
  outside: Outside,
  random: SeededRandom,
  producerId: number,
): Promise<void> {
  const key = `key ${random.integer(4)}`
  outside.writes += 1
  const value = `${outside.writes} ${'x'.repeat(random.integer(80))}`
  outside.sent.add(value)
  const isTransactional = random.chance(0.6)
  const commit = random.chance(0.5)
  if (isTransactional && !commit) outside.aborted.add(value)
  outside.epoch += 1
  const producer = { producerId, producerEpoch: outside.epoch }
  const options = isTransactional ? { ...producer, baseSequence: 0, isTransactional } : {}
  const records = [{ key: Buffer.from(key), value: Buffer.from(value) }]
  let result = log.append(batchOf(records, options))
  if (isRefusal(result)) throw new Error(result.message)
  const { baseOffset } = result
  if (isTransactional) {
    if (random.chance(0.3)) await result.durable
    result = log.appendMarker({ ...producer, coordinatorEpoch: 0, transactionVersion: 0, commit })
    if (isRefusal(result)) throw new Error(result.message)
  }
  await result.durable
  if (isTransactional && !commit) return
  const known = outside.acknowledged.get(key)?.offset ?? -1
  if (baseOffset > known) outside.acknowledged.set(key, { offset: baseOffset, value })
}

async function open(platform: Platform, outside: Outside) {
  const folder = await openLogFolder({
    platform,
    path: '/data',
    durability: 'sync',
    filesMax: 3,
    truncated: (truncation) => outside.truncations.push(truncation),
  })
  const log = folder.open(identity, () => changingConfig(config))
  await folder.recovered()
  // A transaction that was open when the broker died is aborted, as its coordinator would do it.
  for (const { producerId, producerEpoch, transactionOpen } of log.producers()) {
    const marker = { producerId, producerEpoch, coordinatorEpoch: 0, transactionVersion: 0 }
    const result = transactionOpen ? log.appendMarker({ ...marker, commit: false }) : undefined
    if (result !== undefined && !isRefusal(result)) await result.durable
  }
  return { folder, log }
}

async function live(platform: Platform, random: SeededRandom, outside: Outside): Promise<void> {
  const { folder, log } = await open(platform, outside)
  outside.inspect(log, 1 + random.integer(3000))
  const writers = [1, 2].map(async (producerId) => {
    for (let step = 0; step < 40; step++) await write(log, outside, random, producerId)
  })
  for (let step = 0; step < 10; step++) {
    await platform.clock.sleep(random.integer(20))
    if (random.chance(0.2)) log.expireProducers(platform.clock.now() + dayMs)
    await log.compact(platform.clock.now(), random.chance(0.7) ? 'always' : 'when-worth-it')
    outside.compactions += 1
    outside.inspect(log, 1 + random.integer(3000))
  }
  await Promise.all(writers)
  await folder.close()
}

describe('a compacted log whose broker dies', () => {
  it('keeps the last value of each key, and nothing that was aborted', async () => {
    let compactions = 0
    for (let seed = 1; seed <= 12; seed++) {
      const outside = new Outside()
      await liveAndDie({
        seed,
        lives: 12,
        callsMax: 2500,
        live: (platform, random) => live(platform, random, outside),
        last: async (platform) => {
          const { log } = await open(platform, outside)
          for (const bytesMax of [1, 500, 100_000]) outside.inspect(log, bytesMax)
        },
        isOver: () => outside.problem !== undefined,
      })
      expect(outside.problem, `seed ${seed}`).toBeUndefined()
      const lies = outside.truncations.filter(({ reason }) => reason.includes('were synced'))
      expect(lies, `seed ${seed}`).toEqual([])
      compactions += outside.compactions
    }
    // The test is worth nothing unless this has happened.
    expect(compactions).toBeGreaterThan(100)
  })
})
