import { describe, expect, it } from 'vitest'
import { defineEvent, defineTopic, Type } from '../../contract/index.ts'
import { createService } from '../../runtime/index.ts'
import type { Service } from '../../runtime/index.ts'
import { created, fulfilment, OrderCreated, orders } from './fixture/fulfilment.ts'
import type { Ship } from './fixture/fulfilment.ts'
import type { NotQuietError } from './quiet.ts'
import { startWorld } from './test-world.ts'
import type { QuietOptions, TestWorld } from './test-world.ts'
import type { ServiceEnvironment } from './world-worker.ts'

function start(make: (environment: ServiceEnvironment) => Service): Promise<TestWorld> {
  return startWorld({ topics: [orders], services: { fulfilment: make } })
}

const startWith = (ship: Ship) => start((environment) => fulfilment(environment, ship))

async function complaint(world: TestWorld, options?: QuietOptions): Promise<NotQuietError> {
  const error = await world.quiet(options).catch((thrown: unknown) => thrown)
  expect(error).toMatchObject({ name: 'NotQuietError', code: 'MILLRACE_SIMULATION_FAILED' })
  return error as NotQuietError
}

describe('a world that does not become quiet says', () => {
  it('which partition is stopped, at which record, and what its error was', async () => {
    await using world = await start((environment) =>
      fulfilment(
        environment,
        () => {
          throw new TypeError('no such warehouse')
        },
        { deadLetter: false },
      ),
    )
    const { partition, offset } = await world.publish(OrderCreated, { orderId: 'o-1' })
    const { message, unquiet } = await complaint(world, { withinMs: 120_000 })
    expect(message).toContain('the world is not quiet after 120000 ms of its time (seed 1)')
    expect(message).toContain(`group fulfilment: orders-${partition} is committed to 0 of 1`)
    expect(message).toContain('offset 0 (key o-1), attempt 5 in fulfilment-1, failed')
    expect(message).toContain('TypeError: no such warehouse')
    expect(message).toContain(`fulfilment: orders: orders-${partition} is stopped`)
    expect(unquiet.behind).toEqual([
      { group: 'fulfilment', topic: 'orders', partition, committed: offset, end: offset + 1 },
    ])
  })

  it('which handler does not come to its end', async () => {
    await using world = await startWith(() => new Promise(() => undefined))
    await world.publish(OrderCreated, { orderId: 'o-1' })
    const { message } = await complaint(world, { withinMs: 60_000 })
    expect(message).toMatch(/offset 0 \(key o-1\), attempt 1 in fulfilment-1, has run for \d{5} ms/)
  })

  it('what is waited for in the real world', async () => {
    await using world = await startWith(() => new Promise((resolve) => setTimeout(resolve, 60_000)))
    await world.publish(OrderCreated, { orderId: 'o-1' })
    const { message, unquiet } = await complaint(world, { withinRealMs: 300 })
    expect(message).toContain('the world has waited for 300 real ms')
    expect(message).toContain('the real world is waited for: 1 × Timeout of fulfilment-1')
    expect(unquiet.realWork).toEqual(['1 × Timeout of fulfilment-1'])
  })

  it('that nobody reads', async () => {
    const services: Service[] = []
    await using world = await start((environment) => {
      const service = fulfilment(environment, () => undefined)
      services.push(service)
      return service
    })
    services[0]?.pause()
    await world.publish(OrderCreated, { orderId: 'o-1' })
    const { message } = await complaint(world, { withinMs: 5_000 })
    expect(message).toContain(
      'offset 0 has not run: nobody has read it yet, its partition is paused',
    )
  })

  it('that it is an outage', async () => {
    await using world = await startWith(() => {
      throw new Error('no database')
    })
    await world.publishMany(created(40))
    const { message } = await complaint(world, { withinMs: 60_000 })
    expect(message).toContain('fulfilment-1: fulfilment: orders: an outage')
    expect(message).toContain('Error: no database')
    expect(await world.deadLetters(orders)).toEqual([])
  })

  it('which process does not come up again', async () => {
    let starts = 0
    await using world = await start((environment) => {
      starts += 1
      if (starts > 1) throw new Error('the disk is full')
      return fulfilment(environment, () => undefined)
    })
    world.faults.crash('fulfilment')
    const { message } = await complaint(world, { withinMs: 20_000 })
    expect(message).toContain('its last failure: Error: the disk is full')
    expect(world.restarts('fulfilment')).toBeGreaterThan(5)
  })

  it('at once that nobody is left', async () => {
    await using world = await startWorld({
      topics: [orders],
      services: { fulfilment: (environment) => fulfilment(environment, () => undefined) },
      restartMs: false,
    })
    world.faults.crash('fulfilment')
    await world.publish(OrderCreated, { orderId: 'o-1' })
    const beforeMs = world.nowMs
    const { message } = await complaint(world)
    expect(message).toContain('every process is down, and nobody starts one again')
    expect(message).toContain('fulfilment-1: is down, and not restarted')
    expect(world.nowMs - beforeMs).toBeLessThan(1_000)
  })

  it('which fault has not happened', async () => {
    await using world = await startWith(() => undefined)
    world.faults.crashAtNextCommit('fulfilment')
    const { message, unquiet } = await complaint(world)
    expect(message).toContain('all is done, but a fault has not happened')
    expect(unquiet.faults).toEqual(["crashAtNextCommit('fulfilment') is armed"])
  })
})

describe('a world that is quiet', () => {
  it('has waited for what handlers did not wait for', async () => {
    const Noted = defineEvent('NOTED', { data: Type.Object({ orderId: Type.String() }) })
    const notes = defineTopic('notes', { events: [Noted], key: null, partitions: 1 })
    await using world = await startWorld({
      topics: [orders, notes],
      services: {
        notary: (environment) => {
          const service = createService({ name: 'notary', ...environment, topics: [notes] })
          const { clock } = environment.platform
          service
            .consumer(orders, { start: 'earliest', commit: { intervalMs: 5 } })
            .on(OrderCreated, ({ data }) => {
              void clock.sleep(150).then(() => service.publish(Noted, data))
            })
          return service
        },
      },
    })
    await world.publish(OrderCreated, { orderId: 'o-1' })
    await world.quiet()
    expect((await world.records(notes)).map(({ event }) => event?.data.orderId)).toEqual(['o-1'])
  })
})

describe('a process', () => {
  it('dies of an error that nobody catches, as it does under Node', async () => {
    let isFirst = true
    await using world = await startWith(() => {
      if (!isFirst) return
      isFirst = false
      void Promise.reject(new Error('forgotten'))
    })
    await world.publish(OrderCreated, { orderId: 'o-1' })
    await world.quiet()
    expect(world.restarts('fulfilment')).toBe(1)
  })

  it('dies of what a timer of Node throws', async () => {
    let isFirst = true
    await using world = await startWith(async () => {
      if (!isFirst) return
      isFirst = false
      setTimeout(() => {
        throw new Error('too late')
      }, 5)
      await new Promise((resolve) => setTimeout(resolve, 20))
    })
    await world.publish(OrderCreated, { orderId: 'o-1' })
    await world.quiet()
    expect(world.restarts('fulfilment')).toBe(1)
    expect(world.runs.map(({ outcome }) => outcome)).toEqual(['cut off', 'done'])
  })

  it('dies of its own errors, not of those of others', async () => {
    const make = (environment: ServiceEnvironment, groupId: string, handle: Ship) =>
      fulfilment(environment, handle, { groupId })
    let isFirst = true
    await using world = await startWorld({
      topics: [orders],
      services: {
        busy: (environment) =>
          make(environment, 'busy', async () => {
            for (let n = 0; n < 200; n++) await environment.platform.clock.sleep(1)
          }),
        careless: (environment) =>
          make(environment, 'careless', async () => {
            if (!isFirst) return
            isFirst = false
            setTimeout(() => {
              throw new Error('too late')
            }, 5)
            await new Promise((resolve) => setTimeout(resolve, 100))
          }),
      },
    })
    await world.publish(OrderCreated, { orderId: 'o-1' })
    await world.quiet()
    expect([world.restarts('busy'), world.restarts('careless')]).toEqual([0, 1])
  })

  it('has nothing to do with what the test itself forgets to catch', async () => {
    await using world = await startWith(() => undefined)
    const quiet = world.quiet()
    void Promise.reject(new Error('of the test'))
    await expect(quiet).rejects.toThrow('the scenario threw: Error: of the test')
    expect(world.restarts('fulfilment')).toBe(0)
  })

  it('that was told to end is not waited for', async () => {
    await using world = await startWith(() => undefined)
    await world.publish(OrderCreated, { orderId: 'o-1' })
    await world.quiet()
    await world.stop('fulfilment')
    await world.quiet()
    expect(world.restarts('fulfilment')).toBe(0)
    await world.publish(OrderCreated, { orderId: 'o-2' })
    const { message } = await complaint(world)
    expect(message).toContain('every process is down')
    await world.start('fulfilment')
    await world.quiet()
    expect(world.runs.map(({ key }) => key)).toEqual(['o-1', 'o-2'])
  })
})
