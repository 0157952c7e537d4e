import { describe, expect, it } from 'vitest'
import type { Platform } from '../../platform/index.ts'
import type { SeededRandom } from '../../testing/simulation/index.ts'
import { isRefusal } from '../refusal.ts'
import { liveAndDie } from './crash-fixture.ts'
import { batchesIn, batchOf, changingConfig, readAll, recordsIn } from './log-fixture.ts'
import type { ReadRecord } from './log-fixture.ts'
import type { LogConfig } from './log-config.ts'
import { openLogFolder } from './log-folder.ts'
import type { Truncation } from './log-recovery.ts'
import type { PartitionLog } from './partition-log.ts'

/**
 * Several producers write, each sends a batch until it is acknowledged, and the broker dies at any
 * call. What was acknowledged or read must still be there, at its offset, once.
 */

interface Sent {
  readonly values: readonly string[]
  readonly batch: Buffer
}

interface Producer {
  readonly id: number
  sequence: number
  /** Sent, and not known to be in the log. */
  unsure: Sent | undefined
  /** The last that was acknowledged. */
  last: (Sent & { readonly baseOffset: number }) | undefined
}

/** What the world outside knows; it outlives the broker. */
class Outside {
  readonly producers: readonly Producer[] = [1, 2, 3, 4].map((id) => ({
    id,
    sequence: 0,
    unsure: undefined,
    last: undefined,
  }))
  /** Values by offset that were acknowledged or read: they are there for good. */
  readonly promised = new Map<number, string>()
  /** All that was ever sent: nothing else may be in the log. */
  readonly sent = new Set<string>()
  readonly truncations: Truncation[] = []
  startOffset = 0
  acknowledged = 0
  retries = 0
  problem: string | undefined

  fail(problem: string): void {
    this.problem ??= problem
  }

  promise(offset: number, value: string): void {
    const before = this.promised.get(offset)
    if (before === undefined) this.promised.set(offset, value)
    else if (before !== value) this.fail(`offset ${offset} was ${before}, is ${value}`)
  }

  nextBatch(producer: Producer, random: SeededRandom): Sent {
    const values = Array.from({ length: 1 + random.integer(3) }, (_, index) => {
      const name = `${producer.id}.${producer.sequence + index}`
      return `${name} ${'x'.repeat(random.integer(150))}`
    })
    const batch = batchOf(values, {
      producerId: producer.id,
      producerEpoch: 0,
      baseSequence: producer.sequence,
    })
    for (const value of values) this.sent.add(value)
    producer.sequence += values.length
    return { values, batch }
  }

  /** Looks at the whole log, as a reader and as one who knows what was promised. */
  inspect(log: PartitionLog): void {
    const batches = readAll(log)
    const found = new Map<number, ReadRecord>()
    const values = new Set<string>()
    for (const batch of batches) {
      if (!batch.isCrcValid()) this.fail(`the batch at ${batch.baseOffset} is damaged`)
    }
    for (const record of recordsIn(batches)) {
      const value = record.value ?? ''
      found.set(record.offset, record)
      if (!this.sent.has(value)) this.fail(`${value} was never sent`)
      if (values.has(value)) this.fail(`${value} is there twice`)
      values.add(value)
      this.promise(record.offset, value)
    }
    if (log.logStartOffset < this.startOffset) {
      this.fail(`the log starts at ${log.logStartOffset}, not at ${this.startOffset}`)
    }
    for (const [offset, value] of this.promised) {
      if (offset < log.logStartOffset) this.promised.delete(offset)
      else if (found.get(offset)?.value !== value) this.fail(`${value} at ${offset} is lost`)
    }
  }
}

const config: Partial<LogConfig> = { segmentBytes: 1500 }
const identity = { topic: 'orders', topicId: 'id', partition: 0 }

async function live(
  platform: Platform,
  random: SeededRandom,
  outside: Outside,
  steps: number,
): Promise<void> {
  const folder = await openLogFolder({
    platform,
    path: '/data',
    durability: 'sync',
    filesMax: 2,
    truncated: (truncation) => outside.truncations.push(truncation),
  })
  const log = folder.open(identity, () => changingConfig(config))
  await folder.recovered()
  outside.inspect(log)
  for (const producer of outside.producers) checkLast(log, producer, outside)
  followEnd(log, outside)
  // Some lives only read: what they saw must be there in the next.
  if (random.chance(0.2)) await platform.clock.sleep(500)
  const writing = outside.producers.map(async (producer) => {
    for (let step = 0; step < steps; step++) {
      if (random.chance(0.2)) await platform.clock.sleep(random.integer(5))
      if (!(await send(log, producer, outside, random))) return
    }
  })
  for (let step = 0; step < steps / 4; step++) {
    await platform.clock.sleep(random.integer(30))
    if (random.chance(0.3)) await deleteSome(log, outside, random)
    else if (random.chance(0.3)) await log.applyRetention(platform.clock.now())
    else if (random.chance(0.3)) outside.inspect(log)
  }
  await Promise.all(writing)
  await folder.close()
}

/** A batch that was acknowledged is known again, and what does not follow it is refused. */
function checkLast(log: PartitionLog, { id, last }: Producer, outside: Outside): void {
  if (last === undefined) return
  const again = log.append(Buffer.from(last.batch))
  if (isRefusal(again)) outside.fail(`a duplicate of ${last.values[0]} is ${again.message}`)
  else if (again.baseOffset !== last.baseOffset) {
    outside.fail(`${last.values[0]} at ${last.baseOffset} is appended again at ${again.baseOffset}`)
  }
  const gap = { producerId: id, producerEpoch: 0, baseSequence: 1_000_000 }
  if (!isRefusal(log.append(batchOf(['gap'], gap)))) outside.fail(`producer ${id} is forgotten`)
}

/** A reader at the end: what it has seen is promised. */
function followEnd(log: PartitionLog, outside: Outside): void {
  let offset = log.highWatermark
  log.onChange(() => {
    const options = { isolation: 'uncommitted', bytesMax: 10_000, atLeastOneBatch: true } as const
    const read = log.read({ offset: Math.max(offset, log.logStartOffset), ...options })
    if (isRefusal(read)) return
    for (const { offset: at, value } of recordsIn(batchesIn(read.chunks))) {
      if (at >= outside.startOffset) outside.promise(at, value ?? '')
    }
    offset = read.nextOffset
  })
}

async function deleteSome(log: PartitionLog, outside: Outside, random: SeededRandom) {
  const range = log.highWatermark - log.logStartOffset
  const target = log.logStartOffset + random.integer(1 + Math.floor(range / 3))
  const start = await log.deleteRecordsBefore(target)
  if (typeof start === 'number') outside.startOffset = start
}

/** Sends the unsure batch or a new one, sometimes twice at once; answers whether it could. */
async function send(
  log: PartitionLog,
  producer: Producer,
  outside: Outside,
  random: SeededRandom,
): Promise<boolean> {
  if (producer.unsure !== undefined) outside.retries += 1
  const sent = producer.unsure ?? outside.nextBatch(producer, random)
  producer.unsure = sent
  let result = log.append(Buffer.from(sent.batch))
  if (random.chance(0.2)) result = log.append(Buffer.from(sent.batch))
  if (isRefusal(result)) {
    outside.fail(`${sent.values[0]}: ${result.message}`)
    return false
  }
  await result.durable
  const { baseOffset } = result
  producer.unsure = undefined
  producer.last = { ...sent, baseOffset }
  outside.acknowledged += 1
  for (const [index, value] of sent.values.entries()) {
    if (baseOffset + index >= outside.startOffset) outside.promise(baseOffset + index, value)
  }
  return true
}

describe('a log whose broker dies', () => {
  it('keeps what was acknowledged or read, once and at its offset', async () => {
    const total = { acknowledged: 0, retries: 0, truncations: 0 }
    for (let seed = 1; seed <= 12; seed++) {
      const outside = new Outside()
      await liveAndDie({
        seed,
        lives: 12,
        callsMax: 700,
        live: (platform, random) => live(platform, random, outside, 40),
        last: async (platform) => {
          const folder = await openLogFolder({ platform, path: '/data', durability: 'sync' })
          const log = folder.open(identity, () => changingConfig(config))
          await folder.recovered()
          outside.inspect(log)
        },
        isOver: () => outside.problem !== undefined,
      })
      expect(outside.problem, `seed ${seed}`).toBeUndefined()
      const lies = outside.truncations.filter(({ reason }) => reason.includes('were synced'))
      expect(lies, `seed ${seed}`).toEqual([])
      total.acknowledged += outside.acknowledged
      total.retries += outside.retries
      total.truncations += outside.truncations.length
    }
    // The test is worth nothing unless all of this has happened.
    expect(total.acknowledged).toBeGreaterThan(1000)
    expect(total.retries).toBeGreaterThan(200)
    expect(total.truncations).toBeGreaterThan(20)
  })
})
