import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { kafkaError } from '../../protocol/index.ts'
import { RecordBatchBuilder } from '../../protocol/records/index.ts'
import { ConnectionError } from '../client-error.ts'
import { attemptOf, attemptWithout } from './attempt.ts'
import type { Attempt } from './attempt.ts'
import { BatchPart } from './batch-part.ts'
import type { BatchWritten } from './batch-part.ts'
import type { BatchFailure } from './delivery-error.ts'
import { PartitionModel } from './fixture/partition-model.ts'
import { PartitionQueue } from './partition-queue.ts'
import { ProducerBatch } from './producer-batch.ts'
import type { FailedBatch, IdentitySource, ProducerIdentity } from './producer-identity.ts'
import { splitBatch } from './rebuild-batch.ts'

const deliveryTimeoutMs = 200

/** A record and what its sender was told. */
class Told extends BatchPart {
  readonly value: string
  outcome: { offset: number } | { definitelyNotWritten: boolean } | undefined

  constructor(value: string) {
    super()
    this.value = value
    this.count = 1
  }

  splitAfter(): BatchPart {
    throw new Error('never needed')
  }

  onDelivered(_batch: ProducerBatch, { baseOffset }: BatchWritten): void {
    this.outcome = { offset: baseOffset + this.first }
  }

  onFailed({ error }: BatchFailure): void {
    this.outcome = { definitelyNotWritten: error.definitelyNotWritten }
  }
}

class LocalIdentity implements IdentitySource {
  readonly transactionalId = undefined
  readonly produceVersionMax = undefined
  current: ProducerIdentity = { producerId: 7, producerEpoch: 0 }
  ready = (): Promise<void> => Promise.resolve()
  admit = (): undefined => undefined

  batchFailed({ identity }: FailedBatch): 'renewed' {
    const { producerId, producerEpoch } = this.current
    if (identity.producerEpoch === producerEpoch) {
      this.current = { producerId, producerEpoch: producerEpoch + 1 }
    }
    return 'renewed'
  }
}

interface Flight {
  readonly batch: ProducerBatch
  /** What went over the wire: the batch may be written anew meanwhile. */
  readonly bytes: Buffer
}

/**
 * A queue, the broker's partition and a network between them that takes its decisions from a seed: answers are
 * lost, requests are lost, and what a lost connection still held arrives late, in order, at any time.
 */
class World {
  readonly model = new PartitionModel()
  readonly identity = new LocalIdentity()
  readonly told: Told[] = []
  readonly #choose: (bound: number) => number
  readonly #queue: PartitionQueue
  /** Sent over the connection, not yet taken by the broker. */
  #flights: Flight[] = []
  /** Sent over connections that the client has given up. */
  #ghosts: Buffer[] = []
  nowMs = 0

  constructor(seed: number) {
    this.#choose = chooser(seed)
    this.#queue = new PartitionQueue('topic', 0, {
      identity: this.identity,
      inFlightMax: 5,
      random: {
        bytes: (length) => new Uint8Array(length),
        integer: (bound) => this.#choose(bound),
        fraction: () => 0.5,
      },
      retryBackoffMs: 2,
      retryBackoffMsMax: 10,
      split: splitBatch,
      released: () => undefined,
    })
    this.#queue.leaderChanged(1, 1)
  }

  run(steps: number): void {
    for (let step = 0; step < steps; step++) this.#step()
    this.model.recordsMax = Infinity
    // No more faults: everything that is left comes to an end.
    for (let round = 0; round < 400 && !this.#queue.isEmpty; round++) {
      this.#send()
      while (this.#flights.length > 0) this.#answer('well')
      this.#pass(3)
    }
  }

  get isSettled(): boolean {
    return this.#queue.isEmpty && this.told.every(({ outcome }) => outcome !== undefined)
  }

  #step(): void {
    const roll = this.#choose(100)
    if (roll < 30) this.#append()
    else if (roll < 60) this.#send()
    else if (roll < 80) this.#answer(this.#choose(5) === 0 ? 'badly' : 'well')
    else if (roll < 85) this.#loseConnection()
    else if (roll < 90) this.#ghostArrives()
    else if (roll < 92) this.model.recordsMax = this.#choose(2) === 0 ? 2 : Infinity
    else this.#pass(this.#choose(this.#choose(8) === 0 ? deliveryTimeoutMs : 10))
  }

  #append(): void {
    const batch = new ProducerBatch(
      {
        ...{ topic: 'topic', partition: 0 },
        ...{ createdMs: this.nowMs, deadlineMs: this.nowMs + deliveryTimeoutMs },
      },
      new RecordBatchBuilder(100),
    )
    for (let count = 1 + this.#choose(4); count > 0; count--) {
      const part = new Told(`v${this.told.length}`)
      batch.tryAppend(null, part.value, 1, [], 10_000)
      part.batch = batch
      part.first = batch.recordCount - 1
      batch.parts.push(part)
      this.told.push(part)
    }
    batch.state = 'closed'
    this.#queue.push(batch)
  }

  #send(): void {
    for (;;) {
      const batch = this.#queue.next(this.nowMs)
      if (batch === undefined) return
      this.#queue.take(batch, {})
      this.#flights.push({ batch, bytes: Buffer.from(batch.bytes) })
      if (this.#choose(3) === 0) return
    }
  }

  /** The broker takes the oldest request, and its answer arrives. */
  #answer(how: 'well' | 'badly'): void {
    const flight = this.#flights.shift()
    if (flight === undefined) return
    const errorBefore = this.#oneOf([
      kafkaError.NOT_ENOUGH_REPLICAS,
      kafkaError.NOT_LEADER_OR_FOLLOWER,
      kafkaError.INVALID_RECORD,
    ])
    if (how === 'badly' && this.#choose(2) === 0) {
      this.#end(flight, answered({ errorCode: errorBefore, baseOffset: -1 }))
      return
    }
    const answer = this.model.append(flight.bytes)
    const errorAfter = this.#oneOf([
      kafkaError.REQUEST_TIMED_OUT,
      kafkaError.NOT_ENOUGH_REPLICAS_AFTER_APPEND,
      kafkaError.NOT_LEADER_OR_FOLLOWER,
    ])
    const isHidden = how === 'badly' && answer.errorCode === 0
    this.#end(flight, answered(isHidden ? { errorCode: errorAfter, baseOffset: -1 } : answer))
  }

  /** Of what was sent, some is appended, some arrives later, the rest never. No answer comes. */
  #loseConnection(): void {
    const flights = this.#flights
    this.#flights = []
    const appended = this.#choose(flights.length + 1)
    const late = appended + this.#choose(flights.length - appended + 1)
    for (const [index, { bytes }] of flights.entries()) {
      if (index < appended) this.model.append(bytes)
      else if (index < late) this.#ghosts.push(bytes)
    }
    const lost = attemptWithout(new ConnectionError('the connection was lost', true))
    for (const flight of flights) this.#end(flight, lost)
  }

  #ghostArrives(): void {
    const bytes = this.#ghosts.shift()
    if (bytes !== undefined) this.model.append(bytes)
  }

  #pass(ms: number): void {
    this.nowMs += ms
    this.#queue.expire(this.nowMs, () => new Error('time is over'))
  }

  #end({ batch }: Flight, attempt: Attempt): void {
    this.#queue.ended(batch, attempt, this.nowMs)
  }

  #oneOf(codes: readonly number[]): number {
    return codes[this.#choose(codes.length)] as number
  }
}

const place = { topic: 'topic', partition: 0 }

function answered({ errorCode, baseOffset }: { errorCode: number; baseOffset: number }): Attempt {
  const rest = { logAppendTimeMs: -1, logStartOffset: 0, recordErrors: [], errorMessage: null }
  return attemptOf({ errorCode, baseOffset, ...rest }, place, false)
}

/** Whole numbers that follow from a seed. */
function chooser(seed: number): (bound: number) => number {
  let state = seed | 1
  return (bound) => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % bound
  }
}

describe('PartitionQueue', () => {
  it('loses, repeats and reorders nothing, and says what it does not know', () => {
    let delivered = 0
    let unknown = 0
    let notWritten = 0
    fc.assert(
      fc.property(fc.integer({ min: 1 }), (seed) => {
        const world = new World(seed)
        world.run(150)
        expect(world.isSettled).toBe(true)
        const { log } = world.model
        expect(new Set(log).size, 'each value is there once').toBe(log.length)
        const order = log.map((value) => Number(value.slice(1)))
        expect(order, 'in the order of their sending').toEqual([...order].sort((a, b) => a - b))
        for (const { value, outcome } of world.told) {
          if (outcome === undefined) throw new Error('nothing was told')
          if ('offset' in outcome) {
            delivered += 1
            expect(log[outcome.offset]).toBe(value)
          } else if (outcome.definitelyNotWritten) {
            notWritten += 1
            expect(log).not.toContain(value)
          } else {
            unknown += 1
          }
        }
      }),
      { seed: 4, numRuns: 500 },
    )
    // The run is worth something only if all of it happens, and most is delivered in spite of it.
    expect(delivered).toBeGreaterThan(3_000)
    expect(unknown).toBeGreaterThan(150)
    expect(notWritten).toBeGreaterThan(150)
    expect(delivered).toBeGreaterThan(unknown + notWritten)
  })
})

describe('PartitionQueue in a transaction', () => {
  function queueOf(identity: IdentitySource): PartitionQueue {
    const queue = new PartitionQueue('topic', 0, {
      identity,
      inFlightMax: 5,
      random: { bytes: (n) => new Uint8Array(n), integer: () => 0, fraction: () => 0.5 },
      retryBackoffMs: 1,
      retryBackoffMsMax: 1,
      split: splitBatch,
      released: () => undefined,
    })
    queue.leaderChanged(1, 1)
    return queue
  }

  function push(queue: PartitionQueue, value: string): Told {
    const batch = new ProducerBatch(
      { topic: 'topic', partition: 0, createdMs: 0, deadlineMs: 1_000 },
      new RecordBatchBuilder(),
    )
    const told = new Told(value)
    batch.tryAppend(null, value, 1, [], 10_000)
    told.batch = batch
    batch.parts.push(told)
    batch.state = 'closed'
    queue.push(batch)
    return told
  }

  function take(queue: PartitionQueue): ProducerBatch {
    const batch = queue.next(0)
    if (batch === undefined) throw new Error('nothing may be sent')
    queue.take(batch, { isTransactional: true })
    return batch
  }

  it('fails what is behind a failed batch, and begins anew with the next identity', () => {
    const failed: FailedBatch[] = []
    const identity = {
      transactionalId: 'orders',
      produceVersionMax: undefined,
      current: { producerId: 7, producerEpoch: 3 },
      ready: () => Promise.resolve(),
      admit: () => undefined,
      batchFailed(batch: FailedBatch) {
        failed.push(batch)
        return 'failed' as const
      },
    }
    const queue = queueOf(identity)
    const first = push(queue, 'a')
    queue.ended(take(queue), answered({ errorCode: 0, baseOffset: 0 }), 0)
    expect(first.outcome).toEqual({ offset: 0 })

    const told = ['b', 'c', 'd'].map((value) => push(queue, value))
    const [b, c] = [take(queue), take(queue)]
    const code = kafkaError.INVALID_RECORD
    queue.ended(b, answered({ errorCode: code, baseOffset: -1 }), 0)
    expect(failed.length).toBeGreaterThan(0)
    expect(failed[0]).toMatchObject({
      partition: 0,
      identity: { producerEpoch: 3 },
      mayBeWritten: false,
    })
    // What was not sent fails with it; what is on its way is not known before it has ended.
    expect(told.map(({ outcome }) => outcome)).toEqual([
      { definitelyNotWritten: true },
      undefined,
      { definitelyNotWritten: true },
    ])
    queue.ended(c, attemptWithout(new ConnectionError('lost', true)), 0)
    expect(told[1]?.outcome).toEqual({ definitelyNotWritten: false })
    expect(queue.isEmpty).toBe(true)

    const late = push(queue, 'e')
    expect(queue.next(0)).toBe(undefined)
    expect(late.outcome).toEqual({ definitelyNotWritten: true })
    identity.current = { producerId: 7, producerEpoch: 4 }
    push(queue, 'f')
    expect(take(queue)).toMatchObject({ baseSequence: 0, identity: { producerEpoch: 4 } })
  })
})
