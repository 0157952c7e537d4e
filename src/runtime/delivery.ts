import type { DecodedRecord } from '../contract/index.ts'
import type { ProducerRecord } from '../client/index.ts'
import type { SourceRecord } from '../driver/index.ts'
import { MillraceError } from '../errors.ts'
import type { Placed } from './bag.ts'
import type { Batch } from './batch/batch.ts'
import type { Lane } from './lanes/lane.ts'
import type { Outcome } from './outcome.ts'
import type { RetryCopy } from './retry/retry-copy.ts'
import type { RunningAttempt } from './running.ts'

/** Is told when a record that runs waits for something before its handler starts. */
export interface WaitWatch {
  waits(delivery: Delivery): void
  goesOn(delivery: Delivery): void
}

/** What a step does when a handler that it could not wait for has come to its end; a failure has no outcome. */
export type Afterwards = (hasFailed: boolean, outcome: Outcome) => void

/** What belongs to one run of a way, and is not looked at in the next. */
class Attempt {
  /** What is written together with the commit that says that the record has ended. */
  outputs: ProducerRecord[] | undefined
  afterwards: Afterwards[] | undefined
  /** Stands for the run while something may be staged. */
  run: object | undefined
  batch: Batch | undefined
  joined: ((batch: Batch) => void) | undefined
  controller: AbortController | undefined
  abortReason: Error | undefined
  durable: ((isCommitted: boolean) => void) | undefined
  /** Set while something has to come before the handler may start. */
  waiting: AbortController | undefined
  watch: WaitWatch | undefined
}

/**
 * A record on its way through the consumer, from when it was read until it has ended. One object for all
 * its attempts.
 */
export class Delivery implements Placed {
  readonly topic: string
  readonly partition: number
  readonly record: SourceRecord
  /** Among the records of its partition that are being handled. */
  place = 0
  /** The run of its handler that takes longer than a call. */
  running: RunningAttempt | undefined
  /** Which run of the handler this is, counted over all processes that tried; from 1. */
  attempt = 0
  /** Where it was first, if it is a copy that its group has made to try it again. */
  copy: RetryCopy | undefined
  /** What the record says by its topic's contract, once it was read. */
  decoded: DecodedRecord | undefined
  /** Where it stands among the records of its key; undefined while it runs at once, with none before it. */
  lane: Lane | undefined
  /** Whether it is run in no batch with others. */
  isAlone = false
  /** What its batch said is wrong with it: decided when the records before it have ended. */
  failure: { readonly error: unknown } | undefined
  /** Undefined while there is nothing to keep of the run: that of most handlers that answer at once. */
  #now: Attempt | undefined
  #dropReason: Error | undefined
  #wasDropped = false

  constructor(topic: string, partition: number, record: SourceRecord) {
    this.topic = topic
    this.partition = partition
    this.record = record
  }

  get offset(): number {
    return this.record.offset
  }

  /** The topic that it belongs to: of a copy the one that it was in first. */
  get sourceTopic(): string {
    return this.copy?.topic ?? this.topic
  }

  /** Which run of its handler this is, with those before it was copied; from 1. */
  get attemptInAll(): number {
    return (this.copy?.attempts ?? 0) + this.attempt
  }

  /** Aborts when the attempt has to end: its time is over, or the partition goes to another member. */
  get signal(): AbortSignal {
    const now = this.#attempt
    if (now.controller === undefined) {
      now.controller = new AbortController()
      if (now.abortReason !== undefined) now.controller.abort(now.abortReason)
    }
    return now.controller.signal
  }

  get isAborted(): boolean {
    return this.#now?.abortReason !== undefined
  }

  /** What `signal.throwIfAborted` does, without making a signal that nobody has asked for. */
  throwIfAborted(): void {
    const reason = this.#now?.abortReason
    if (reason !== undefined) throw reason
  }

  /** Ends the attempt that runs. */
  abort(reason: Error): void {
    const now = this.#attempt
    now.abortReason ??= reason
    now.controller?.abort(reason)
    now.batch?.abort(reason)
  }

  /**
   * Calls back when the promise that its way answers has settled, before anything is made of that: the innermost step first. It
   * spares each step a promise of its own.
   */
  afterwards(callback: Afterwards): void {
    const now = this.#attempt
    now.afterwards ??= []
    now.afterwards.push(callback)
  }

  /** The promise that its way has answered has settled. */
  hasSettled(hasFailed: boolean, outcome: Outcome): void {
    const now = this.#now
    if (now?.afterwards === undefined) return
    for (const callback of now.afterwards) callback(hasFailed, outcome)
    now.afterwards = undefined
  }

  /** What stands for the run that is under way: outputs of another one are refused. */
  get run(): object {
    return (this.#attempt.run ??= {})
  }

  /** Puts a record beside what is written when this one has ended; a run that fails leaves nothing. */
  stage(record: ProducerRecord, run: object): void {
    const now = this.#attempt
    if (run !== now.run) {
      const problem = `what ${this.toString()} sent came after its handler had ended: await it`
      throw new MillraceError('MILLRACE_RUNTIME_STATE_INVALID', problem)
    }
    now.outputs ??= []
    now.outputs.push(record)
  }

  /** This is written when it has ended, and nothing of what its handler has staged. */
  replaceOutputs(records: readonly ProducerRecord[]): void {
    this.#attempt.outputs = [...records]
  }

  get outputs(): readonly ProducerRecord[] {
    return this.#now?.outputs ?? []
  }

  /** Calls back when a commit says that it has ended, or none ever will. */
  whenDurable(callback: (isCommitted: boolean) => void): void {
    this.#attempt.durable = callback
  }

  /** Whether somebody wants to know when a commit says that it has ended, or something is written with it. */
  get needsCommit(): boolean {
    const now = this.#now
    return now !== undefined && (now.outputs !== undefined || now.durable !== undefined)
  }

  /** It has ended: nothing more can be staged. */
  seal(): void {
    if (this.#now !== undefined) this.#now.run = undefined
  }

  /** A commit says that it has ended, or its partition was given up without. */
  settle(isCommitted: boolean): void {
    const now = this.#now
    if (now?.durable === undefined) return
    const { durable } = now
    now.durable = undefined
    durable(isCommitted)
  }

  /** The batch that it is in, in this run. */
  get batch(): Batch | undefined {
    return this.#now?.batch
  }

  /** It is in a batch from here on. */
  join(batch: Batch): void {
    const now = this.#attempt
    now.batch = batch
    now.joined?.(batch)
  }

  /** Calls back when this run puts it into a batch. */
  whenJoined(callback: (batch: Batch) => void): void {
    this.#attempt.joined = callback
  }

  /** Whether it waits for something before its handler may start. */
  get isWaiting(): boolean {
    return this.#now?.waiting !== undefined
  }

  /** Whether its partition is being given up. */
  get isGivenUp(): boolean {
    return this.#dropReason !== undefined
  }

  /** Whether its partition was given up before it started: nothing has become of it, whatever its way answers. */
  get wasDropped(): boolean {
    return this.#wasDropped
  }

  /**
   * Waits for something that has to come before the handler starts. The time of a handler stands still meanwhile. Rejects
   * at once when the partition is given up: what has not started does not start any more.
   */
  async beforeStart<Value>(wait: (signal: AbortSignal) => Promise<Value>): Promise<Value> {
    this.#throwIfDropped()
    const waiting = new AbortController()
    const now = this.#attempt
    now.waiting = waiting
    now.watch?.waits(this)
    try {
      return await wait(waiting.signal)
    } finally {
      now.waiting = undefined
      now.watch?.goesOn(this)
      this.#throwIfDropped()
    }
  }

  /** Who is told of its waits. */
  watchWaits(watch: WaitWatch): void {
    this.#attempt.watch = watch
  }

  /** Its partition is being given up: it ends if it has not started. */
  drop(reason: Error): void {
    this.#dropReason ??= reason
    this.#now?.waiting?.abort(reason)
  }

  #throwIfDropped(): void {
    if (this.#dropReason === undefined) return
    this.#wasDropped = true
    throw this.#dropReason
  }

  /** The next attempt has nothing of the one before, and a signal of its own. */
  begin(attempt: number): void {
    this.settle(false)
    this.attempt = attempt
    this.#now = undefined
  }

  get #attempt(): Attempt {
    return (this.#now ??= new Attempt())
  }

  /** How logs and errors name it. */
  toString(): string {
    return `${this.topic}-${this.partition} at offset ${this.offset}`
  }
}
