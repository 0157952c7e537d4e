import { createNodePlatform } from '../../platform/index.ts'
import type { Clock, Platform } from '../../platform/index.ts'
import { RecordBatch, RecordBatchBuilder } from '../../protocol/records/index.ts'
import type { RecordBatchOptions, RecordInput } from '../../protocol/records/index.ts'
import { createSimulation } from '../../testing/simulation/index.ts'
import type { DiskConditions, Simulation } from '../../testing/simulation/index.ts'
import { isRefusal } from '../refusal.ts'
import type { Refusal } from '../refusal.ts'
import { defaultLogConfig } from './log-config.ts'
import type { LogConfig } from './log-config.ts'
import { openLogFolder } from './log-folder.ts'
import type { Appended } from './log-types.ts'
import type { PartitionLog } from './partition-log.ts'

/** 2026-01-01, as the simulator's clocks begin. */
export const startMs = Date.UTC(2026, 0, 1)

/** A clock that stands still until it is moved. */
export class StillClock implements Pick<Clock, 'now' | 'defer'> {
  nowMs = startMs

  now(): number {
    return this.nowMs
  }

  defer(callback: () => void): void {
    createNodePlatform().clock.defer(callback)
  }
}

/** A configuration that a test can change while a log uses it. */
export type ChangingConfig = { -readonly [Name in keyof LogConfig]: LogConfig[Name] }

export function changingConfig(changes: Partial<LogConfig> = {}): ChangingConfig {
  return { ...defaultLogConfig, ...changes }
}

export interface MemoryLog {
  readonly log: PartitionLog
  readonly clock: StillClock
  readonly config: ChangingConfig
}

export async function memoryLog(changes: Partial<LogConfig> = {}): Promise<MemoryLog> {
  const clock = new StillClock()
  const config = changingConfig(changes)
  const platform = { clock, disk: undefined } as unknown as Platform
  const folder = await openLogFolder({ platform, path: undefined, durability: 'sync' })
  const log = folder.open({ topic: 'orders', topicId: 'id', partition: 0 }, () => config)
  return { log, clock, config }
}

/** A producer as a batch names it. */
export interface Sequenced {
  readonly producerId: number
  readonly producerEpoch: number
  readonly baseSequence: number
  readonly isTransactional?: boolean
}

/** A batch of records with these values; keys and timestamps as given, or 'key' and the start. */
export function batchOf(
  records: readonly (string | Partial<RecordInput>)[],
  options: RecordBatchOptions = {},
): Buffer {
  const builder = new RecordBatchBuilder()
  for (const record of records) {
    const given = typeof record === 'string' ? { value: Buffer.from(record) } : record
    builder.append({ key: Buffer.from('key'), value: null, timestamp: startMs, ...given })
  }
  return builder.build(options)
}

export function appended(result: Appended | Refusal): Appended {
  if (isRefusal(result)) throw new Error(`${result.error}: ${result.message}`)
  return result
}

export function errorOf(result: object | undefined): string {
  return result !== undefined && isRefusal(result) ? result.error : 'NONE'
}

/** A record as tests compare it. */
export interface ReadRecord {
  readonly offset: number
  readonly key: string | null
  readonly value: string | null
}

/** The batches in the chunks of a read. */
export function batchesIn(chunks: readonly Buffer[]): RecordBatch[] {
  return chunks.flatMap((chunk) => {
    const batches: RecordBatch[] = []
    for (let at = 0; at < chunk.length;) {
      const batch = RecordBatch.at(chunk, at)
      batches.push(batch)
      at += batch.sizeInBytes
    }
    return batches
  })
}

export function recordsIn(batches: Iterable<RecordBatch>): ReadRecord[] {
  const records: ReadRecord[] = []
  for (const batch of batches) {
    if (batch.isControl) continue
    for (const { offset, key, value } of batch.records(1_000_000)) {
      const text = (bytes: Buffer | null) => (bytes === null ? null : bytes.toString())
      records.push({ offset, key: text(key), value: text(value) })
    }
  }
  return records
}

/** All batches that a reader gets who reads from the start to the end. */
export function readAll(
  log: PartitionLog,
  isolation: 'committed' | 'uncommitted' = 'uncommitted',
  bytesMax = 1000,
): RecordBatch[] {
  const batches: RecordBatch[] = []
  for (let offset = log.logStartOffset; ;) {
    const read = log.read({ offset, isolation, bytesMax, atLeastOneBatch: true })
    if (isRefusal(read)) throw new Error(`${read.error}: ${read.message}`)
    if (read.bytes === 0) return batches
    batches.push(...batchesIn(read.chunks))
    offset = read.nextOffset
  }
}

/** Runs a program on a simulated machine. Virtual time passes only while it waits. */
export async function onSimulatedMachine<Result>(
  program: (platform: Platform, simulation: Simulation) => Promise<Result>,
  options: { readonly seed?: number; readonly disk?: Partial<DiskConditions> } = {},
): Promise<Result> {
  const simulation = createSimulation({ seed: options.seed ?? 1, disk: options.disk ?? {} })
  return simulation.runProcess('broker', 'test', (platform) => program(platform, simulation), {
    withinMs: 3_600_000,
  })
}

/** What a consumer delivers that reads committed data, as Java's does it: fetch by fetch. */
export function readCommitted(log: PartitionLog, bytesMax = 1000): ReadRecord[] {
  const records: ReadRecord[] = []
  for (let offset = log.logStartOffset; ;) {
    const read = log.read({ offset, isolation: 'committed', bytesMax, atLeastOneBatch: true })
    if (isRefusal(read)) throw new Error(`${read.error}: ${read.message}`)
    if (read.bytes === 0) return records
    const aborted = [...(read.abortedTransactions ?? [])]
    const producers = new Set<number>()
    for (const batch of batchesIn(read.chunks)) {
      while (aborted[0] !== undefined && aborted[0].firstOffset <= batch.lastOffset) {
        producers.add((aborted.shift() as { producerId: number }).producerId)
      }
      if (batch.isControl) producers.delete(batch.producerId)
      const isAborted = batch.isTransactional && producers.has(batch.producerId)
      if (!isAborted)
        records.push(...recordsIn([batch]).filter((record) => record.offset >= offset))
    }
    offset = read.nextOffset
  }
}
