import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ManualClock, settled } from '../../broker/group/fixture/manual-clock.ts'
import { createMetrics, runtimeMetrics, silentLog } from '../../observe/index.ts'
import { createNodePlatform } from '../../platform/index.ts'
import { memoryDedupeStore } from '../../store/index.ts'
import type { DedupeStore } from '../../store/index.ts'
import { deliveryOf } from '../fixture/delivery.ts'
import type { Outcome, Way } from '../outcome.ts'
import { Dedupe } from './dedupe.ts'
import type { DedupeSettings } from './dedupe.ts'

const settings: DedupeSettings = {
  store: undefined,
  idsMax: 100_000,
  claimMs: 1_000,
  rememberMs: 60_000,
  storeTimeoutMs: 500,
  whenUnavailable: 'wait',
}

const duplicate = { skipped: 'duplicate' }
const { random } = createNodePlatform()

/** A consumer's dedupe, a store that others may share, and what is counted and said. */
function newWorld(changes: Partial<DedupeSettings> = {}, wrap = (store: DedupeStore) => store) {
  const clock = new ManualClock()
  const memory = memoryDedupeStore({ clock })
  const store = wrap(memory)
  const given = { ...settings, store, ...changes }
  const registry = createMetrics()
  const metrics = runtimeMetrics(registry)
  const said: string[] = []
  const newDedupe = (log = silentLog, ownClock = clock, isExactlyOnce = false) =>
    new Dedupe({
      time: { passes: () => undefined },
      clock: ownClock,
      random,
      log,
      groupId: 'workers',
      store,
      settings: given,
      metrics,
      isExactlyOnce,
    })
  const { step } = newDedupe((level, message) => void said.push(`${level}: ${message}`))
  const counted = (name: string) => {
    const line = new RegExp(`^millrace_dedupe_${name}_total\\{.*\\} (\\d+)`, 'm')
    return Number(line.exec(registry.expose())?.[1] ?? 0)
  }
  return { clock, memory, step, said, counted, newDedupe }
}

/** The store, answering by promises. */
function asynchronous(store: DedupeStore): DedupeStore {
  return {
    claim: async (claim, ttlMs) => await store.claim(claim, ttlMs),
    renew: async (claim, ttlMs) => await store.renew(claim, ttlMs),
    confirm: async (claim, rememberMs) => await store.confirm(claim, rememberMs),
    release: async (claim) => await store.release(claim),
  }
}

const succeed: Way = () => undefined
const failure = new Error('the handler failed')
const fail: Way = () => {
  throw failure
}

/** A handler that runs until it is told how it ends. */
function openHandler() {
  let runs = 0
  let resolve: (outcome: Outcome) => void = () => undefined
  let reject: (error: Error) => void = () => undefined
  const way: Way = () => {
    runs++
    return new Promise((yes, no) => {
      resolve = yes
      reject = no
    })
  }
  return {
    way,
    get runs() {
      return runs
    },
    end: (outcome?: Outcome) => resolve(outcome),
    fail: () => reject(failure),
  }
}

describe('an event', () => {
  it('is run once, at once, and skipped when it comes again', () => {
    const { step, counted } = newWorld()
    expect(step(deliveryOf('e-1'), succeed)).toBeUndefined()
    expect(step(deliveryOf('e-1', { partition: 3, offset: 9 }), fail)).toEqual(duplicate)
    expect(step(deliveryOf('e-2'), succeed)).toBeUndefined()
    expect(counted('hits')).toBe(1)
  })

  it('is told from those of other topics, and known in the retry topics of its own', () => {
    const { step } = newWorld()
    void step(deliveryOf('e-1'), succeed)
    expect(step(deliveryOf('e-1', { topic: 'payments' }), succeed)).toBeUndefined()
    expect(step(deliveryOf('e-1', { topic: 'orders.workers.retry.30s' }), fail)).toEqual(duplicate)
    expect(step(deliveryOf('e-1', { topic: 'orders.others.retry.30s' }), succeed)).toBeUndefined()
    const forged = { topic: 'refunds', headers: { 'original-topic': 'orders' } }
    expect(step(deliveryOf('e-1', forged), succeed)).toBeUndefined()
  })

  it('without an id is known by where it is, or was first', () => {
    const { step } = newWorld()
    void step(deliveryOf(undefined, { partition: 1, offset: 7, value: null }), succeed)
    const again = { partition: 1, offset: 7, value: null }
    expect(step(deliveryOf(undefined, again), fail)).toEqual(duplicate)
    const headers = { 'original-partition': '1', 'original-offset': '7' }
    const copy = { topic: 'orders.workers.retry.30s', offset: 99, value: null, headers }
    expect(step(deliveryOf(undefined, copy), fail)).toEqual(duplicate)
    const forged = { offset: 99, value: null, headers }
    expect(step(deliveryOf(undefined, forged), succeed)).toBeUndefined()
  })

  it('with an id of any length is known again', () => {
    const { step } = newWorld()
    const long = 'x'.repeat(100_000)
    void step(deliveryOf(`${long}1`), succeed)
    expect(step(deliveryOf(`${long}2`), succeed)).toBeUndefined()
    expect(step(deliveryOf(`${long}1`), fail)).toEqual(duplicate)
  })

  it.each(['at once', 'by a promise'])('runs again when it was not done, told %s', async (how) => {
    const { step } = newWorld({}, how === 'at once' ? (store) => store : asynchronous)
    const run = async (way: Way, delivery = deliveryOf('e-1')) => await step(delivery, way)
    await expect(run(fail)).rejects.toBe(failure)
    await expect(run(() => Promise.reject(failure))).rejects.toBe(failure)
    expect(await run(() => ({ skipped: 'unhandled' }))).toEqual({ skipped: 'unhandled' })
    const late = deliveryOf('e-1')
    const tooLate: Way = () => {
      late.abort(new Error('its time is over'))
      return undefined
    }
    await run(tooLate, late)
    expect(await run(succeed)).toBeUndefined()
    expect(await run(fail)).toEqual(duplicate)
  })

  it('of nobody who handles it is not looked at', () => {
    const { step } = newWorld()
    const delivery = deliveryOf('e-1')
    delivery.decoded = { kind: 'unhandled', contract: undefined as never }
    expect(step(delivery, () => ({ skipped: 'unhandled' }))).toEqual({ skipped: 'unhandled' })
    expect(step(deliveryOf('e-1'), succeed)).toBeUndefined()
  })
})

describe('the same id with other bytes', () => {
  it('is run, counted, said now and then, and known again by its bytes', async () => {
    const { step, said, counted, clock } = newWorld()
    let runs = 0
    const count: Way = () => {
      runs++
      return undefined
    }
    void step(deliveryOf('e-1', { value: 'one' }), count)
    for (const value of ['two', 'three', 'four']) void step(deliveryOf('e-1', { value }), count)
    expect(runs).toBe(4)
    expect(counted('conflicts')).toBe(3)
    expect(said).toEqual([
      'warn: an event has the id of another one with other bytes: both are run',
    ])
    for (const value of ['one', 'two', 'three', 'four']) {
      expect(step(deliveryOf('e-1', { value }), count)).toEqual(duplicate)
    }
    await clock.advance(60_000)
    void step(deliveryOf('e-1', { value: 'five' }), count)
    expect(said).toHaveLength(2)
  })

  it('does not wait for the other', () => {
    const { step } = newWorld()
    const other = openHandler()
    void step(deliveryOf('e-1', { value: 'one' }), other.way)
    expect(step(deliveryOf('e-1', { value: 'two' }), succeed)).toBeUndefined()
  })
})

describe('an event that somebody is at', () => {
  it('waits without having started, longer each time, and is skipped when it is done', async () => {
    const { step, counted, newDedupe } = newWorld()
    const open = openHandler()
    const running = step(deliveryOf('e-1'), open.way)
    const second = deliveryOf('e-1')
    const pauses = [0, 1, 2].map(() => (step(second, fail) as { postponedMs: number }).postponedMs)
    expect(newDedupe().step(deliveryOf('e-1'), fail)).toHaveProperty('postponedMs')
    expect(pauses[0]).toBeLessThanOrEqual(10)
    expect(pauses[2]).toBeGreaterThanOrEqual(20)
    expect(counted('busy')).toBe(2)
    open.end()
    await running
    expect(step(second, fail)).toEqual(duplicate)
  })

  it('is its own when the other has failed', async () => {
    const { step } = newWorld()
    const open = openHandler()
    const running = step(deliveryOf('e-1'), open.way)
    const second = deliveryOf('e-1')
    expect(step(second, fail)).toHaveProperty('postponedMs')
    open.fail()
    await expect(running).rejects.toBe(failure)
    expect(step(second, succeed)).toBeUndefined()
  })

  it('is not taken from a handler that runs for long, and is from one whose process was killed', async () => {
    const { step, clock, newDedupe } = newWorld()
    const other = newDedupe().step
    const killedClock = new ManualClock()
    const open = openHandler()
    const running = step(deliveryOf('lives'), open.way)
    void newDedupe(silentLog, killedClock).step(deliveryOf('killed'), openHandler().way)
    for (let halves = 0; halves < 20; halves++) {
      await clock.advance(500)
      expect(other(deliveryOf('lives'), fail)).toHaveProperty('postponedMs')
    }
    expect(other(deliveryOf('killed'), succeed)).toBeUndefined()
    open.end()
    await running
    await clock.advance(1_000)
    expect(clock.pendingTimers).toBe(0)
  })

  it('is done by who took it over, whatever the one says that slept', async () => {
    const { step, clock, newDedupe, counted } = newWorld()
    const asleep = new ManualClock()
    const open = openHandler()
    const running = newDedupe(silentLog, asleep).step(deliveryOf('e-1'), open.way)
    await clock.advance(2_000)
    const second = openHandler()
    const taken = step(deliveryOf('e-1'), second.way)
    open.end()
    expect(await running).toBeUndefined()
    expect(counted('confirm_failures')).toBe(1)
    expect(newDedupe().step(deliveryOf('e-1'), fail)).toHaveProperty('postponedMs')
    second.end()
    await taken
    expect(newDedupe().step(deliveryOf('e-1'), fail)).toEqual(duplicate)
  })
})

describe('an event whose outputs go with a commit', () => {
  it.each(['at once', 'by a promise'])('is done when a commit says so, told %s', async (how) => {
    const { clock, newDedupe } = newWorld()
    const { step } = newDedupe(silentLog, clock, true)
    const way: Way = how === 'at once' ? succeed : () => Promise.resolve(undefined)
    const delivery = deliveryOf('e-1')
    await step(delivery, way)
    // It would be a duplicate for ever, and what it sent is nowhere, were the commit to fail for good.
    expect(newDedupe().step(deliveryOf('e-1'), fail)).toHaveProperty('postponedMs')
    delivery.settle(true)
    expect(newDedupe().step(deliveryOf('e-1'), fail)).toEqual(duplicate)
  })

  it('runs again when no commit ever says that it is done', async () => {
    const { clock, newDedupe } = newWorld()
    const delivery = deliveryOf('e-1')
    await newDedupe(silentLog, clock, true).step(delivery, succeed)
    delivery.settle(false)
    expect(newDedupe().step(deliveryOf('e-1'), succeed)).toBeUndefined()
  })
})

describe('a store that does not answer', () => {
  const down = () => Promise.reject(new Error('connection refused'))
  const silent = () => new Promise<never>(() => undefined)
  const thrown = () => {
    throw new Error('not connected')
  }

  it.each([
    ['rejects', down],
    ['says nothing', silent],
    ['throws', thrown],
  ])('and %s: events wait, without having started', async (_, claim) => {
    const { step, said, clock } = newWorld({}, (store) => ({ ...asynchronous(store), claim }))
    const outcome = step(deliveryOf('e-1'), fail)
    await clock.advance(500)
    expect(await outcome).toHaveProperty('postponedMs')
    expect(said).toEqual(['error: the store of dedupe does not answer: events wait for it'])
  })

  it('lets events run, where that was asked for', async () => {
    const changes = { whenUnavailable: 'run' } as const
    const { step } = newWorld(changes, (store) => ({ ...asynchronous(store), claim: down }))
    expect(await step(deliveryOf('e-1'), succeed)).toBeUndefined()
    await expect(step(deliveryOf('e-1'), fail)).rejects.toBe(failure)
  })

  it('is told again that an event is done', async () => {
    let left = 3
    const { step, clock, counted } = newWorld({}, (store) => ({
      ...asynchronous(store),
      confirm: (claim, ms) => (left-- > 0 ? down() : Promise.resolve(store.confirm(claim, ms))),
    }))
    const outcome = step(deliveryOf('e-1'), succeed)
    await clock.advance(400)
    expect(await outcome).toBeUndefined()
    expect(await step(deliveryOf('e-1'), fail)).toEqual(duplicate)
    expect(counted('confirm_failures')).toBe(0)
  })

  it.each([
    ['rejects', down],
    ['says nothing', silent],
    ['throws', thrown],
  ])('and %s: a record that is done ends all the same, and is counted', async (_, confirm) => {
    const { step, clock, counted } = newWorld({}, (store) => ({ ...asynchronous(store), confirm }))
    const outcome = step(deliveryOf('e-1'), succeed)
    await clock.advance(600)
    expect(await outcome).toBeUndefined()
    expect(counted('confirm_failures')).toBe(1)
  })

  it.each([
    ['rejects', down],
    ['says nothing', silent],
    ['throws', thrown],
  ])('and %s: a failure stays what it is', async (_, release) => {
    const { step, clock } = newWorld({}, (store) => ({ ...asynchronous(store), release }))
    const outcome = step(deliveryOf('e-1'), fail) as Promise<Outcome>
    const caught = outcome.catch((error: unknown) => error)
    await clock.advance(600)
    expect(await caught).toBe(failure)
  })
})

describe('a partition that is given up', () => {
  it('drops what has not started at once, and gives back a claim that comes too late', async () => {
    let answer: () => void = () => undefined
    const asked = new Promise<void>((resolve) => {
      answer = resolve
    })
    const { step, memory, newDedupe, counted } = newWorld({}, (store) => ({
      ...asynchronous(store),
      claim: async (claim, ttlMs) => {
        await asked
        return await store.claim(claim, ttlMs)
      },
    }))
    const delivery = deliveryOf('e-1')
    const reason = new Error('the partition goes to another member of the group')
    const outcome = step(delivery, fail) as Promise<Outcome>
    delivery.drop(reason)
    await expect(outcome).rejects.toBe(reason)
    expect(delivery.wasDropped).toBe(true)
    answer()
    await settled()
    expect(counted('dropped_claims')).toBe(1)
    expect(await newDedupe().step(deliveryOf('e-1'), succeed)).toBeUndefined()
    expect(memory).toBeDefined()
  })
})

describe('with the memory of its consumer alone', () => {
  const ownMemory = { store: undefined }

  it('a record without an id is left to the ledger, and a copy of one is known by where it was first', () => {
    const { step } = newWorld(ownMemory)
    let runs = 0
    const count: Way = () => {
      runs++
      return undefined
    }
    const inPlace = { partition: 1, offset: 7, value: null }
    expect([1, 2].map(() => step(deliveryOf(undefined, inPlace), count))).toEqual([
      undefined,
      undefined,
    ])
    const headers = { 'original-partition': '1', 'original-offset': '7' }
    const copy = { topic: 'orders.workers.retry.30s', offset: 99, value: null, headers }
    expect(step(deliveryOf(undefined, copy), count)).toBeUndefined()
    expect(step(deliveryOf(undefined, { ...copy, offset: 100 }), fail)).toEqual(duplicate)
    expect(runs).toBe(3)
  })

  it('a claim lasts for as long as its handler runs, and nothing has to be renewed', async () => {
    const { step, clock } = newWorld(ownMemory)
    const delivery = deliveryOf('e-1')
    void step(delivery, openHandler().way)
    expect(clock.pendingTimers).toBe(0)
    await clock.advance(3_600_000)
    expect(step(deliveryOf('e-1'), fail)).toHaveProperty('postponedMs')
    delivery.hasSettled(false, undefined)
    expect(step(deliveryOf('e-1'), fail)).toEqual(duplicate)
  })

  it.each<[string, boolean, Outcome]>([
    ['failed', true, undefined],
    ['was passed over', false, { skipped: 'unhandled' }],
  ])('an event whose handler has settled and %s runs again', (_, hasFailed, outcome) => {
    const { step } = newWorld(ownMemory)
    const delivery = deliveryOf('e-1')
    void step(delivery, openHandler().way)
    delivery.hasSettled(hasFailed, outcome)
    expect(step(deliveryOf('e-1'), succeed)).toBeUndefined()
  })
})

interface Move {
  readonly owner: number
  readonly event: number
  readonly act: 'begin' | 'done' | 'failed' | 'crash' | 'wait'
}

const moves = fc.array(
  fc.record<Move>({
    owner: fc.integer({ min: 0, max: 2 }),
    event: fc.integer({ min: 0, max: 3 }),
    act: fc.constantFrom('begin', 'begin', 'done', 'failed', 'crash', 'wait'),
  }),
  { maxLength: 60 },
)

/** Owners with clocks of their own: one that crashed renews nothing, and its handlers never end. */
async function follow(isAsynchronous: boolean, history: readonly Move[]): Promise<void> {
  const world = newWorld({}, isAsynchronous ? asynchronous : (store) => store)
  const newOwner = () => {
    const clock = new ManualClock()
    return {
      clock,
      step: world.newDedupe(silentLog, clock).step,
      running: new Map<number, ReturnType<typeof openHandler>>(),
    }
  }
  const owners = [newOwner(), newOwner(), newOwner()]
  const done = new Map<number, number>()
  for (const { owner: index, event, act } of history) {
    const owner = owners[index] as ReturnType<typeof newOwner>
    const running = owner.running.get(event)
    if (act === 'crash') {
      owners[index] = newOwner()
    } else if (act === 'wait') {
      for (let quarter = 0; quarter < 4; quarter++) {
        for (const each of owners) await each.clock.advance(100)
        await world.clock.advance(100)
      }
    } else if (act === 'begin' && running === undefined) {
      const open = openHandler()
      const outcome = Promise.resolve(owner.step(deliveryOf(`e-${event}`), open.way))
      outcome.catch(() => undefined)
      await settled()
      if (open.runs > 0) {
        expect(owners.some((other) => other.running.has(event))).toBe(false)
        expect(done.has(event)).toBe(false)
        owner.running.set(event, open)
      } else if (done.has(event)) {
        expect(await outcome).toEqual(duplicate)
      } else {
        expect(await outcome).toHaveProperty('postponedMs')
      }
    } else if ((act === 'done' || act === 'failed') && running !== undefined) {
      if (act === 'done') running.end()
      else running.fail()
      await settled()
      owner.running.delete(event)
      if (act === 'done') done.set(event, (done.get(event) ?? 0) + 1)
    }
  }
  expect([...done.values()].every((times) => times === 1)).toBe(true)
}

it.each([false, true])(
  'no event runs twice at once or is done twice, and none is skipped that is not done (by promises: %s)',
  async (isAsynchronous) => {
    await fc.assert(
      fc.asyncProperty(moves, (history) => follow(isAsynchronous, history)),
      { seed: 7, numRuns: 100 },
    )
  },
)
