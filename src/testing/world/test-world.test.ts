import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { createConsumer, createService } from '../../runtime/index.ts'
import type { ConsumerOptions } from '../../runtime/index.ts'
import { created, fulfilment, OrderCreated, orders, Shipped } from './fixture/fulfilment.ts'
import type { Ship } from './fixture/fulfilment.ts'
import { startWorld } from './test-world.ts'
import type { TestWorldOptions } from './world-options.ts'
import type { ServiceEnvironment } from './world-worker.ts'

function startFulfilment(ship: Ship, options: Partial<TestWorldOptions> & ConsumerOptions = {}) {
  const { seed, time, restartMs, ...consumer } = options
  return startWorld({
    topics: [orders],
    services: { fulfilment: (environment) => fulfilment(environment, ship, consumer) },
    ...(seed !== undefined && { seed }),
    ...(time !== undefined && { time }),
    ...(restartMs !== undefined && { restartMs }),
  })
}

/** What a user writes to see whether a service survives the death of its process. */
async function surviveCrashes(ship: Ship) {
  await using world = await startFulfilment(ship)
  world.faults.crashAtNextCommit('fulfilment')
  world.faults.crashAfterNextCommit('fulfilment')
  await world.publishMany(created(100))
  await world.quiet()
  return { restarts: world.restarts('fulfilment'), letters: await world.deadLetters(orders) }
}

/** Long enough for a process to be killed before, on a busy machine. */
const timerMs = 1_000

describe('crash safety', () => {
  it('loses nothing, and repeats what was not committed', async () => {
    const shipped = new Shipped()
    const { restarts, letters } = await surviveCrashes(shipped.ship)
    expect(restarts).toBe(2)
    expect(letters).toEqual([])
    expect(shipped.counts.size).toBe(100)
    expect(shipped.repeated).toBeGreaterThan(0)
    expect(shipped.repeated).toBeLessThanOrEqual(100)
  })

  it('repeats nothing that was committed', async () => {
    const shipped = new Shipped()
    await using world = await startFulfilment(shipped.ship)
    world.faults.crashAfterNextCommit('fulfilment')
    await world.publishMany(created(100))
    await world.quiet()
    expect(shipped.counts.size).toBe(100)
    expect(shipped.repeated).toBe(0)
  })

  it('catches a handler that does not wait for its work', async () => {
    const shipped = new Shipped()
    const forgetful: Ship = (orderId, environment, context) => {
      void environment.platform.clock
        .sleep(2_000)
        .then(() => shipped.ship(orderId, environment, context))
    }
    await surviveCrashes(forgetful)
    expect(shipped.counts.size).toBeLessThan(100)
  })

  it('catches it with timers of Node too: they end with their process', async () => {
    const shipped = new Shipped()
    const forgetful: Ship = (orderId, environment, context) => {
      setTimeout(() => shipped.ship(orderId, environment, context), timerMs)
    }
    await using world = await startFulfilment(forgetful, { commit: { intervalMs: 10 } })
    world.faults.crashAfterNextCommit('fulfilment')
    await world.publishMany(created(10))
    await world.quiet()
    // Whatever was set before has gone off by then, if it was not taken back.
    await sleep(timerMs)
    expect(shipped.counts.size).toBe(0)
  })

  it('shares the work of several processes, and moves it when one dies', async () => {
    const shipped = new Shipped()
    await using world = await startWorld({
      topics: [orders],
      services: {
        fulfilment: {
          make: (environment) => fulfilment(environment, shipped.ship),
          workers: 3,
        },
      },
    })
    await world.publishMany(created(100))
    await world.quiet()
    expect(new Set(world.runs.map(({ worker }) => worker)).size).toBe(3)
    world.faults.crash('fulfilment-2')
    await world.publishMany(created(200).slice(100))
    await world.quiet()
    expect(shipped.counts.size).toBe(200)
    expect(world.restarts('fulfilment-2')).toBe(1)
    expect(world.restarts('fulfilment')).toBe(1)
  })

  it('repeats nothing in a rolling update', async () => {
    const shipped = new Shipped()
    await using world = await startWorld({
      topics: [orders],
      services: {
        fulfilment: { make: (environment) => fulfilment(environment, shipped.ship), workers: 2 },
      },
    })
    const published = world.publishMany(created(300))
    await Promise.all([published, world.restart('fulfilment')])
    await world.quiet()
    expect(world.restarts('fulfilment')).toBe(2)
    expect(shipped.counts.size).toBe(300)
    expect(shipped.repeated).toBe(0)
  })
})

describe('time', () => {
  it('passes at once where nobody waits for anything real', async () => {
    const took: number[] = []
    const slow: Ship = async (_, { platform: { clock } }) => {
      const beganMs = clock.elapsedMs()
      await clock.sleep(60_000)
      took.push(clock.elapsedMs() - beganMs)
    }
    await using world = await startFulfilment(slow)
    await world.publishMany(created(3))
    await world.quiet()
    expect(took.map(Math.round)).toEqual([60_000, 60_000, 60_000])
  })

  it('goes as real time while a handler waits for timers and files', async () => {
    const read: string[] = []
    const real: Ship = async () => {
      await sleep(30)
      await new Promise((resolve) => setTimeout(resolve, 30))
      read.push((await readFile(new URL(import.meta.url))).toString().slice(0, 6))
      await new Promise((resolve) => setImmediate(resolve))
    }
    await using world = await startFulfilment(real, { handlerTimeoutMs: 5_000 })
    await world.publishMany(created(5))
    await world.quiet()
    expect(read).toEqual(Array.from({ length: 5 }, () => 'import'))
    expect(world.runs.map(({ outcome }) => outcome)).toEqual(read.map(() => 'done'))
  })

  it('goes as real time while a handler waits for an answer on a connection', async () => {
    const database = createServer((socket) => {
      socket.on('data', (question) => setTimeout(() => socket.write(question), 20))
    })
    await new Promise<void>((resolve) => database.listen(0, '127.0.0.1', resolve))
    const { port } = database.address() as AddressInfo
    const answers: string[] = []
    const pool = new Map<ServiceEnvironment, Socket>()
    const asking: Ship = async (orderId, environment) => {
      const connection = pool.get(environment) ?? connect(port, '127.0.0.1')
      pool.set(environment, connection)
      connection.write(orderId)
      const [answer] = (await once(connection, 'data')) as [Buffer]
      answers.push(answer.toString())
    }
    await using world = await startFulfilment(asking, { handlerTimeoutMs: 10_000, concurrency: 1 })
    await world.publishMany(created(5))
    await world.quiet()
    expect(answers.sort()).toEqual(['o-0', 'o-1', 'o-2', 'o-3', 'o-4'])
    expect(new Set(world.runs.map(({ attempt }) => attempt))).toEqual(new Set([1]))
    // The connection is still open: with nobody at work it holds nothing.
    await world.advance(60_000)
    for (const connection of pool.values()) connection.destroy()
    database.close()
  })

  it('always goes as real time where that is asked for', async () => {
    const shipped = new Shipped()
    await using world = await startFulfilment(shipped.ship, { time: 'real' })
    const beganMs = performance.now()
    await world.advance(100)
    expect(performance.now() - beganMs).toBeGreaterThan(90)
    await world.publishMany(created(3))
    await world.quiet()
    expect(shipped.counts.size).toBe(3)
  })

  it('stands still while nobody waits for the world', async () => {
    await using world = await startFulfilment(() => undefined)
    const before = world.nowMs
    await sleep(20)
    expect(world.nowMs).toBe(before)
    await world.advance(5_000)
    expect(world.nowMs).toBe(before + 5_000)
  })

  it('is the same history for the same seed, and another for another', async () => {
    const history = async (seed: number) => {
      const shipped = new Shipped()
      await using world = await startFulfilment(shipped.ship, { seed })
      world.faults.crashAtNextCommit('fulfilment')
      world.faults.rebalance('fulfilment')
      await world.publishMany(created(50))
      await world.quiet()
      return { hash: world.traceHash, runs: world.runs, log: world.log }
    }
    const first = await history(7)
    expect(await history(7)).toEqual(first)
    expect((await history(8)).hash).not.toBe(first.hash)
  })

  it('is taken in turns by worlds that live beside each other', async () => {
    const live = async () => {
      const shipped = new Shipped()
      await using world = await startFulfilment(shipped.ship)
      await world.publishMany(created(20))
      await world.quiet()
      return shipped.counts.size
    }
    expect(await Promise.all([live(), live(), live()])).toEqual([20, 20, 20])
  })
})

describe('what is in topics', () => {
  it('is read by their contracts, and letters say where from and why', async () => {
    class CardDeclined extends Error {}
    const picky: Ship = (orderId) => {
      if (orderId === 'o-1') throw new CardDeclined('no money')
    }
    await using world = await startFulfilment(picky, {
      errors: [{ error: CardDeclined, action: 'deadLetter' }],
    })
    await world.publishMany(created(3))
    const sent = await world.send({ topic: 'orders', key: 'broken', value: '{' })
    await world.quiet()
    const letters = await world.deadLetters(orders)
    const declined = letters.find(({ errorClass }) => errorClass === 'CardDeclined')
    expect(declined).toMatchObject({
      ...{ topic: 'orders.dlq', key: 'o-1', reason: 'no money', attempts: 1, retryCount: 1 },
      ...{ group: 'fulfilment', isPoison: false, source: { topic: 'orders' } },
    })
    expect(declined?.event?.data.orderId).toBe('o-1')
    const broken = letters.find(({ key }) => key === 'broken')
    expect(broken).toMatchObject({ value: '{', event: undefined, errorClass: 'DecodeError' })
    expect(broken?.source).toEqual({
      topic: 'orders',
      partition: sent.partition,
      offset: sent.offset,
    })
    expect(letters).toHaveLength(2)
    expect(await world.deadLetters('payments')).toEqual([])
    const records = await world.records(orders)
    expect(records.map(({ event }) => event?.data.orderId).sort()).toEqual([
      'o-0',
      'o-1',
      'o-2',
      undefined,
    ])
    expect((await world.records('orders')).every(({ event }) => event === undefined)).toBe(true)
    const committed = await world.committed('fulfilment')
    expect(committed.reduce((sum, { committed: offset }) => sum + offset, 0)).toBe(4)
  })
})

describe('what lives in a world', () => {
  it('may be a consumer without contracts', async () => {
    const values: string[] = []
    await using world = await startWorld({
      topics: [{ name: 'audit', partitions: 2 }],
      services: {
        audit: (environment) =>
          createConsumer({
            ...environment,
            groupId: 'audit',
            topics: 'audit',
            start: 'earliest',
            handler: ({ value }) => values.push(value?.toString() ?? ''),
          }),
      },
    })
    await world.send({ topic: 'audit', key: 'a', value: 'first' })
    world.faults.crash('audit')
    await world.send({ topic: 'audit', key: 'b', value: 'second' })
    await world.quiet()
    expect([...new Set(values)].sort()).toEqual(['first', 'second'])
  })

  it('may be several services, one after the other', async () => {
    const shipped = new Shipped()
    await using world = await startWorld({
      topics: [orders, { name: 'inbox' }],
      services: {
        intake: (environment) => {
          const service = createService({ name: 'intake', ...environment, topics: [orders] })
          service.records(
            'inbox',
            async ({ value }, { publish }) => {
              await publish(OrderCreated, { orderId: value?.toString() ?? '' })
            },
            { start: 'earliest' },
          )
          return service
        },
        fulfilment: (environment) => fulfilment(environment, shipped.ship),
      },
    })
    await world.send({ topic: 'inbox', value: 'o-1' })
    await world.quiet()
    expect([...shipped.counts]).toEqual([['o-1', 1]])
  })

  it('has to live in the world', async () => {
    const outside = startWorld({
      services: {
        fulfilment: () =>
          createService({
            ...{ name: 'fulfilment', metrics: false, signals: false },
            kafka: { brokers: 'localhost:9092' },
          }),
      },
    })
    await expect(outside).rejects.toThrow(
      'services.fulfilment makes a service that does not live in the world; ' +
        'pass on all that it is given: createService({ ...environment })',
    )
  })

  it('has to start', async () => {
    const broken = startWorld({
      services: {
        fulfilment: () => {
          throw new Error('no database')
        },
      },
    })
    await expect(broken).rejects.toThrow('fulfilment-1 did not start: Error: no database')
  })

  it.each([
    [{ service: {} }, 'service is not an option; did you mean services?'],
    [{}, 'services is missing'],
    [{ services: { broker: () => undefined } }, 'services.broker cannot be the name of a service'],
    [{ services: { a: {} } }, 'services.a.make must be a function'],
    [{ services: {}, time: 'fast' }, "time ('fast') must be 'virtual' or 'real'"],
    [{ services: {}, seed: -1 }, 'seed (-1) must be a whole number'],
  ])('is described by options that are checked: %j', async (options, problem) => {
    await expect(startWorld(options as unknown as TestWorldOptions)).rejects.toThrow(problem)
  })
})
