import { describe, expect, it } from 'vitest'
import { createNodePlatform } from '../../platform/index.ts'
import { ControlledClock, startBroker } from '../../testing/index.ts'
import type { TestBroker } from '../../testing/index.ts'
import { TestClient } from './fixture/connect.ts'
import type { SendFailure } from './fixture/failure-of.ts'
import { failureOf } from './fixture/failure-of.ts'

const topic = 'orders'

function valuesOf(kafka: TestBroker, partition = 0): string[] {
  return kafka.records(topic, partition).map(({ value }) => String(value))
}

/** Resolves when `condition` holds. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve))
}

/** A client with a clock that tests move, and a broker whose Produce requests can be held. */
async function world(partitions = 1) {
  const kafka = await startBroker()
  await kafka.createTopic(topic, { partitions })
  const platform = createNodePlatform()
  const clock = new ControlledClock(platform.clock)
  const client = new TestClient(
    kafka.bootstrap,
    { requestTimeoutMs: 600_000 },
    { ...platform, clock },
  )
  let held: (() => void)[] | undefined
  let arrived = 0
  kafka.intercept('Produce', async (_request, proceed) => {
    arrived += 1
    if (held !== undefined) await new Promise<void>((resolve) => held?.push(resolve))
    return proceed()
  })
  return {
    ...{ kafka, client, clock },
    /** Produce requests wait from now on. */
    hold: () => {
      held = []
    },
    letGo: () => {
      for (const go of held?.splice(0) ?? []) go()
      held = undefined
    },
    /** Produce requests that have come so far. */
    get arrived() {
      return arrived
    },
    /** Moves the clock until the send has failed. */
    async untilRejected(sent: Promise<unknown>): Promise<SendFailure> {
      let failure: SendFailure | undefined
      void failureOf(sent).then((error) => (failure = error))
      while (failure === undefined) {
        // The network takes turns of the real event loop.
        for (let turn = 0; turn < 10; turn++) await new Promise((go) => setImmediate(go))
        await clock.advance(10)
      }
      return failure
    },
    async [Symbol.asyncDispose]() {
      this.letGo()
      await client[Symbol.asyncDispose]()
      await kafka.close()
    },
  }
}

describe('deliveryTimeoutMs', () => {
  it('tells as unknown what is on its way, and as not written what is behind it', async () => {
    await using w = await world()
    const producer = w.client.producer({ deliveryTimeoutMs: 1_000, inFlightMax: 1 })
    await producer.send({ topic, value: 'v0' })
    w.hold()
    const first = failureOf(producer.send({ topic, value: 'v1' }))
    await until(() => w.arrived === 2)
    const second = failureOf(producer.send({ topic, value: 'v2' }))
    await new Promise((resolve) => setImmediate(resolve))
    await w.clock.advance(1_001)
    expect((await first).code).toBe('MILLRACE_CLIENT_DELIVERY_UNKNOWN')
    expect((await second).code).toBe('MILLRACE_CLIENT_NOT_DELIVERED')
    expect((await second).message).toContain('deliveryTimeoutMs (1000)')
    const third = producer.send({ topic, value: 'v3' })
    w.letGo()
    expect((await third).offset).toBe(2)
    expect(valuesOf(w.kafka)).toEqual(['v0', 'v1', 'v3'])
  })

  it('is definite while no broker can be reached, and names the reason', async () => {
    await using w = await world()
    const producer = w.client.producer({ deliveryTimeoutMs: 1_000 })
    await producer.send({ topic, value: 'v0' })
    await w.kafka.stopNode(w.kafka.leader(topic, 0), 'abruptly')
    // The first one may have met the end of the connection.
    await w.untilRejected(producer.send({ topic, value: 'v1' }))
    const error = await w.untilRejected(producer.send({ topic, value: 'v2' }))
    expect(error.definitelyNotWritten).toBe(true)
    expect(error.message).toMatch(/cannot be reached|no connection/)
  })

  it('ends the wait for a topic that never comes, and creates none', async () => {
    await using w = await world()
    const producer = w.client.producer({ deliveryTimeoutMs: 1_000 })
    await producer.send({ topic, value: 'v0' })
    const error = await w.untilRejected(producer.send({ topic: 'nowhere', value: 'v0' }))
    expect(error.code).toBe('MILLRACE_CLIENT_NOT_DELIVERED')
    expect(error.message).toContain('UNKNOWN_TOPIC_OR_PARTITION')
  })

  it('is not waited for where a topic can never be', async () => {
    await using w = await world()
    const error = await failureOf(w.client.producer().send({ topic: 'no such name', value: '' }))
    expect(error.message).toContain('INVALID_TOPIC_EXCEPTION')
    expect(error.retriable).toBe(false)
  })

  it('creates topics when it is told to', async () => {
    await using kafka = await startBroker()
    await using client = new TestClient(kafka.bootstrap)
    const { offset } = await client.producer({ createTopics: true }).send({ topic, value: 'v0' })
    expect(offset).toBe(0)
  })
})

describe('an aborted send', () => {
  it('takes back what is in no request, and says that it does not know of the rest', async () => {
    await using w = await world()
    const producer = w.client.producer({ inFlightMax: 1 })
    await producer.send({ topic, value: 'v0' })
    w.hold()
    const abort = new AbortController()
    const { signal } = abort
    const under = failureOf(producer.send({ topic, value: 'under way' }, { signal }))
    await until(() => w.arrived === 2)
    const before = producer.send({ topic, value: 'before' })
    const taken = failureOf(
      producer.send(
        [1, 2, 3].map((n) => ({ topic, value: `taken ${n}` })),
        { signal },
      ),
    )
    const after = producer.send([
      { topic, value: 'after 1' },
      { topic, value: 'after 2' },
    ])
    abort.abort(new Error('enough'))
    expect((await under).definitelyNotWritten).toBe(false)
    expect((await taken).definitelyNotWritten).toBe(true)
    expect((await taken).failedCount).toBe(3)
    w.letGo()
    expect((await before).offset).toBe(2)
    expect((await after).toArray().map(({ offset }) => offset)).toEqual([3, 4])
    expect(valuesOf(w.kafka)).toEqual(['v0', 'under way', 'before', 'after 1', 'after 2'])
  })

  it('does nothing when the signal was aborted before, and leaves no listener behind', async () => {
    await using w = await world()
    const producer = w.client.producer()
    const error = await failureOf(
      producer.send({ topic, value: 'never' }, { signal: AbortSignal.abort(new Error('before')) }),
    )
    expect(error.message).toBe('before')
    const { signal } = new AbortController()
    let listeners = 0
    const add = signal.addEventListener.bind(signal)
    const remove = signal.removeEventListener.bind(signal)
    signal.addEventListener = (...args: Parameters<typeof add>) => {
      listeners += 1
      add(...args)
    }
    signal.removeEventListener = (...args: Parameters<typeof remove>) => {
      listeners -= 1
      remove(...args)
    }
    await producer.send({ topic, value: 'v0' }, { signal })
    expect(listeners).toBe(0)
    expect(valuesOf(w.kafka)).toEqual(['v0'])
  })
})

describe('bufferBytesMax', () => {
  const value = 'x'.repeat(900)

  it('makes senders wait in their order, and bounds the memory', async () => {
    await using w = await world()
    const producer = w.client.producer({ bufferBytesMax: 20_000, batchBytesMax: 4_000 })
    await producer.send({ topic, value: 'first' })
    w.hold()
    const sends = Array.from({ length: 100 }, (_, index) =>
      producer.send({ topic, key: `${index}`, value }),
    )
    let settled = 0
    for (const send of sends) void send.then(() => (settled += 1))
    await until(() => w.arrived > 1)
    expect(producer.bufferedBytes).toBeLessThanOrEqual(20_000)
    expect(producer.bufferedBytes).toBeGreaterThan(10_000)
    expect(settled).toBe(0)
    w.letGo()
    const offsets = (await Promise.all(sends)).map(({ offset }) => offset)
    expect(offsets).toEqual(Array.from({ length: 100 }, (_, index) => index + 1))
    await producer.flush()
    expect(producer.bufferedBytes).toBe(0)
  })

  it('is passed by an array that is larger, piece by piece', async () => {
    await using w = await world(3)
    const producer = w.client.producer({ bufferBytesMax: 20_000, batchBytesMax: 4_000 })
    const results = await producer.send(
      Array.from({ length: 200 }, (_, index) => ({ topic, partition: index % 3, value })),
    )
    expect(results.length).toBe(200)
    expect(valuesOf(w.kafka, 0)).toHaveLength(67)
  })

  it('rejects at once what has no room, when it is told to', async () => {
    await using w = await world()
    const producer = w.client.producer({ bufferBytesMax: 5_000, whenFull: 'reject' })
    await producer.send({ topic, value: 'first' })
    w.hold()
    const kept = Array.from({ length: 3 }, () => producer.send({ topic, value }))
    const error = await failureOf(producer.send({ topic, value }))
    expect(error.code).toBe('MILLRACE_CLIENT_BUFFER_FULL')
    w.letGo()
    await Promise.all(kept)
    expect((await producer.send({ topic, value })).offset).toBe(4)
  })

  it('ends the wait of a sender with its time', async () => {
    await using w = await world()
    const producer = w.client.producer({
      bufferBytesMax: 2_000,
      deliveryTimeoutMs: 1_000,
      inFlightMax: 1,
    })
    await producer.send({ topic, value: 'first' })
    w.hold()
    const first = failureOf(producer.send({ topic, value }))
    await until(() => w.arrived === 2)
    const waiting = failureOf(producer.send(Array.from({ length: 3 }, () => ({ topic, value }))))
    await w.clock.advance(1_001)
    expect((await first).definitelyNotWritten).toBe(false)
    expect((await waiting).failedCount).toBeGreaterThan(0)
    expect((await waiting).definitelyNotWritten).toBe(true)
  })
})

describe('what no broker could take', () => {
  it('is refused at once, and the records beside it are written', async () => {
    await using w = await world()
    const producer = w.client.producer({ requestBytesMax: 10_000 })
    const error = await failureOf(
      producer.send([
        { topic, value: 'v0' },
        { topic, value: 'x'.repeat(10_000) },
        { topic, value: 7 as never },
        { topic, partition: 3, value: 'elsewhere' },
        { topic, value: 'v1', timestamp: -5 },
        { topic: '', value: 'v1' },
        undefined as never,
        { topic, value: 'v1' },
      ]),
    )
    const outcomes = error.outcomes.toArray()
    const problems = outcomes.map((each) => ('error' in each ? each.error.message : 'written'))
    expect(problems).toEqual([
      'written',
      expect.stringContaining('must not exceed'),
      expect.stringContaining('value is a number'),
      expect.stringContaining('partition (3)'),
      expect.stringContaining('timestamp of -5'),
      expect.stringContaining('must be a name'),
      expect.stringContaining('records[6]'),
      'written',
    ])
    expect(error.failedCount).toBe(6)
    expect(valuesOf(w.kafka)).toEqual(['v0', 'v1'])
    await producer.flush()
  })
})

describe('flush and close', () => {
  it('flush waits for what was sent before, not for what comes later', async () => {
    await using w = await world()
    const producer = w.client.producer({ lingerMs: 1_000 })
    await producer.send({ topic, value: 'v0' })
    w.hold()
    let flushed = false
    const before = producer.send({ topic, value: 'v1' })
    await until(() => w.arrived === 2)
    const lingering = producer.send({ topic, value: 'v2' })
    const flush = producer.flush().then(() => (flushed = true))
    await w.clock.advance(10)
    expect(flushed).toBe(false)
    w.letGo()
    await Promise.all([before, lingering, flush])
    await producer.flush()
  })

  it('close settles what it has, and takes no more', async () => {
    await using w = await world()
    const producer = w.client.producer({ lingerMs: 1_000 })
    const sends = ['v0', 'v1', 'v2'].map((value) => producer.send({ topic, value }))
    await producer.close()
    expect((await Promise.all(sends)).map(({ offset }) => offset)).toEqual([0, 1, 2])
    const error = await failureOf(producer.send({ topic, value: 'late' }))
    expect(error.code).toBe('MILLRACE_CLIENT_CLOSED')
    await producer.close()
  })

  it('close tells what it could not settle in time', async () => {
    await using w = await world()
    const producer = w.client.producer({ inFlightMax: 1 })
    await producer.send({ topic, value: 'v0' })
    w.hold()
    const under = failureOf(producer.send({ topic, value: 'v1' }))
    await until(() => w.arrived === 2)
    const behind = failureOf(producer.send({ topic, value: 'v2' }))
    const unknown = failureOf(producer.send({ topic: 'nowhere', value: 'v3' }))
    const closed = producer.close({ timeoutMs: 500 })
    await w.clock.advance(501)
    await closed
    expect((await under).definitelyNotWritten).toBe(false)
    expect((await behind).definitelyNotWritten).toBe(true)
    expect((await unknown).definitelyNotWritten).toBe(true)
  })
})
