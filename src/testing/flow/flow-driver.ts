import type { ProducerRecord } from '../../client/index.ts'
import { decodeRecord, encodeEvent } from '../../contract/index.ts'
import type {
  ContractsOf,
  DataOf,
  Event,
  EventKey,
  EventOf,
  TopicContract,
} from '../../contract/index.ts'
import type { SourceBatch, SourceRecord } from '../../driver/index.ts'
import { OptionError } from '../../errors.ts'
import { makeRecord } from '../../protocol/records/index.ts'
import type { RecordContent } from '../../protocol/records/index.ts'
import { memoryStateStores } from '../../store/index.ts'
import type { StateStore } from '../../store/index.ts'
import {
  EventMaker,
  flowLetter,
  letterTopicOf,
  readTable,
  readTimeRecord,
  StreamTask,
  TaskState,
  timeKey,
} from '../../stream/index.ts'
import type { Flow, FlowPlan, ReadableTable, TableRow, TimeStep } from '../../stream/index.ts'
import { SeededRandom } from '../simulation/index.ts'

export interface FlowDriverOptions {
  /** What the clock shows, in milliseconds since the epoch. @defaultValue 2026-01-01 */
  readonly now?: number
}

export interface PipeOptions {
  /** Its event time. @defaultValue what the clock shows */
  readonly timestamp?: number
  readonly id?: string
  /** Instead of the contract's. */
  readonly key?: EventKey
}

/** What a record is when it is piped in as it is. */
export interface PipedRecord {
  readonly key: string | null
  readonly value: string | null
  readonly timestamp?: number
  readonly headers?: Readonly<Record<string, string | null>>
}

/** A dead letter of a flow. */
export interface FlowLetter {
  readonly topic: string
  readonly key: string | null
  readonly value: string | null
  readonly errorClass: string
  readonly reason: string
  /** The offset of its record, in the order in which records of its topic were piped in. */
  readonly offset: number
}

const group = 'flow'
const partition = 0
const startOfTime = Date.UTC(2026, 0, 1)

/**
 * Runs a flow without a broker: what is piped in is worked at once, time goes only when it is told to, and what comes out is
 * there to be read. One partition, one task.
 *
 * @example
 * const driver = driveFlow(paid)
 * driver.pipe(orders, OrderCreated, { orderId: 'o-1' })
 * driver.pipe(payments, PaymentCompleted, { orderId: 'o-1', cents: 1_200 })
 * expect(driver.read(invoices)).toMatchObject([{ data: { orderId: 'o-1' } }])
 */
export function driveFlow(
  flow: Flow<never> | Flow<unknown>,
  options: FlowDriverOptions = {},
): FlowDriver {
  return new FlowDriver(flow.plan, options)
}

/** A flow at work in memory. */
export class FlowDriver {
  readonly #plan: FlowPlan
  readonly #random = new SeededRandom(1)
  readonly #maker: EventMaker
  readonly #store: StateStore
  readonly #counts = new Map<string, number>()
  readonly #offsets: number[]
  #now: number
  #elapsedMs = 0
  #task: StreamTask
  #state: TaskState
  #outputs: ProducerRecord[] = []
  readonly #steps: TimeStep[] = []

  /** Use `driveFlow`. */
  constructor(plan: FlowPlan, { now = startOfTime }: FlowDriverOptions) {
    this.#plan = plan
    this.#now = now
    this.#offsets = plan.inputs.map(() => 0)
    const clock = { now: () => this.#now }
    this.#maker = new EventMaker({ clock, random: this.#random }, 'test')
    this.#store = memoryStateStores().open(plan.name) as StateStore
    this.#state = new TaskState(this.#store)
    this.#task = this.#newTask()
  }

  /** What the clock shows, in milliseconds since the epoch. */
  get now(): number {
    return this.#now
  }

  /** How far the flow's time has come: what is behind it by more than window and grace comes late. */
  get time(): number {
    return this.#task.joinTime
  }

  /** Pipes an event in, as if it had been read of its topic. */
  pipe<Topic extends TopicContract, Contract extends ContractsOf<Topic>>(
    topic: Topic,
    event: Contract,
    data: DataOf<Contract>,
    { timestamp = this.#now, id = this.#newId(), key }: PipeOptions = {},
  ): void {
    const record = encodeEvent(topic, event, data, { id, timestamp, key })
    if (record instanceof Promise) throw new OptionError('pipe', `(${topic.name}) is asynchronous`)
    const given = this.#inputOf(topic)
    const own = given.on?.({ id, type: event.type, timestamp, data })
    this.#add(topic, {
      key: bytesOf(own === undefined ? record.key : own),
      value: bytesOf(record.value),
      timestamp,
      headers: record.headers.map(([name, value]) => ({ key: name, value: bytesOf(value) })),
    })
  }

  /** Pipes a record in as it is, whatever the contract says. */
  pipeRecord(topic: TopicContract, record: PipedRecord): void {
    this.#add(topic, {
      key: bytesOf(record.key),
      value: bytesOf(record.value),
      timestamp: record.timestamp ?? this.#now,
      headers: Object.entries(record.headers ?? {}).map(([key, value]) => ({
        key,
        value: bytesOf(value),
      })),
    })
  }

  /** Lets the clock go on. With nothing piped in for longer than `idleAfter`, the flow's time follows it. */
  advance(ms: number): void {
    this.#now += ms
    this.#elapsedMs += ms
    this.#work()
  }

  /** The events that came out into a topic since it was read last. */
  read<Topic extends TopicContract>(topic: Topic): EventOf<Topic>[] {
    return this.#taken(topic.name).map((record) => eventOf(topic, record) as EventOf<Topic>)
  }

  /** The dead letters of a topic's records since they were read last. */
  readDeadLetters(topic: TopicContract): FlowLetter[] {
    const names = [letterTopicOf(topic.name, false), letterTopicOf(topic.name, true)]
    return names.flatMap((name) => this.#taken(name).map(letterIn))
  }

  /** The results that a table holds, by key and window. */
  rows<Result>(table: ReadableTable<Result>): TableRow<Result>[] {
    this.#commit()
    return [...readTable(this.#store, table)]
  }

  /** How many records came to what, as `matched`, `late` or `duplicate`. */
  count(what: string): number {
    return this.#counts.get(what) ?? 0
  }

  /** In which order the inputs were taken, and what the clock did: from the beginning on. @internal */
  get steps(): readonly TimeStep[] {
    this.#commit()
    return this.#steps
  }

  /** As after a restart: what was worked is committed, and the flow goes on from what is kept. */
  restart(): void {
    this.#commit()
    this.#state = new TaskState(this.#store)
    this.#task = this.#newTask()
  }

  #newTask(): StreamTask {
    return new StreamTask({
      plan: this.#plan,
      partition,
      topics: this.#plan.inputs.map(({ topic }) => topic.name),
      state: this.#state,
      now: () => this.#now,
      elapsedMs: () => this.#elapsedMs,
      log: () => undefined,
      encode: (send) => this.#maker.make(send),
      letter: (placed, error) =>
        flowLetter({
          ...{ placed, error, groupId: group, now: this.#now },
          maxRetryCount: 5,
          topicOf: letterTopicOf,
          partitionCount: () => 1,
        }),
      count: (what) => this.#counts.set(what, this.count(what) + 1),
    })
  }

  #newId(): string {
    return Buffer.from(this.#random.bytes(12)).toString('hex')
  }

  #inputOf(topic: TopicContract): FlowPlan['inputs'][number] {
    const input = this.#plan.inputs.find((each) => each.topic === topic)
    if (input !== undefined) return input
    const known = this.#plan.inputs.map((each) => each.topic.name).join(', ')
    throw new OptionError('topic', `(${topic.name}) is not read by the flow; it reads ${known}`)
  }

  #add(topic: TopicContract, record: RecordContent & { readonly timestamp: number }): void {
    const input = this.#plan.inputs.indexOf(this.#inputOf(topic))
    const offset = this.#offsets[input] as number
    this.#offsets[input] = offset + 1
    this.#task.add(input, batchOf(topic.name, makeRecord({ ...record, offset })))
    this.#work()
  }

  #work(): void {
    this.#plan.inputs.forEach((_, input) => this.#task.setAtEnd(input, true))
    while (this.#task.work(1_000) > 0);
  }

  #commit(): void {
    const { outputs, changes } = this.#task.takeWork()
    this.#outputs.push(...outputs)
    if (changes.length === 0) return
    const time = changes.find(({ key }) => key === timeKey)?.value
    this.#steps.push(...(readTimeRecord(time ?? undefined)?.steps ?? []))
    void this.#state.settle({ offset: 0, leaderEpoch: -1, topicId: '', timestamp: this.#now })
  }

  #taken(topic: string): ProducerRecord[] {
    this.#commit()
    const taken = this.#outputs.filter((record) => record.topic === topic)
    this.#outputs = this.#outputs.filter((record) => record.topic !== topic)
    return taken
  }
}

function batchOf(topic: string, record: SourceRecord): SourceBatch {
  const nextOffset = record.offset + 1
  return {
    ...{ topic, partition, recordCount: 1, nextOffset, leaderEpoch: -1 },
    highWatermark: nextOffset,
    [Symbol.iterator]: () => [record][Symbol.iterator](),
  }
}

function bytesOf(content: string | Uint8Array | null | undefined): Buffer | null {
  if (content === null || content === undefined) return null
  return Buffer.from(content as string)
}

function rawOf({ key, value, headers = [], timestamp = 0 }: ProducerRecord): SourceRecord {
  type Pairs = readonly (readonly [string, string | Uint8Array | null])[]
  const pairs = (Array.isArray(headers) ? headers : Object.entries(headers)) as Pairs
  return makeRecord({
    ...{ offset: 0, timestamp },
    key: bytesOf(key),
    value: bytesOf(value),
    headers: pairs.map(([name, content]) => ({ key: name, value: bytesOf(content) })),
  })
}

function eventOf(topic: TopicContract, record: ProducerRecord): Event {
  const decoded = decodeRecord(topic, rawOf(record))
  if (!(decoded instanceof Promise) && decoded.kind === 'event') return decoded.event
  throw new OptionError('topic', `(${topic.name}) has a record that is no event`)
}

function letterIn(record: ProducerRecord): FlowLetter {
  const raw = rawOf(record)
  const header = (name: string) => raw.header(name)?.toString() ?? ''
  return {
    topic: record.topic,
    key: raw.key?.toString() ?? null,
    value: raw.value?.toString() ?? null,
    errorClass: header('error-class'),
    reason: header('error-message'),
    offset: Number(header('source-offset')),
  }
}
