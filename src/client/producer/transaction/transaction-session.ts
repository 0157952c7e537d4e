import { MillraceError, OptionError } from '../../../errors.ts'
import type { Log } from '../../../observe/index.ts'
import type { Clock } from '../../../platform/index.ts'
import { kafkaError } from '../../../protocol/index.ts'
import { KafkaError } from '../../client-error.ts'
import { isStillHeld } from '../../consumer/group-member.ts'
import type { CommittedOffset, GroupMetadata } from '../../consumer/group-member.ts'
import type { FailedBatch, ProducerIdentity } from '../producer-identity.ts'
import { judgeEnd } from './end-verdict.ts'
import { actionAfter, isFenced, isForgotten, nextAttempt, rootOf } from './error-policy.ts'
import type { TransactionRequest } from './error-policy.ts'
import { TransactionContents } from './transaction-contents.ts'
import type {
  CallLimits,
  TransactionCoordinator,
  TransactionOutcome,
  TransactionVersion,
} from './transaction-coordinator.ts'
import { TransactionError } from './transaction-error.ts'
import { Turns } from './turns.ts'
import type { TopicPartition } from '../../topic-partition.ts'

export type TransactionState =
  | 'idle'
  | 'beginning'
  | 'open'
  | 'spoiled'
  | 'committing'
  | 'aborting'
  | 'commit-unknown'
  | 'abort-unknown'
  | 'closed'

const transitions: Readonly<Record<TransactionState, readonly TransactionState[]>> = {
  idle: ['beginning', 'closed'],
  beginning: ['open', 'idle', 'closed'],
  open: ['spoiled', 'committing', 'aborting', 'closed'],
  spoiled: ['aborting', 'closed'],
  committing: ['idle', 'open', 'spoiled', 'commit-unknown', 'closed'],
  aborting: ['idle', 'abort-unknown', 'closed'],
  'commit-unknown': ['committing', 'closed'],
  'abort-unknown': ['aborting', 'closed'],
  closed: [],
}

/** Why a call is refused in a state, and what to do. */
const refusals: Readonly<Record<TransactionState, string>> = {
  idle: 'no transaction is open: begin one',
  beginning: 'a transaction is being begun: await it',
  open: 'a transaction is open: commit or abort it first',
  spoiled: 'a transaction is open that has failed: abort it first',
  committing: 'the transaction is being committed: await it',
  aborting: 'the transaction is being aborted: await it',
  'commit-unknown': 'what became of the commit is not known: call commit() again, until it is',
  'abort-unknown': 'what became of the abort is not known: call abort() again, until it is',
  closed: 'the producer is closed',
}

/** Markers take milliseconds. Longer after a transaction it is not worth a request to ask for them. */
const markersMsMax = 200

export interface TransactionSessionOptions {
  readonly transactionalId: string
  readonly transactionTimeoutMs: number
  /** How long `begin`, `commit` and `abort` try. */
  readonly callTimeoutMs: number
}

interface SessionWorld {
  readonly coordinator: TransactionCoordinator
  readonly clock: Pick<Clock, 'elapsedMs'>
  readonly log: Log
}

/**
 * A transactional id in our hands: who we are, whether a transaction is open, what is in it, and what may still
 * be done with it. The states and what leads from one to another are in README.md; `#setState` refuses
 * anything else.
 */
export class TransactionSession {
  readonly #world: SessionWorld
  readonly #options: TransactionSessionOptions
  #state: TransactionState = 'idle'
  #identity: ProducerIdentity | undefined
  #version: TransactionVersion = 1
  /** Something that was written under the identity may still be on its way: why it must be renewed. */
  #renewBecause: string | undefined
  /** When the last transaction with contents was ended; undefined once its markers are known to be written (TV2). */
  #endedAtMs: number | undefined
  #contents: TransactionContents | undefined
  #spoiledBy: TransactionError | undefined
  #closedBy: MillraceError | undefined
  readonly #closing = new AbortController()
  /** The coordinator refuses a request while it carries out another one of the same transactional id. */
  readonly #coordinatorTurns = new Turns()
  #running: Promise<unknown> = Promise.resolve()

  constructor(options: TransactionSessionOptions, world: SessionWorld) {
    this.#options = options
    this.#world = world
  }

  get transactionalId(): string {
    return this.#options.transactionalId
  }

  get state(): TransactionState {
    return this.#state
  }

  /** Why nothing can be done with the transactional id any more. */
  get closedBy(): MillraceError | undefined {
    return this.#closedBy
  }

  /** In whose name records are written now; undefined while no transaction is open. */
  get identity(): ProducerIdentity | undefined {
    return this.#contents === undefined ? undefined : this.#identity
  }

  get version(): TransactionVersion {
    return this.#version
  }

  /** Takes the transactional id over the first time, renews the identity where it must be, and opens. */
  begin(): Promise<void> {
    this.#expect('idle')
    this.#setState('beginning')
    return this.#run(async () => {
      try {
        await this.#takeIdentity()
      } catch (error) {
        const failure = this.#beginFailed(error)
        if (this.#state === 'beginning') this.#setState('idle')
        throw failure
      }
      this.#throwIfClosed()
      this.#contents = new TransactionContents(this.#world.clock.elapsedMs(), (partitions) =>
        this.#addPartitions(partitions),
      )
      this.#setState('open')
    })
  }

  /** Resolves while records can be written. */
  ready(): Promise<void> {
    const isReady = this.#contents !== undefined && this.#closedBy === undefined
    return isReady ? Promise.resolve() : Promise.reject(this.#refusal())
  }

  /** Makes sure that records may be written to partitions. Undefined: they may be. */
  admit(partitions: readonly TopicPartition[]): Promise<void> | undefined {
    const contents = this.#contents
    if (contents === undefined || this.#closedBy !== undefined) {
      return Promise.reject(this.#refusal())
    }
    if (this.#spoiledBy !== undefined) return Promise.reject(this.#spoiledBy)
    if (contents.stop.signal.aborted) return Promise.reject(contents.stop.signal.reason as Error)
    if (this.#version === 1) return contents.enrolment.admit(partitions)
    // The write itself will add them, whatever becomes of the records.
    return this.#beforeWrite(contents)
  }

  /** Refuses unless records can be added. */
  expectOpen(): void {
    this.#openContents()
  }

  /** A batch of records has failed for good. */
  batchFailed({ identity, error }: FailedBatch): void {
    const current = this.#identity
    const isLate =
      identity.producerId !== current?.producerId ||
      identity.producerEpoch !== current.producerEpoch
    if (isLate) return
    // It may still arrive; and if not, its sequence numbers are missing.
    this.#doubt('a batch failed')
    this.fail('Produce', error)
  }

  /**
   * Something of the transaction has failed: it can only be aborted from here on, or not even that. Answers
   * the error for whoever asked for it.
   */
  fail(request: TransactionRequest, cause: unknown): Error {
    const root = rootOf(cause)
    if (root instanceof TransactionError) return root
    if (this.#closedBy !== undefined) return this.#closedBy
    if (actionAfter(request, cause) === 'close') return this.#end(cause, false)
    if (isForgotten(root)) this.#renewBecause ??= messageOf(cause)
    const error = new TransactionError(
      'abort',
      `${this.#name} cannot be committed: ${messageOf(cause)}; abort it, and do its work in another`,
      { cause },
    )
    if (this.#state === 'open' || this.#state === 'committing') {
      this.#spoiledBy = error
      this.#setState('spoiled')
    }
    return error
  }

  sendOffsets(group: GroupMetadata, offsets: readonly CommittedOffset[]): Promise<void> {
    const contents = this.#openContents()
    if (offsets.length === 0) return Promise.resolve()
    return contents.track(
      contents.offsetTurns.run(() => this.#sendOffsets(contents, group, offsets)),
    )
  }

  /** Commits once everything that was begun has ended well; `flush` awaits the records. */
  commit(flush: () => Promise<void>): Promise<void> {
    const asksAgain = this.#state === 'commit-unknown'
    const contents = asksAgain ? this.#endingContents() : this.#openContents()
    this.#setState('committing')
    return this.#run(async () => {
      if (!asksAgain) await this.#everythingIsIn(contents, flush)
      await this.#endTransaction('commit', contents)
    })
  }

  /** Aborts; `discard` fails the records that were not sent, and awaits those that were. */
  abort(discard: (reason: Error) => Promise<void>): Promise<void> {
    this.#expect('open', 'spoiled', 'abort-unknown')
    const contents = this.#endingContents()
    this.#setState('aborting')
    return this.#run(async () => {
      const reason = new TransactionError(
        'abort',
        `${this.#name} is being aborted; do its work in another`,
      )
      contents.stop.abort(reason)
      await discard(reason)
      await contents.callsEnded()
      this.#throwIfClosed()
      await this.#endTransaction('abort', contents)
    })
  }

  /** Resolves when no call that begins or ends a transaction is under way. */
  async settled(): Promise<void> {
    await this.#running.catch(() => undefined)
  }

  /** Ends everything that waits; all further calls are refused. */
  close(): void {
    if (this.#state === 'closed') return
    const contents = this.#contents
    const isUnknown = contents?.hasBeenAskedFor('commit') === true && !contents.commitRefused
    this.#shut(
      isUnknown
        ? new TransactionError(
            'close',
            `${this.#producer} was closed before it was known what became of a commit`,
            { mayBeCommitted: true },
          )
        : new MillraceError('MILLRACE_CLIENT_CLOSED', `${this.#producer} was closed`),
    )
  }

  async #takeIdentity(): Promise<void> {
    const { coordinator } = this.#world
    const limits = { timeoutMs: this.#options.callTimeoutMs, signal: this.#closing.signal }
    const version = await coordinator.transactionVersion(limits)
    const isUpgraded = this.#identity !== undefined && version !== this.#version
    if (isUpgraded) this.#renewBecause ??= `transactions are of version ${version} now`
    if (this.#identity === undefined || this.#renewBecause !== undefined) {
      const reason = this.#renewBecause ?? 'first transaction'
      this.#identity = await coordinator.initProducerId(this.#identity, limits)
      this.#renewBecause = undefined
      this.#world.log('debug', 'transactional id has an identity', {
        transactionalId: this.transactionalId,
        reason,
        ...this.#identity,
      })
    }
    this.#version = version
  }

  #beginFailed(error: unknown): Error {
    if (this.#closedBy !== undefined) return this.#closedBy
    if (isFenced(error)) return this.#end(error, false)
    const isOption =
      error instanceof KafkaError && error.kafkaCode === kafkaError.INVALID_TRANSACTION_TIMEOUT
    if (isOption) {
      const { transactionTimeoutMs } = this.#options
      return new OptionError(
        'transactionTimeoutMs',
        `(${transactionTimeoutMs}) must be positive and at most the broker's transaction.max.timeout.ms`,
        { cause: error },
      )
    }
    const canPass = nextAttempt(error) !== 'none'
    return new TransactionError(
      canPass ? 'retry' : 'close',
      `${this.#producer} cannot begin a transaction: ${messageOf(error)}; ${canPass ? 'begin again' : 'close it'}`,
      { cause: error },
    )
  }

  #addPartitions(partitions: readonly TopicPartition[]): Promise<void> {
    return this.#announce('AddPartitionsToTxn', (identity, limits) =>
      this.#world.coordinator.addPartitions(identity, partitions, limits),
    )
  }

  /** Tells the coordinator of something that will be in the transaction (TV1). */
  async #announce(
    request: TransactionRequest,
    call: (identity: ProducerIdentity, limits: CallLimits) => Promise<void>,
  ): Promise<void> {
    const contents = this.#endingContents()
    const mayHaveTakenEffect = () => {
      contents.mayBeOpen()
      this.#doubt(`${request} was not answered`)
    }
    const limits = { ...this.#limitsWithin(contents), mayHaveTakenEffect }
    try {
      await this.#coordinatorTurns.run(() => call(this.#knownIdentity(), limits))
    } catch (error) {
      throw this.fail(request, error)
    }
    contents.isOpen()
  }

  async #sendOffsets(
    contents: TransactionContents,
    group: GroupMetadata,
    offsets: readonly CommittedOffset[],
  ): Promise<void> {
    contents.stop.signal.throwIfAborted()
    if (this.#spoiledBy !== undefined) throw this.#spoiledBy
    if (group[isStillHeld]?.() === false) {
      const what = `offsets of group '${group.groupId}'`
      const lost = 'the member has lost its partitions since'
      throw this.fail('TxnOffsetCommit', new KafkaError(kafkaError.ILLEGAL_GENERATION, what, lost))
    }
    this.#throwIfEndangered(contents, group.groupId, offsets)
    if (this.#version === 2) await this.#beforeWrite(contents)
    else if (!contents.groups.has(group.groupId)) {
      await this.#announce('AddOffsetsToTxn', (identity, limits) =>
        this.#world.coordinator.addOffsets(identity, group.groupId, limits),
      )
      contents.groups.add(group.groupId)
    }
    const mayHaveTakenEffect = () => {
      contents.offsetsUnanswered(group.groupId, offsets)
      this.#doubt('TxnOffsetCommit was not answered')
    }
    const limits = { ...this.#limitsWithin(contents), mayHaveTakenEffect }
    try {
      const { coordinator } = this.#world
      await coordinator.commitOffsets(this.#knownIdentity(), this.#version, group, offsets, limits)
    } catch (error) {
      throw this.fail('TxnOffsetCommit', error)
    }
  }

  /**
   * The transaction is about to be written to, which opens it (TV2). A broker that has markers of the last one to
   * write lets the write wait, for much longer than they take: so what writes first waits for them here.
   */
  #beforeWrite(contents: TransactionContents): Promise<void> | undefined {
    const { clock, coordinator } = this.#world
    const endedAtMs = this.#endedAtMs ?? -Infinity
    if (clock.elapsedMs() - endedAtMs > markersMsMax) {
      contents.mayBeOpen()
      return undefined
    }
    contents.markersWritten ??= coordinator.markersWritten(this.#limitsWithin(contents))
    return contents.markersWritten.then(() => {
      this.#endedAtMs = undefined
      this.#throwIfClosed()
      contents.stop.signal.throwIfAborted()
      if (this.#spoiledBy !== undefined) throw this.#spoiledBy
      contents.mayBeOpen()
    })
  }

  /** A commit without an answer can arrive after a later one, and take the position back. */
  #throwIfEndangered(
    contents: TransactionContents,
    groupId: string,
    offsets: readonly CommittedOffset[],
  ): void {
    const endangered = contents.findEndangered(groupId, offsets)
    if (endangered === undefined) return
    const { topic, partition } = endangered
    const problem = `an earlier commit of group '${groupId}' for ${topic}-${partition} had no answer and could undo this one`
    throw this.fail('TxnOffsetCommit', new Error(problem))
  }

  async #everythingIsIn(contents: TransactionContents, flush: () => Promise<void>): Promise<void> {
    await contents.callsEnded()
    try {
      await flush()
    } catch (error) {
      this.fail('Produce', error)
    }
    this.#throwIfClosed()
    if (this.#spoiledBy !== undefined) throw this.#spoiledBy
  }

  async #endTransaction(outcome: TransactionOutcome, contents: TransactionContents): Promise<void> {
    if (contents.openness === 'no') {
      this.#finish()
      return
    }
    const mayHaveTakenEffect = () => {
      contents.wasAskedFor(outcome)
      this.#doubt('EndTxn was not answered')
    }
    const limits = {
      timeoutMs: this.#options.callTimeoutMs,
      signal: this.#closing.signal,
      mayHaveTakenEffect,
    }
    try {
      const next = await this.#coordinatorTurns.run(() =>
        this.#world.coordinator.end(this.#knownIdentity(), this.#version, outcome, limits),
      )
      if (next !== undefined) this.#identity = next
      else if (this.#version === 2) this.#renewBecause = 'EndTxn answered no epoch'
    } catch (error) {
      const failure = this.#endFailed(outcome, contents, error)
      if (failure !== undefined) throw failure
    }
    this.#finish()
  }

  /** What to tell when EndTxn was not answered with success; undefined when it has ended all the same. */
  #endFailed(
    outcome: TransactionOutcome,
    contents: TransactionContents,
    cause: unknown,
  ): Error | undefined {
    const version = this.#version
    const wasAsked = contents.hasBeenAskedFor(outcome)
    const { openness, commitRefused } = contents
    const verdict = judgeEnd(outcome, cause, { version, openness, commitRefused, wasAsked })
    switch (verdict) {
      case 'ended':
        this.#renewBecause = messageOf(cause)
        return undefined
      case 'not-committed':
        contents.commitWasRefused()
        this.#doubt(messageOf(cause))
        return this.fail('EndTxn', cause)
      case 'not-asked':
        this.#setState('open')
        return this.#tryAgain('was not committed', 'commit or abort it', cause, false)
      case 'unknown':
        this.#setState(`${outcome}-unknown`)
        return outcome === 'commit'
          ? this.#tryAgain('may be committed', 'commit it again', cause, true)
          : this.#tryAgain('may be open', 'abort it again', cause, false)
      case 'closed':
      case 'closed-unknown':
        return this.#end(cause, verdict === 'closed-unknown')
    }
  }

  #tryAgain(
    problem: string,
    advice: string,
    cause: unknown,
    mayBeCommitted: boolean,
  ): TransactionError {
    const message = `${this.#name} ${problem}: ${messageOf(cause)}; ${advice}`
    return new TransactionError('retry', message, { cause, mayBeCommitted })
  }

  /** The producer is at its end. */
  #end(cause: unknown, mayBeCommitted: boolean): MillraceError {
    if (this.#closedBy !== undefined && !mayBeCommitted) return this.#closedBy
    const reason = isFenced(rootOf(cause)) ? `is fenced${this.#whyFenced()}` : 'can do nothing more'
    const doubt = mayBeCommitted
      ? '; whether its last transaction is committed is not known here: committed offsets or records tell'
      : ''
    const error = new TransactionError(
      'close',
      `${this.#producer} ${reason}: ${messageOf(cause)}${doubt}; close it`,
      { cause, mayBeCommitted },
    )
    if (this.#closedBy === undefined) this.#shut(error)
    return error
  }

  #whyFenced(): string {
    const byOther = ', because another producer has taken the transactional id over'
    if (this.#contents === undefined) return byOther
    const openMs = Math.round(this.#world.clock.elapsedMs() - this.#contents.beganAtMs)
    const { transactionTimeoutMs } = this.#options
    return `${byOther}, or the broker aborted the transaction (open for ${openMs} ms, transactionTimeoutMs is ${transactionTimeoutMs})`
  }

  #shut(reason: MillraceError): void {
    this.#closedBy = reason
    this.#setState('closed')
    this.#contents?.stop.abort(reason)
    this.#closing.abort(reason)
  }

  #finish(): void {
    if (this.#contents?.openness !== 'no') this.#endedAtMs = this.#world.clock.elapsedMs()
    this.#contents = undefined
    this.#spoiledBy = undefined
    this.#setState('idle')
  }

  /** Under TV2 each end of a transaction moves the epoch on, which is all that a doubt asks for. */
  #doubt(reason: string): void {
    if (this.#version === 1) this.#renewBecause ??= reason
  }

  /** What happens within a transaction need not outlive it. */
  #limitsWithin(contents: TransactionContents): CallLimits {
    const { transactionTimeoutMs, callTimeoutMs } = this.#options
    const timeoutMs = Math.min(transactionTimeoutMs, callTimeoutMs)
    return { timeoutMs, signal: contents.stop.signal }
  }

  #knownIdentity(): ProducerIdentity {
    if (this.#identity === undefined) throw new Error('a transaction is open without an identity')
    return this.#identity
  }

  #openContents(): TransactionContents {
    if (this.#state === 'spoiled' && this.#spoiledBy !== undefined) throw this.#spoiledBy
    this.#expect('open')
    return this.#endingContents()
  }

  #endingContents(): TransactionContents {
    if (this.#contents === undefined) throw this.#refusal()
    return this.#contents
  }

  #expect(...states: readonly TransactionState[]): void {
    if (!states.includes(this.#state)) throw this.#refusal()
  }

  #refusal(): MillraceError {
    if (this.#closedBy !== undefined) return this.#closedBy
    const message = `${this.#producer}: ${refusals[this.#state]}`
    return new MillraceError('MILLRACE_CLIENT_STATE_INVALID', message)
  }

  #throwIfClosed(): void {
    if (this.#closedBy !== undefined) throw this.#closedBy
  }

  #run<Result>(work: () => Promise<Result>): Promise<Result> {
    const running = work()
    this.#running = running
    return running
  }

  #setState(next: TransactionState): void {
    if (!transitions[this.#state].includes(next)) {
      throw new Error(`transactional id '${this.transactionalId}': ${this.#state} → ${next}`)
    }
    this.#state = next
  }

  get #producer(): string {
    return `producer '${this.transactionalId}'`
  }

  get #name(): string {
    return `transaction of '${this.transactionalId}'`
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
