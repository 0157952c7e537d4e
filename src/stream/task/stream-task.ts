import { decodeRecord } from '../../contract/index.ts'
import type { DecodedRecord, Event, EventContract, TopicContract } from '../../contract/index.ts'
import type { ProducerRecord } from '../../client/index.ts'
import type { SourceBatch, SourceRecord } from '../../driver/index.ts'
import type { Log } from '../../observe/index.ts'
import type { FlowPlan } from '../flow/flow-plan.ts'
import type { Cause, Operator, PlacedRecord, TaskEvent } from '../operator/operator.ts'
import type { StateChange, StateKey } from '../../store/index.ts'
import { nameEnd, recordKeyBytesMax } from '../state/state-key.ts'
import { StateError } from '../state/state-error.ts'
import type { TaskState } from '../state/task-state.ts'
import { Timers } from '../state/timers.ts'
import type { DueEntry } from '../state/timers.ts'
import { assembleFlow, originalPartitionHeader } from './assemble-flow.ts'
import { InputQueue } from './input-queue.ts'
import type { InputPosition } from './input-queue.ts'
import { StreamViolation } from './stream-violation.ts'
import { TaskTime } from './task-time.ts'
import type { TaskTimeOptions } from './task-time.ts'
import { readTimeRecord, TimeJournal, timeKey } from './time-journal.ts'

/** What is sent because of a value. */
export interface FlowSend {
  readonly topic: TopicContract
  readonly event: EventContract
  readonly data: unknown
  readonly key: string | Uint8Array | null | undefined
  readonly id: string | undefined
  readonly timestamp: number
  readonly cause: Cause | undefined
}

export interface StreamTaskParts {
  readonly plan: FlowPlan
  readonly partition: number
  /** The topic of each input: of one that is worked under another key, where it is written again. */
  readonly topics: readonly string[]
  /** Of each input, from how many partitions its records come: more than one where they were written again. @defaultValue one */
  readonly sourceCounts?: readonly number[]
  readonly state: TaskState
  /** Milliseconds since the epoch. */
  readonly now: () => number
  /** Milliseconds that only grow. */
  readonly elapsedMs: () => number
  /** Makes the record of an event; throws what its contract finds wrong. */
  readonly encode: (send: FlowSend) => ProducerRecord
  /** Throws when a record that is written again is larger than its topic takes. */
  readonly check?: (record: ProducerRecord) => ProducerRecord
  readonly letter: (record: PlacedRecord, error: Error) => ProducerRecord
  readonly log: Log
  /** What became of records: `what` is a word, `of` the operator or topic. */
  readonly count: (what: string, of: string) => void
}

/** What a task leaves to be committed in one. */
export interface TaskWork {
  readonly outputs: readonly ProducerRecord[]
  readonly changes: readonly StateChange[]
  /** By input; undefined where nothing was taken. */
  readonly positions: readonly (InputPosition | undefined)[]
  /** What is committed beside the offsets: of what is written again, how far its time has come. */
  readonly note: string
}

/** How far the sources of an input have come that was written again under another key. */
export interface SourceSight {
  /** Event times up to which all is in the input, by source. */
  readonly times: readonly number[]
  /** Whether nothing more was there of a source. */
  readonly areRead: readonly boolean[]
}

/** The next record of an input, as far as it is read. */
interface Head {
  readonly record: SourceRecord
  readonly decoded: DecodedRecord | Error
  /** Its event time; records that are no events are taken at once. */
  readonly time: number
  /** The partition that it came from first. */
  readonly source: number
}

interface TakenPlace {
  readonly input: number
  readonly source: number
  readonly topic: string
  readonly record: SourceRecord
}

/** No topic has as many partitions: what says so is not ours. */
const sourcesMax = 100_000

/** How far ahead no event of any input can be. */
const atOnce = -Infinity

/**
 * Works the records of one partition number of all topics of a flow, in the order of event time. It is synchronous: what it has
 * worked waits, as outputs, changes and positions, until it is taken to be committed.
 */
export class StreamTask {
  readonly partition: number
  readonly #parts: StreamTaskParts
  readonly #queues: readonly InputQueue[]
  readonly #isAtEnd: boolean[]
  readonly #sourceCounts: readonly number[]
  /** What is known of the sources of each input that has several. */
  readonly #sights: (SourceSight | undefined)[]
  readonly #heads: (Head | undefined)[]
  readonly #timeOptions: TaskTimeOptions
  #time: TaskTime
  readonly #timers: Timers
  readonly #journal: TimeJournal
  readonly #operators: ReadonlyMap<string, Operator>
  readonly #work: (event: TaskEvent) => void
  #outputs: ProducerRecord[] = []
  #workedCount = 0
  /** How much more is worked before others have their turn. */
  #left = 0
  /** The positions that were taken to be committed last. */
  #takenTo: readonly (InputPosition | undefined)[] = []
  /** What the last dead letter is of. */
  #lettered: SourceRecord | undefined

  constructor(parts: StreamTaskParts) {
    const { plan, state, partition } = parts
    this.partition = partition
    this.#parts = parts
    this.#queues = plan.inputs.map(() => new InputQueue())
    this.#isAtEnd = plan.inputs.map(() => false)
    this.#heads = plan.inputs.map(() => undefined)
    const { inputs, idleAfterMs, horizonMs } = plan
    const { sourceCounts = inputs.map(() => 1) } = parts
    this.#timeOptions = { sourceCounts, idleAfterMs, horizonMs }
    this.#sourceCounts = sourceCounts
    this.#sights = inputs.map(() => undefined)
    this.#time = this.#keptTime()
    this.#timers = new Timers(state)
    const bytesMax = plan.isStateful ? state.valueBytesMax : Infinity
    const sourceCount = sourceCounts.reduce((sum, count) => sum + count, 0)
    this.#journal = new TimeJournal(bytesMax, sourceCount)
    const assembled = assembleFlow(plan, {
      state,
      timers: this.#timers,
      time: () => this.#time.joinTime,
      count: (what, of) => parts.count(what, of),
      letter: (record, error) => this.#letter(record, error),
      send: (send) => this.#outputs.push(parts.encode(send)),
      write: (record) => this.#outputs.push(parts.check?.(record) ?? record),
      decode: (input, record) => this.#decodeAgain(input, record),
      topicOf: (input) => parts.topics[input] as string,
    })
    this.#operators = assembled.operators
    this.#work = assembled.take
  }

  /** The state is there now: the time is in it. Nothing was worked before. */
  restored(): void {
    this.#time = this.#keptTime()
  }

  #keptTime(): TaskTime {
    return new TaskTime(this.#timeOptions, readTimeRecord(this.#parts.state.get(timeKey)))
  }

  get joinTime(): number {
    return this.#time.joinTime
  }

  /** Records of an input that were read and are not taken yet. */
  waitingOf(input: number): number {
    return (this.#queues[input] as InputQueue).recordCount
  }

  /** Records of an input were read; they follow those before. */
  add(input: number, batch: SourceBatch): void {
    this.#isAtEnd[input] = false
    ;(this.#queues[input] as InputQueue).add(batch)
  }

  /** Whether nothing is known to be there of an input behind what was added. */
  setAtEnd(input: number, isAtEnd: boolean): void {
    this.#isAtEnd[input] = isAtEnd
  }

  /** Behind what was taken last of an input; undefined before anything was. */
  takenTo(input: number): number | undefined {
    return this.#queues[input]?.position?.offset
  }

  /** All that was in an input when its sources had come so far was taken; undefined: nothing is known of them any more. */
  setSources(input: number, sight: SourceSight | undefined): void {
    this.#sights[input] = sight
    sight?.times.forEach((time, source) => this.#time.told(input, source, time))
  }

  /**
   * Works up to so many records and entries whose time has passed, as far as it is known which is next; answers how many it were.
   */
  work(countMax: number): number {
    this.#left = countMax
    // Of a time that was come to when there was no more to be done at once.
    let isTimeKept = this.#endBefore(this.#time.joinTime)
    if (isTimeKept && !this.#journal.isFull) isTimeKept = this.#followClock()
    while (isTimeKept && this.#left > 0 && !this.#journal.isFull) {
      const input = this.#next()
      if (input === undefined) break
      isTimeKept = this.#takeFrom(input)
    }
    const count = countMax - this.#left
    this.#workedCount += count
    return count
  }

  /** Whether what was worked has to be committed before more can be. */
  get isFull(): boolean {
    return this.#journal.isFull
  }

  /** Whether there is something to commit. */
  get hasWork(): boolean {
    if (this.#outputs.length > 0 || this.#journal.hasSteps || this.#parts.state.hasChanges)
      return true
    // What is no data is passed, too: who looks at the group sees nothing left.
    return this.#queues.some(({ position }, input) => position !== this.#takenTo[input])
  }

  /** How many records and ended entries were worked that nobody has taken to be committed. */
  get workedCount(): number {
    return this.#workedCount
  }

  /** What was worked since the last time; it is this caller's to have it committed, or to give the task up. */
  takeWork(): TaskWork {
    const { plan, state } = this.#parts
    if (this.#journal.hasSteps) {
      const record = this.#journal.take(this.#time.facts)
      if (plan.isStateful) state.put(timeKey, record)
    }
    const outputs = this.#outputs
    this.#outputs = []
    this.#workedCount = 0
    this.#takenTo = this.#queues.map(({ position }) => position)
    const note = plan.root.kind === 'rekey' ? String(this.#time.joinTime) : ''
    return { outputs, changes: state.seal(), positions: this.#takenTo, note }
  }

  /** When the entries of restored state are due: their index is made anew. */
  dueTimeOf({
    key,
    value,
  }: {
    readonly key: StateKey
    readonly value: Buffer
  }): number | undefined {
    return this.#operatorOf(key)?.dueTimeOf(key, value)
  }

  /** The input to take from: that with the earliest head; undefined while that is not known. */
  #next(): number | undefined {
    let next: number | undefined
    let earliest = Infinity
    let areAllKnown = true
    for (const [input, queue] of this.#queues.entries()) {
      const head = (this.#heads[input] ??= this.#headOf(input, queue))
      if (head === undefined) areAllKnown &&= this.#isAtEnd[input] === true
      else if (head.time < earliest) {
        earliest = head.time
        next = input
      }
    }
    return areAllKnown || earliest === atOnce ? next : undefined
  }

  #headOf(input: number, { head: record }: InputQueue): Head | undefined {
    if (record === undefined) return undefined
    const decoded = this.#decode(input, record)
    const isEvent = !(decoded instanceof Error) && decoded.kind === 'event'
    const time = isEvent ? decoded.event.timestamp : atOnce
    return { record, decoded, time, source: this.#sourceOf(input, record) }
  }

  #sourceOf(input: number, record: SourceRecord): number {
    if (this.#sourceCounts[input] === 1) return 0
    const source = Number(record.header(originalPartitionHeader))
    return Number.isSafeInteger(source) && source >= 0 && source < sourcesMax ? source : 0
  }

  #decode(input: number, record: SourceRecord): DecodedRecord | Error {
    const { topic, events } = this.#parts.plan.inputs[input] as FlowPlan['inputs'][number]
    try {
      const fallbackId = () => `${this.#parts.topics[input]}-${this.partition}-${record.offset}`
      const decoded = decodeRecord(topic, record, { handled: events, fallbackId })
      if (decoded instanceof Promise) {
        decoded.catch(() => undefined)
        throw asynchronous(topic)
      }
      return decoded.kind === 'event' ? this.#checked(record, decoded) : decoded
    } catch (error) {
      if (error instanceof StateError) throw error
      return error as Error
    }
  }

  #checked(
    { keySize }: SourceRecord,
    decoded: Extract<DecodedRecord, { kind: 'event' }>,
  ): DecodedRecord | Error {
    const { timestamp } = decoded.event
    const { plan, now } = this.#parts
    if (keySize < 0 && plan.isStateful) {
      return new StreamViolation('the record has no key: nothing can be remembered of it')
    }
    if (keySize > recordKeyBytesMax) {
      return new StreamViolation(
        `the key has ${keySize} bytes; at most ${recordKeyBytesMax} can be remembered`,
      )
    }
    if (!Number.isSafeInteger(timestamp) || timestamp < 0) {
      return new StreamViolation(`the event time (${timestamp}) is no time`)
    }
    const ahead = timestamp - now()
    return ahead <= plan.maxAheadMs
      ? decoded
      : new StreamViolation(
          `the event time is ${ahead} ms ahead of the clock; at most ${plan.maxAheadMs} are allowed (maxAhead)`,
        )
  }

  /** Answers false where it was not taken: more has to end before it than is worked at once. */
  #takeFrom(input: number): boolean {
    const { record, decoded, time, source } = this.#heads[input] as Head
    // Time moves first, then what is due ends, then the record is worked.
    if (time !== atOnce && !this.#moveTime(this.#time.timeWith(input, source, time))) return false
    const topic = this.#parts.topics[input] as string
    this.#heads[input] = undefined
    ;(this.#queues[input] as InputQueue).take()
    this.#journal.took(input)
    this.#left--
    if (decoded instanceof Error) {
      this.#count('refused', topic)
      this.#letter({ topic, partition: this.partition, record }, decoded)
    } else if (decoded.kind === 'event')
      this.#takeEvent({ input, source, topic, record }, decoded.event)
    else this.#count(decoded.kind, topic)
    return true
  }

  #takeEvent({ input, source, topic, record }: TakenPlace, event: Event): void {
    const { partition } = this
    const { timestamp: time } = event
    this.#time.saw(input, source, time)
    const key = record.key?.toString('latin1') ?? ''
    this.#count('taken', topic)
    const taken: TaskEvent = { topic, partition, record, input, event, key, time }
    const error = this.#guarded(() => this.#work(taken))
    if (error !== undefined) this.#letter(taken, error)
  }

  /** Answers false where more has to end than is worked at once. */
  #followClock(): boolean {
    const now = this.#parts.now()
    const elapsedMs = this.#parts.elapsedMs()
    this.#queues.forEach(({ recordCount }, input) => {
      const isAtEnd = this.#isAtEnd[input] === true && recordCount === 0
      const isOne = this.#sourceCounts[input] === 1
      const areRead = this.#sights[input]?.areRead
      this.#time.setAtEnd(input, (source) => isAtEnd && (isOne || !!areRead?.[source]), elapsedMs)
    })
    const time = this.#time.timeByClock({ now, elapsedMs, wanted: this.#timers.next })
    if (time === undefined) return true
    const isThere = this.#moveTime(time)
    if (isThere) this.#journal.advanced(time)
    return isThere
  }

  /**
   * Moves the time, and ends what it passes. Where that is more than is worked at once it comes to the time of what ended last,
   * which is told as an advance of its own: another record may be the next one then. Answers whether it came to `time`.
   */
  #moveTime(time: number): boolean {
    const before = this.#time.joinTime
    const isThere = this.#endBefore(time)
    if (isThere) this.#time.moveTo(time)
    else if (this.#time.joinTime > before) this.#journal.advanced(this.#time.joinTime)
    return isThere
  }

  /**
   * Ends the entries whose time is before `time`, each at its own: what comes of it meets the windows that were open then, however
   * far the time goes on at once. Answers false where more is left than is worked at once.
   */
  #endBefore(time: number): boolean {
    for (;;) {
      if (this.#timers.next >= time) return true
      if (this.#left <= 0) return false
      const due = this.#timers.takeDue(time)
      if (due === undefined) return true
      this.#left--
      this.#time.moveTo(due.time + 1)
      this.#end(due)
    }
  }

  #end(due: DueEntry): void {
    const { state, log } = this.#parts
    const { entry } = due
    const operator = this.#operatorOf(entry)
    const stored = state.get(entry)
    // The index may name what is gone, or something else by now.
    if (operator === undefined || stored === undefined) return
    const time = operator.dueTimeOf(entry, stored)
    if (time !== due.time) {
      // It may be of settings that were changed: nothing else would find the entry then.
      if (time !== undefined) this.#timers.set(time, entry)
      return
    }
    const error = this.#guarded(() => operator.due(entry))
    if (error === undefined) return
    const record = operator.recordOf(entry)
    if (record !== undefined) this.#letter(record, error)
    else
      log('error', 'a function of a flow failed when a window closed', {
        flow: this.#parts.plan.name,
        operator: operator.name,
        error: error.message,
      })
    // The changes were taken back: the entry would be there for good.
    state.delete(entry)
  }

  /** Runs what users have written. What it throws is answered, and leaves no outputs and no changes. */
  #guarded(work: () => void): Error | undefined {
    const { state } = this.#parts
    const outputCount = this.#outputs.length
    state.mark()
    try {
      work()
      return undefined
    } catch (error) {
      if (error instanceof StateError) throw error
      state.takeBack()
      this.#outputs.length = outputCount
      this.#lettered = undefined
      return error as Error
    }
  }

  /** One letter for a record, however many of its values come to nothing. */
  #letter(placed: PlacedRecord, error: Error): void {
    if (this.#lettered === placed.record) return
    this.#lettered = placed.record
    this.#count('dead_lettered', placed.topic)
    this.#outputs.push(this.#parts.letter(placed, error))
  }

  #decodeAgain(input: number, placed: PlacedRecord): Event {
    const decoded = this.#decode(input, placed.record)
    if (!(decoded instanceof Error) && decoded.kind === 'event') return decoded.event
    const why = decoded instanceof Error ? decoded.message : `it is ${decoded.kind}`
    throw new StateError(
      `what is remembered of ${placed.topic}-${placed.partition} at offset ${placed.record.offset} cannot be read any more: ${why}`,
      decoded instanceof Error ? decoded : undefined,
    )
  }

  #operatorOf(entry: StateKey): Operator | undefined {
    return this.#operators.get(entry.slice(0, entry.indexOf(nameEnd)))
  }

  #count(what: string, of: string): void {
    this.#parts.count(what, of)
  }
}

function asynchronous({ name }: TopicContract): Error {
  return new StateError(
    `the codec or schema of ${name} is asynchronous, which a stream cannot wait for`,
  )
}
