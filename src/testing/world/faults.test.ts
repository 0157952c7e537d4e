import { describe, expect, it } from 'vitest'
import { defineEvent, defineTopic, Type } from '../../contract/index.ts'
import { createService } from '../../runtime/index.ts'
import { created, fulfilment, OrderCreated, orders, Shipped } from './fixture/fulfilment.ts'
import type { Ship } from './fixture/fulfilment.ts'
import type { Fault } from './faults.ts'
import { startWorld } from './test-world.ts'
import type { TestWorld } from './test-world.ts'
import type { ServiceEnvironment } from './world-worker.ts'

const OrderShipped = defineEvent('ORDER_SHIPPED', {
  data: Type.Object({ orderId: Type.String(), tookMs: Type.Number() }),
})
const shipments = defineTopic('shipments', { events: [OrderShipped], key: null, partitions: 1 })

const idle: Ship = () => undefined

function startFulfilment(ship: Ship, workers = 1): Promise<TestWorld> {
  const make = (environment: ServiceEnvironment) => fulfilment(environment, ship)
  return startWorld({ topics: [orders], services: { fulfilment: { make, workers } } })
}

/** A service that publishes what it did, and how long it took to publish. */
async function startShipping(took: number[]): Promise<TestWorld> {
  return startWorld({
    topics: [orders, shipments],
    services: {
      shipping: (environment) => {
        const service = createService({ name: 'shipping', ...environment, topics: [shipments] })
        const { clock } = environment.platform
        service
          .consumer(orders, { start: 'earliest' })
          .on(OrderCreated, async ({ data: { orderId } }, { publish }) => {
            const beganMs = clock.elapsedMs()
            await publish(OrderShipped, { orderId, tookMs: 0 })
            took.push(clock.elapsedMs() - beganMs)
          })
        return service
      },
    },
  })
}

const lagOf = async (world: TestWorld) =>
  (await world.committed('fulfilment')).reduce(
    (sum, { end, committed }) => sum + end - committed,
    0,
  )

describe('answers and requests', () => {
  /** How long a publish of a handler took, with a fault and, by the same seed, without. */
  async function publishing(arm: (world: TestWorld) => Fault) {
    const [took, tookWithout]: [number[], number[]] = [[], []]
    await using world = await startShipping(took)
    const fault = arm(world)
    expect(fault.state).toBe('armed')
    await world.publish(OrderCreated, { orderId: 'o-1' })
    await world.quiet()
    expect(fault.state).toBe('over')
    expect((await world.records(shipments)).map(({ event }) => event?.data.orderId)).toEqual([
      'o-1',
    ])
    await world.close()
    await using faultless = await startShipping(tookWithout)
    await faultless.publish(OrderCreated, { orderId: 'o-1' })
    await faultless.quiet()
    return { name: fault.name, longerMs: (took[0] ?? NaN) - (tookWithout[0] ?? NaN) }
  }

  it.each(['loseNextAnswer', 'loseNextRequest'] as const)(
    '%s: what was sent is sent again, and is there once',
    async (name) => {
      const choice = { api: 'Produce', service: 'shipping' }
      const fault = await publishing(({ faults }) => faults[name](choice))
      expect(fault.name).toBe(`${name}(Produce of shipping)`)
      expect(fault.longerMs).toBeGreaterThan(5)
    },
  )

  it('delayNextAnswer: who waits, waits so much longer', async () => {
    const { longerMs } = await publishing(({ faults }) =>
      faults.delayNextAnswer({ api: 'Produce', byMs: 3_000 }),
    )
    expect(longerMs).toBeGreaterThan(2_900)
    expect(longerMs).toBeLessThan(3_300)
  })

  it('spare what the test itself asks', async () => {
    await using world = await startFulfilment(idle)
    const lost = world.faults.loseNextAnswer({ api: 'Produce' })
    await world.publish(OrderCreated, { orderId: 'o-1' })
    expect(lost.state).toBe('armed')
    lost.cancel()
    expect(lost.state).toBe('cancelled')
    await world.quiet()
  })
})

describe('processes', () => {
  it('crash: it dies at once, in the middle of its work', async () => {
    const ship: Ship = async (_, { platform: { clock } }) => clock.sleep(1_000)
    await using world = await startFulfilment(ship)
    await world.publish(OrderCreated, { orderId: 'o-1' })
    await world.until(() => world.runs.length === 1)
    world.faults.crash('fulfilment')
    expect(world.runs[0]?.outcome).toBe('cut off')
    await world.quiet()
    expect(world.runs.map(({ outcome }) => outcome)).toEqual(['cut off', 'done'])
    expect(world.restarts('fulfilment')).toBe(1)
  })

  it('pause: others take over when its session is over', async () => {
    const shipped = new Shipped()
    await using world = await startFulfilment(shipped.ship, 2)
    const pause = world.faults.pause('fulfilment-1', 300_000)
    await world.publishMany(created(50))
    await world.until(() => shipped.counts.size === 50, { withinMs: 200_000 })
    expect(new Set(world.runs.map(({ worker }) => worker))).toEqual(new Set(['fulfilment-2']))
    expect(pause.state).toBe('under way')
    await world.quiet()
    expect(pause.state).toBe('over')
    // What it had read before it was stopped it runs before it hears that it has lost its partitions.
    const byTheSleeper = world.runs.filter(({ worker }) => worker === 'fulfilment-1')
    expect(shipped.repeated).toBe(byTheSleeper.length)
  })
})

describe('the cluster', () => {
  it('outage: nothing moves until it is over', async () => {
    const shipped = new Shipped()
    await using world = await startFulfilment(shipped.ship)
    const outage = world.faults.outage(30_000)
    await world.publishMany(created(20))
    await world.advance(29_000)
    expect(shipped.counts.size).toBe(0)
    expect(outage.state).toBe('under way')
    await world.quiet()
    expect(outage.state).toBe('over')
    expect(shipped.counts.size).toBe(20)
    expect(world.restarts('fulfilment')).toBe(0)
  })

  it('outage: ends when it is cancelled', async () => {
    const shipped = new Shipped()
    await using world = await startFulfilment(shipped.ship)
    const outage = world.faults.outage(3_600_000)
    await world.publishMany(created(20))
    outage.cancel()
    await world.quiet()
    expect(shipped.counts.size).toBe(20)
    expect(world.nowMs).toBeLessThan(3_600_000)
  })

  it.each(['consumer', 'classic'] as const)(
    'rebalance: partitions go to a stranger and come back (%s)',
    async (groupProtocol) => {
      const shipped = new Shipped()
      await using world = await startWorld({
        topics: [orders],
        services: {
          fulfilment: (environment) =>
            fulfilment(environment, shipped.ship, { group: { groupProtocol } }),
        },
      })
      const assigned = () =>
        world.log.filter(({ message }) => message.includes('partitions are assigned')).length
      const before = assigned()
      const rebalance = world.faults.rebalance('fulfilment', 10_000)
      await world.advance(9_000)
      await world.publishMany(created(50))
      await world.advance(500)
      expect(shipped.counts.size).toBeGreaterThan(0)
      expect(shipped.counts.size).toBeLessThan(50)
      await world.quiet()
      expect(rebalance.state).toBe('over')
      expect(assigned()).toBeGreaterThan(before)
      expect(shipped.counts.size).toBe(50)
      expect(shipped.repeated).toBe(0)
    },
  )

  it('restartBroker: what was acknowledged is there, and all goes on', async () => {
    const shipped = new Shipped()
    await using world = await startFulfilment(shipped.ship)
    await world.publishMany(created(20))
    const restart = world.faults.restartBroker()
    expect(restart.state).toBe('under way')
    await world.publishMany(created(40).slice(20))
    await world.quiet()
    expect(restart.state).toBe('over')
    expect(shipped.counts.size).toBe(40)
    expect(await world.records(orders)).toHaveLength(40)
    expect(world.restarts('fulfilment')).toBe(0)
  })

  it('stopNode: others lead on', async () => {
    const replicated = defineTopic('orders', {
      events: [OrderCreated],
      key: ({ data }) => data.orderId,
      partitions: 3,
      replicas: 3,
      minInSyncReplicas: 2,
    })
    const shipped = new Shipped()
    await using world = await startWorld({
      topics: [replicated],
      services: { fulfilment: (environment) => fulfilment(environment, shipped.ship) },
    })
    const stopped = [1, 2, 3].map((id) => world.faults.stopNode(id, id * 20_000 - 19_000))
    await world.advance(500)
    const published = world.publishMany(created(20))
    await published
    await world.quiet()
    expect(stopped.map(({ state }) => state)).toEqual(['over', 'over', 'over'])
    expect(shipped.counts.size).toBe(20)
  })
})

describe('a fault that was misspelt', () => {
  it('is refused, with what there is', async () => {
    await using world = await startFulfilment(idle)
    const { faults } = world
    expect(() => faults.crash('fulfillment')).toThrow(
      "service ('fulfillment') is not in this world; did you mean 'fulfilment'?",
    )
    expect(() => faults.loseNextAnswer({ api: 'Comit' })).toThrow('api (Comit) is not known')
    expect(() => faults.stopNode(7, 10)).toThrow('stopNode (7) is no node; there are 1')
    expect(() => faults.outage(-1)).toThrow('forMs (-1) must be milliseconds')
    expect(await lagOf(world)).toBe(0)
    faults.rebalance('shipping')
    await expect(world.quiet()).rejects.toThrow(
      "the fault rebalance('shipping') did not work: OptionError: group ('shipping') reads nothing; there are fulfilment",
    )
  })
})
