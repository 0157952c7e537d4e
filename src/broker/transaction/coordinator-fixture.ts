import { silentLog } from '../../observe/index.ts'
import type { CoordinatorLog, StateReader, StateRecord } from '../coordinator-log.ts'
import { isRefusal, refuse } from '../refusal.ts'
import type { Refusal } from '../refusal.ts'
import { TransactionCoordinator } from './coordinator.ts'
import type { TransactionMarker } from './marker.ts'
import { partitionSet } from './partition-set.ts'
import { defaultTransactionSettings } from './settings.ts'
import type { TransactionSettings } from './settings.ts'
import { newTransaction } from './transaction-metadata.ts'
import type { ProducerIdentity, TransactionVersion } from './transaction-metadata.ts'
import { transactionRecord } from './transaction-record.ts'
import type { ProducerInPartition } from './write-verifier.ts'

/** A clock that stands still until a test moves it. */
export class TestClock {
  #nowMs = 1_000_000
  #timers: { readonly atMs: number; readonly callback: () => void }[] = []

  now(): number {
    return this.#nowMs
  }

  elapsedMs(): number {
    return this.#nowMs
  }

  setTimer(delayMs: number, callback: () => void): { cancel(): void } {
    const timer = { atMs: this.#nowMs + delayMs, callback }
    this.#timers.push(timer)
    return {
      cancel: () => {
        this.#timers = this.#timers.filter((other) => other !== timer)
      },
    }
  }

  advance(delayMs: number): void {
    this.#nowMs += delayMs
    const due = this.#timers.filter(({ atMs }) => atMs <= this.#nowMs)
    this.#timers = this.#timers.filter((timer) => !due.includes(timer))
    for (const { callback } of due) callback()
  }

  get pendingTimers(): number {
    return this.#timers.length
  }
}

/**
 * An ordered list of entries of which a prefix is durable. It syncs by itself, unless a test holds
 * it: then entries become durable when the test says so, and `crash` loses the rest.
 */
export class TestLog<Entry> {
  readonly entries: Entry[] = []
  held = false
  failing = false
  #durable = 0
  #waiting: { readonly end: number; readonly resolve: () => void }[] = []

  async append(entry: Entry): Promise<void> {
    if (this.failing) throw new Error('the disk is full')
    this.entries.push(entry)
    const end = this.entries.length
    if (!this.held && this.#waiting.length === 0) {
      this.#durable = end
      return
    }
    await new Promise<void>((resolve) => this.#waiting.push({ end, resolve }))
  }

  sync(): void {
    this.#durable = this.entries.length
    const waiting = this.#waiting
    this.#waiting = []
    for (const { resolve } of waiting) resolve()
  }

  crash(): void {
    this.entries.length = this.#durable
    this.#waiting = []
  }
}

export type PartitionEntry =
  | ({ readonly kind: 'data'; readonly value: string } & ProducerIdentity)
  | { readonly kind: 'marker'; readonly marker: TransactionMarker }

/** A partition's log, as far as transactions go. */
export class TestPartition {
  readonly log = new TestLog<PartitionEntry>()

  producer(producerId: number): ProducerInPartition | undefined {
    let known: ProducerInPartition | undefined
    for (const entry of this.log.entries) {
      const { kind } = entry
      const identity = kind === 'data' ? entry : entry.marker
      if (identity.producerId !== producerId) continue
      known = { producerEpoch: identity.producerEpoch, transactionOpen: kind === 'data' }
    }
    return known
  }

  async write(producer: ProducerIdentity, value: string): Promise<Refusal | undefined> {
    const { producerId, producerEpoch } = producer
    const known = this.producer(producerId)
    if (known !== undefined && producerEpoch < known.producerEpoch) {
      return refuse('INVALID_PRODUCER_EPOCH', 'old epoch')
    }
    await this.log.append({ kind: 'data', producerId, producerEpoch, value })
    return undefined
  }

  async mark(marker: TransactionMarker): Promise<Refusal | undefined> {
    const { producerEpoch, transactionVersion } = marker
    const known = this.producer(marker.producerId)
    const late =
      known !== undefined &&
      (producerEpoch < known.producerEpoch ||
        (transactionVersion >= 2 && producerEpoch === known.producerEpoch && known.transactionOpen))
    if (late) return refuse('INVALID_PRODUCER_EPOCH', 'late marker')
    await this.log.append({ kind: 'marker', marker })
    return undefined
  }

  get markers(): TransactionMarker[] {
    return this.log.entries.flatMap((entry) => (entry.kind === 'marker' ? [entry.marker] : []))
  }

  get hasOpenTransaction(): boolean {
    const ids = this.log.entries.map((entry) =>
      entry.kind === 'data' ? entry.producerId : entry.marker.producerId,
    )
    return ids.some((id) => this.producer(id)?.transactionOpen === true)
  }
}

export type Mutable<T> = { -readonly [Name in keyof T]: T[Name] }

/** A coordinator with everything around it in memory; `restart` keeps only what was durable. */
export class TestCluster {
  readonly clock = new TestClock()
  readonly settings: Mutable<TransactionSettings> = { ...defaultTransactionSettings }
  readonly stateLog = new TestLog<readonly StateRecord[]>()
  readonly partitions = new Map<string, TestPartition>()
  readonly problems: string[] = []
  coordinatorEpoch = 0
  coordinator: TransactionCoordinator
  markerRefusal: Refusal | undefined
  blockLength = 10
  failingBlocks = false
  #nextBlock = 0
  #generation = 0

  constructor(names: readonly string[] = ['orders-0', 'orders-1', '__consumer_offsets-0']) {
    for (const name of names) this.partitions.set(name, new TestPartition())
    this.coordinator = this.#makeCoordinator()
  }

  /** A coordinator that has loaded its log. */
  static async started(names?: readonly string[]): Promise<TestCluster> {
    const cluster = new TestCluster(names)
    await cluster.load()
    return cluster
  }

  /** A coordinator that knows 'payments' with a producer at its last epoch. */
  static async withoutEpochsLeft(): Promise<TestCluster> {
    const cluster = new TestCluster()
    const { producerId } = (await cluster.init(null)) as ProducerIdentity
    const fresh = newTransaction('payments', producerId, 60_000, cluster.clock.now())
    await cluster.stateLog.append([transactionRecord({ ...fresh, producerEpoch: 0x7ffe }, 2)])
    await cluster.load()
    return cluster
  }

  async load(): Promise<void> {
    this.coordinatorEpoch += 1
    await this.coordinator.load(this.#coordinatorLog(), this.coordinatorEpoch)
  }

  /** The process dies: nothing that it was doing goes on, what was not durable is gone. */
  async restart(): Promise<void> {
    this.#generation += 1
    this.stateLog.crash()
    for (const { log } of this.partitions.values()) log.crash()
    this.coordinator = this.#makeCoordinator()
    await this.load()
  }

  addPartition(name: string): void {
    if (!this.partitions.has(name)) this.partitions.set(name, new TestPartition())
  }

  partition(name: string): TestPartition {
    const partition = this.partitions.get(name)
    if (partition === undefined) throw new Error(`no partition ${name}`)
    return partition
  }

  #makeCoordinator(): TransactionCoordinator {
    const generation = this.#generation
    const alive = (): boolean => generation === this.#generation
    const never = new Promise<never>(() => undefined)
    const find = (topic: string, partition: number) => this.partitions.get(`${topic}-${partition}`)
    return new TransactionCoordinator({
      clock: this.clock,
      log: (level, message) => {
        if (level === 'warn' || level === 'error') this.problems.push(message)
        silentLog(level, message)
      },
      settings: this.settings,
      producerIdBlocks: {
        allocate: async () => {
          await Promise.resolve()
          if (this.failingBlocks) throw new Error('the disk is full')
          const first = this.#nextBlock
          this.#nextBlock += this.blockLength
          return { first, length: this.blockLength }
        },
      },
      partitionOf: () => 0,
      offsetsPartitionOf: () => (find('__consumer_offsets', 0) === undefined ? -1 : 0),
      partitionExists: (topic, partition) => find(topic, partition) !== undefined,
      writeMarker: (topic, partition, marker) => {
        if (!alive()) return never
        if (this.markerRefusal !== undefined) return Promise.resolve(this.markerRefusal)
        return find(topic, partition)?.mark(marker) ?? never
      },
      producerInPartition: (topic, partition, producerId) =>
        find(topic, partition)?.producer(producerId),
    })
  }

  #coordinatorLog(): CoordinatorLog {
    const generation = this.#generation
    const { stateLog } = this
    return {
      partition: 0,
      append: async (records) => {
        if (generation !== this.#generation) return new Promise<never>(() => undefined)
        await stateLog.append(records)
        return stateLog.entries.length - 1
      },
      replay: (reader: StateReader) => {
        for (const [offset, records] of stateLog.entries.entries()) {
          for (const record of records) reader.record(offset, record, undefined)
        }
      },
    }
  }

  // What clients do.

  async init(
    transactionalId: string | null = 'payments',
    expected?: ProducerIdentity,
    timeoutMs = 60_000,
  ): Promise<ProducerIdentity | Refusal> {
    return this.coordinator.initProducerId({ transactionalId, timeoutMs, expected })
  }

  /** An InitProducerId that must succeed, and may have to abort a transaction first. */
  async producer(transactionalId = 'payments', timeoutMs = 60_000): Promise<ProducerIdentity> {
    for (let attempt = 0; attempt < 3; attempt += 1) {
      const result = await this.init(transactionalId, undefined, timeoutMs)
      if (!isRefusal(result)) return result
      await idle()
    }
    throw new Error('InitProducerId keeps being refused')
  }

  async add(
    producer: ProducerIdentity,
    names: readonly string[],
    version: TransactionVersion = 0,
  ): Promise<string> {
    const partitions = partitionSet(names.map(parseName))
    const { producerId, producerEpoch } = producer
    const refusal = await this.coordinator.addPartitions({
      transactionalId: 'payments',
      producerId,
      producerEpoch,
      partitions,
      version,
    })
    return refusal?.error ?? 'NONE'
  }

  /** Produce: admitted by the coordinator, then written. */
  async produce(
    producer: ProducerIdentity,
    names: readonly string[],
    version: number,
    value = 'value',
  ): Promise<string[]> {
    const admission = this.coordinator.prepareProduce({
      ...producer,
      transactionalId: 'payments',
      partitions: names.map(parseName),
      version,
    })
    const write = async (results: readonly (Refusal | undefined)[]): Promise<string[]> => {
      const written = names.map(async (name, index) => {
        const refusal = results[index] ?? (await this.partition(name).write(producer, value))
        return refusal?.error ?? 'NONE'
      })
      return Promise.all(written)
    }
    return admission instanceof Promise ? admission.then(write) : write(admission)
  }

  async end(
    producer: ProducerIdentity,
    outcome: 'commit' | 'abort',
    version: TransactionVersion,
  ): Promise<ProducerIdentity | Refusal> {
    const { producerId, producerEpoch } = producer
    return this.coordinator.endTransaction({
      transactionalId: 'payments',
      producerId,
      producerEpoch,
      commit: outcome === 'commit',
      version,
    })
  }

  async endError(
    producer: ProducerIdentity,
    outcome: 'commit' | 'abort',
    version: TransactionVersion,
  ): Promise<string> {
    return errorOf(await this.end(producer, outcome, version))
  }

  state(transactionalId = 'payments'): string {
    const described = this.coordinator.describe(transactionalId)
    return isRefusal(described) ? described.error : described.state
  }

  identity(): ProducerIdentity {
    const described = this.coordinator.describe('payments')
    if (isRefusal(described)) throw new Error(described.message)
    const { producerId, producerEpoch } = described
    return { producerId, producerEpoch }
  }
}

export function errorOf(result: object | undefined): string {
  return isRefusal(result) ? result.error : 'NONE'
}

/** More turns than anything here takes that waits for nothing else. */
const turns = 100

/** Lets everything happen that waits for nothing but its turn. */
export async function idle(): Promise<void> {
  for (let turn = 0; turn < turns; turn += 1) await Promise.resolve()
}

function parseName(name: string): { readonly topic: string; readonly partition: number } {
  const at = name.lastIndexOf('-')
  return { topic: name.slice(0, at), partition: Number(name.slice(at + 1)) }
}
