import {
  DeliveryError,
  LazyResults,
  partitionKey,
  recordOf,
  RecordsDeliveryError,
} from '../../client/index.ts'
import type {
  ProducerRecord,
  RecordOutcome,
  RecordResult,
  RecordResults,
  ResolvedProducerOptions,
  SendOptions,
} from '../../client/index.ts'
import { isMillraceError, MillraceError, OptionError } from '../../errors.ts'
import type { Clock, Timer } from '../../platform/index.ts'
import type { RecordSink } from '../driver.ts'
import type { KafkaJsProducer } from './kafkajs-api.ts'
import type { KafkaJsConnection } from './kafkajs-connection.ts'
import { outgoingOf } from './kafkajs-records.ts'
import type { OutgoingRecord } from './kafkajs-records.ts'
import type { PartitionChoice } from './partition-choice.ts'
import { PartitionLane } from './partition-lane.ts'
import type { PendingRecord } from './partition-lane.ts'

export interface KafkaJsSinkParts {
  readonly clock: Clock
  readonly producer: KafkaJsConnection<KafkaJsProducer>
  readonly choice: PartitionChoice
  readonly options: ResolvedProducerOptions
}

const acknowledgements = { all: -1, leader: 1, none: 0 } as const
const compressions = { none: 0, gzip: 1, snappy: 2, lz4: 3, zstd: 4 } as const
/** How long a broker may wait for its replicas. */
const replicasTimeoutMs = 30_000
/** kafkajs ends each of its own attempts, but knows no end of them all. */
const requestTimeoutMs = 2 ** 31 - 1
const closeTimeoutMs = 30_000

/**
 * Writes records by a producer of kafkajs.
 *
 * A record is **placed** (its partition is chosen, in the order of calls), waits for **room** in memory, then in the
 * **lane** of its partition, and is **sent**; it is settled by the broker's answer, or when its time is over.
 */
export class KafkaJsSink implements RecordSink {
  readonly #parts: KafkaJsSinkParts
  readonly #lanes = new Map<string, PartitionLane>()
  readonly #calls = new Set<SendCall>()
  /** Records that wait for memory. */
  #line: SentRecord[] = []
  #usedBytes = 0
  #isClosed = false

  constructor(parts: KafkaJsSinkParts) {
    this.#parts = parts
  }

  send(record: ProducerRecord, options?: SendOptions): Promise<RecordResult>
  send(records: readonly ProducerRecord[], options?: SendOptions): Promise<RecordResults>
  async send(
    given: ProducerRecord | readonly ProducerRecord[],
    options: SendOptions = {},
  ): Promise<RecordResult | RecordResults> {
    const records = Array.isArray(given) ? (given as readonly ProducerRecord[]) : undefined
    const outcomes = await this.#sendAll(records ?? [given as ProducerRecord], options)
    if (records === undefined) {
      const [outcome] = outcomes as [RecordOutcome]
      if ('error' in outcome) throw outcome.error
      return outcome
    }
    const at = (index: number) => outcomes[index] as RecordOutcome
    if (outcomes.some((outcome) => 'error' in outcome)) {
      throw new RecordsDeliveryError(new LazyResults(outcomes.length, at))
    }
    return new LazyResults(outcomes.length, (index) => at(index) as RecordResult)
  }

  async flush(): Promise<void> {
    await Promise.all([...this.#calls].map(({ settled }) => settled))
  }

  async close({ timeoutMs = closeTimeoutMs }: { readonly timeoutMs?: number } = {}): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    let timer: Timer | undefined
    const isLate = new Promise<void>((resolve) => {
      timer = this.#parts.clock.setTimer(timeoutMs, resolve)
    })
    await Promise.race([this.flush(), isLate])
    timer?.cancel()
    for (const call of this.#calls) call.end('the producer was closed')
    await this.#parts.producer.close()
  }

  async #sendAll(
    records: readonly ProducerRecord[],
    { signal }: SendOptions,
  ): Promise<readonly RecordOutcome[]> {
    if (this.#isClosed) throw new MillraceError('MILLRACE_CLIENT_CLOSED', 'the producer was closed')
    signal?.throwIfAborted()
    const { clock, options } = this.#parts
    const call = new SendCall(records.length)
    this.#calls.add(call)
    const { deliveryTimeoutMs } = options
    const timer = clock.setTimer(deliveryTimeoutMs, () =>
      call.end(`no acknowledgement within deliveryTimeoutMs (${deliveryTimeoutMs})`),
    )
    const abort = () => call.end('it was taken back')
    signal?.addEventListener('abort', abort, { once: true })
    records.forEach((record, index) => void this.#place(call, recordOf(record), index))
    const outcomes = await call.settled
    timer.cancel()
    signal?.removeEventListener('abort', abort)
    this.#calls.delete(call)
    return outcomes
  }

  /** Chooses the partition. Who asks first for a topic's partitions is answered first, so that the order is kept. */
  async #place(call: SendCall, record: ProducerRecord, index: number): Promise<void> {
    const { topic } = record
    let partition = -1
    try {
      if (typeof topic !== 'string' || topic === '') throw new OptionError('topic', 'is missing')
      const { choice, clock } = this.#parts
      const count = await choice.countOf(topic, call.signal)
      partition = choice.choose(record, count)
      const outgoing = outgoingOf(record, partition, clock.now())
      this.#checkSize(outgoing)
      const release = () => this.#release(outgoing.sizeInBytes)
      this.#enter(new SentRecord({ call, index, topic, partition, outgoing, release }))
    } catch (error) {
      call.settle(index, { error: notWritten(topic, partition, error as Error) })
    }
  }

  #checkSize({ sizeInBytes }: OutgoingRecord): void {
    const { requestBytesMax } = this.#parts.options
    if (sizeInBytes <= requestBytesMax) return
    const allowed = `is larger than requestBytesMax (${requestBytesMax})`
    throw new OptionError('record', `of about ${sizeInBytes} bytes ${allowed}`)
  }

  #enter(record: SentRecord): void {
    if (record.isSettled) return
    if (this.#line.length === 0 && this.#hasRoomFor(record)) {
      this.#admit(record)
    } else if (this.#parts.options.whenFull === 'wait') {
      this.#line.push(record)
    } else {
      const problem = `bufferBytesMax (${this.#parts.options.bufferBytesMax}) is taken`
      throw new MillraceError('MILLRACE_CLIENT_BUFFER_FULL', problem)
    }
  }

  #hasRoomFor({ outgoing }: SentRecord): boolean {
    const { bufferBytesMax } = this.#parts.options
    return this.#usedBytes === 0 || this.#usedBytes + outgoing.sizeInBytes <= bufferBytesMax
  }

  #admit(record: SentRecord): void {
    this.#usedBytes += record.outgoing.sizeInBytes
    record.isAdmitted = true
    this.#lane(record).push(record)
  }

  #release(bytes: number): void {
    this.#usedBytes -= bytes
    this.#line = this.#line.filter(({ isSettled }) => !isSettled)
    for (
      let next = this.#line[0];
      next !== undefined && this.#hasRoomFor(next);
      [next] = this.#line
    ) {
      this.#line.shift()
      this.#admit(next)
    }
  }

  #lane({ topic, partition }: SentRecord): PartitionLane {
    const key = partitionKey({ topic, partition })
    const known = this.#lanes.get(key)
    if (known !== undefined) return known
    const { clock, producer, options } = this.#parts
    const { acks, compression, batchBytesMax } = options
    const request = {
      topic,
      acks: acknowledgements[acks],
      compression: compressions[compression],
      timeout: replicasTimeoutMs,
    }
    const call = { timeoutMs: requestTimeoutMs }
    const lane = new PartitionLane({
      topic,
      partition,
      clock,
      batchBytesMax,
      send: (messages) =>
        producer.call(`write to ${key}`, call, (connected) =>
          connected.send({ ...request, messages }),
        ),
    })
    this.#lanes.set(key, lane)
    return lane
  }
}

/** A call of `send` until all of its records are settled. */
class SendCall {
  readonly settled: Promise<readonly RecordOutcome[]>
  readonly #outcomes: (RecordOutcome | undefined)[]
  readonly #records = new Map<number, SentRecord>()
  readonly #ending = new AbortController()
  #left: number
  #resolve: (outcomes: readonly RecordOutcome[]) => void = () => undefined

  constructor(count: number) {
    this.#outcomes = Array.from({ length: count }, () => undefined)
    this.#left = count
    this.settled = new Promise((resolve) => {
      this.#resolve = resolve
    })
    if (count === 0) this.#resolve([])
  }

  /** Aborts when its time is over. */
  get signal(): AbortSignal {
    return this.#ending.signal
  }

  enter(index: number, record: SentRecord): void {
    this.#records.set(index, record)
  }

  isSettled(index: number): boolean {
    return this.#outcomes[index] !== undefined
  }

  settle(index: number, outcome: RecordOutcome): void {
    if (this.isSettled(index)) return
    this.#outcomes[index] = outcome
    this.#left--
    this.#records.get(index)?.release()
    this.#records.delete(index)
    if (this.#left === 0) this.#resolve(this.#outcomes as readonly RecordOutcome[])
  }

  /** What is not settled yet will not be: it was not written, or that is unknown. */
  end(reason: string): void {
    // Those that still look for a partition settle themselves.
    this.#ending.abort(new Error(reason))
    for (const [index, { topic, partition, isSent }] of [...this.#records]) {
      const what = { topic, partition, definitelyNotWritten: !isSent, reason }
      this.settle(index, { error: new DeliveryError(what) })
    }
  }
}

interface SentRecordParts {
  readonly call: SendCall
  readonly index: number
  readonly topic: string
  readonly partition: number
  readonly outgoing: OutgoingRecord
  /** Gives back the memory that it takes. */
  readonly release: () => void
}

/** A record whose partition is chosen. */
class SentRecord implements PendingRecord {
  readonly #parts: SentRecordParts
  isAdmitted = false
  isSent = false

  constructor(parts: SentRecordParts) {
    this.#parts = parts
    parts.call.enter(parts.index, this)
  }

  get topic(): string {
    return this.#parts.topic
  }

  get partition(): number {
    return this.#parts.partition
  }

  get outgoing(): OutgoingRecord {
    return this.#parts.outgoing
  }

  get isSettled(): boolean {
    return this.#parts.call.isSettled(this.#parts.index)
  }

  sent(): void {
    this.isSent = true
  }

  written(result: RecordResult): void {
    this.#parts.call.settle(this.#parts.index, result)
  }

  failed(error: DeliveryError): void {
    this.#parts.call.settle(this.#parts.index, { error })
  }

  release(): void {
    if (this.isAdmitted) this.#parts.release()
    this.isAdmitted = false
  }
}

/** A record that came into no request. */
function notWritten(topic: string, partition: number, cause: Error): DeliveryError {
  const what = { topic, partition, definitelyNotWritten: true, reason: cause.message }
  const retriable = isMillraceError(cause) ? cause.retriable : true
  return new DeliveryError(what, { cause, retriable })
}
