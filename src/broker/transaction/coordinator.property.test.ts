import fc from 'fast-check'
import { expect, it } from 'vitest'
import { isRefusal } from '../refusal.ts'
import { TestCluster, idle } from './coordinator-fixture.ts'
import type { ProducerIdentity } from './transaction-metadata.ts'

/**
 * Two producers with the same transactional id, a coordinator that moves and restarts, logs that
 * become durable when they like, timeouts. Whatever comes:
 *
 *   - a transaction is committed in all its partitions or aborted in all of them, as its producer
 *     was told,
 *   - a producer that was fenced changes nothing any more,
 *   - once all is well again no partition has an open transaction.
 */

const partitionNames = ['orders-0', 'orders-1', '__consumer_offsets-0']

type Outcome = 'commit' | 'abort'

/** One transaction as its producer sees it. */
interface Attempt {
  readonly value: string
  readonly acknowledged: Set<string>
  /** What the producer asked for last. */
  wish: Outcome | undefined
  /** What it was told to have got. */
  told: Outcome | undefined
}

type Step =
  | { readonly kind: 'init' }
  | { readonly kind: 'write'; readonly partition: string }
  | { readonly kind: 'end'; readonly outcome: Outcome }

/** What happens to all of them. */
class World {
  readonly cluster = new TestCluster(partitionNames)
  readonly attempts: Attempt[] = []
  generation = 0
  /** Who was granted an identity last: everybody else is fenced. */
  owner: Client | undefined

  newAttempt(): Attempt {
    const value = `transaction ${this.attempts.length}`
    const attempt = { value, acknowledged: new Set<string>(), wish: undefined, told: undefined }
    this.attempts.push(attempt)
    return attempt
  }

  hold(held: boolean): void {
    this.cluster.stateLog.held = held
    for (const { log } of this.cluster.partitions.values()) log.held = held
  }

  /** Makes durable what the logs of the set have, each log a bit of it. */
  sync(logs: number): void {
    const all = [this.cluster.stateLog, ...[...this.cluster.partitions.values()].map((p) => p.log)]
    for (const [index, log] of all.entries()) {
      if ((logs & (1 << index)) !== 0) log.sync()
    }
  }
}

const allLogs = 0b1111

const retriable = new Set([
  'CONCURRENT_TRANSACTIONS',
  'COORDINATOR_NOT_AVAILABLE',
  'COORDINATOR_LOAD_IN_PROGRESS',
  'NOT_COORDINATOR',
  'NOT_ENOUGH_REPLICAS',
])

/**
 * A producer that does one thing at a time, repeats what has an unknown outcome, and starts over
 * when it is told that it is done for.
 */
class Client {
  readonly #world: World
  readonly #version: 0 | 2
  #identity: ProducerIdentity | undefined
  #attempt: Attempt | undefined
  #unknown: Step | undefined
  #busyIn = -1
  violations: string[] = []

  constructor(world: World, version: 0 | 2) {
    this.#world = world
    this.#version = version
  }

  step(wanted: Step): void {
    if (this.#busyIn === this.#world.generation) return
    const step = this.#unknown ?? this.#allowed(wanted)
    const generation = this.#world.generation
    this.#busyIn = generation
    this.#unknown = step
    void this.#run(step).then((settle) => {
      // The answer of a coordinator that has died since never arrives.
      if (generation !== this.#world.generation) return
      this.#busyIn = -1
      settle()
    })
  }

  #allowed(wanted: Step): Step {
    if (this.#identity === undefined) return { kind: 'init' }
    if (wanted.kind === 'end' && (this.#attempt?.acknowledged.size ?? 0) === 0) {
      return { kind: 'write', partition: 'orders-0' }
    }
    return wanted
  }

  /** Does it; answers what to make of the result. */
  async #run(step: Step): Promise<() => void> {
    if (step.kind === 'init') return this.#init()
    return step.kind === 'write' ? this.#write(step.partition) : this.#end(step.outcome)
  }

  async #init(): Promise<() => void> {
    const result = await this.#world.cluster.init()
    return () => {
      if (isRefusal(result)) {
        this.#failed(result.error)
        return
      }
      this.#unknown = undefined
      this.#identity = result
      this.#attempt = undefined
      this.#world.owner = this
    }
  }

  async #write(partition: string): Promise<() => void> {
    const { cluster } = this.#world
    const identity = this.#identity
    if (identity === undefined) throw new Error('no identity')
    const attempt = (this.#attempt ??= this.#world.newAttempt())
    const fenced = this.#isFenced
    let error = this.#version === 2 ? 'NONE' : await cluster.add(identity, [partition])
    if (error === 'NONE') {
      const version = this.#version === 2 ? 12 : 9
      error = (await cluster.produce(identity, [partition], version, attempt.value))[0] ?? 'NONE'
    }
    if (error === 'NONE' && fenced) this.violations.push('a fenced producer has written')
    return () => {
      if (error !== 'NONE') {
        this.#failed(error)
        return
      }
      this.#unknown = undefined
      attempt.acknowledged.add(partition)
    }
  }

  async #end(outcome: Outcome): Promise<() => void> {
    const identity = this.#identity
    const attempt = this.#attempt
    if (identity === undefined || attempt === undefined) throw new Error('nothing to end')
    const fenced = this.#isFenced
    attempt.wish = outcome
    const result = await this.#world.cluster.end(identity, outcome, this.#version)
    if (!isRefusal(result) && fenced) this.violations.push('a fenced producer has ended one')
    return () => {
      if (isRefusal(result)) {
        this.#failed(result.error)
        return
      }
      this.#unknown = undefined
      attempt.told = outcome
      this.#attempt = undefined
      this.#identity = this.#version === 2 ? result : identity
    }
  }

  #failed(error: string): void {
    if (retriable.has(error)) return
    this.#unknown = undefined
    this.#identity = undefined
    this.#attempt = undefined
  }

  get #isFenced(): boolean {
    const { owner } = this.#world
    return owner !== undefined && owner !== this
  }
}

type Event =
  | { readonly kind: 'step'; readonly client: 0 | 1; readonly step: Step }
  | { readonly kind: 'sync'; readonly logs: number }
  | { readonly kind: 'move' }
  | { readonly kind: 'restart' }
  | { readonly kind: 'time'; readonly delayMs: number }

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 1, arbitrary: fc.constant<Step>({ kind: 'init' }) },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('write' as const),
      partition: fc.constantFrom(...partitionNames),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('end' as const),
      outcome: fc.constantFrom('commit' as const, 'commit' as const, 'abort' as const),
    }),
  },
)

const event: fc.Arbitrary<Event> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      kind: fc.constant('step' as const),
      client: fc.constantFrom(0 as const, 0 as const, 0 as const, 1 as const),
      step,
    }),
  },
  {
    weight: 16,
    arbitrary: fc.record({
      kind: fc.constant('sync' as const),
      logs: fc.oneof(fc.constant(allLogs), fc.nat(allLogs)),
    }),
  },
  { weight: 1, arbitrary: fc.constant<Event>({ kind: 'move' }) },
  { weight: 1, arbitrary: fc.constant<Event>({ kind: 'restart' }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('time' as const),
      delayMs: fc.constantFrom(100, 30_000),
    }),
  },
)

async function happen(world: World, clients: readonly Client[], event: Event): Promise<void> {
  switch (event.kind) {
    case 'step':
      clients[event.client]?.step(event.step)
      break
    case 'sync':
      world.sync(event.logs)
      break
    case 'move':
      void world.cluster.load()
      break
    case 'restart':
      world.generation += 1
      await world.cluster.restart()
      break
    case 'time':
      world.cluster.clock.advance(event.delayMs)
      void world.cluster.coordinator.abortTimedOut()
  }
  await idle()
}

/** All logs are well, and every transaction that is still open times out. */
async function heal(world: World): Promise<void> {
  const { cluster } = world
  world.hold(false)
  world.sync(allLogs)
  await idle()
  for (let round = 0; round < 3; round += 1) {
    cluster.clock.advance(60_001)
    await idle()
    await cluster.coordinator.abortTimedOut()
    await idle()
  }
}

/** What became of every record of a value: what the next marker of its producer says. */
function outcomesOf(world: World, value: string): string[] {
  const outcomes: string[] = []
  for (const [name, { log }] of world.cluster.partitions) {
    for (const [index, entry] of log.entries.entries()) {
      if (entry.kind !== 'data' || entry.value !== value) continue
      const marker = log.entries
        .slice(index)
        .find((next) => next.kind === 'marker' && next.marker.producerId === entry.producerId)
      if (marker?.kind !== 'marker') outcomes.push(`open in ${name}`)
      else outcomes.push(marker.marker.commit ? 'commit' : 'abort')
    }
  }
  return outcomes
}

function check(world: World, attempt: Attempt): void {
  const outcomes = new Set(outcomesOf(world, attempt.value))
  expect(outcomes.size, `${attempt.value}: ${[...outcomes].join(', ')}`).toBeLessThanOrEqual(1)
  if (attempt.wish !== 'commit') expect(outcomes).not.toContain('commit')
  if (attempt.told === 'abort') expect(outcomes).not.toContain('commit')
  if (attempt.told !== 'commit') return
  expect(outcomes).toEqual(new Set(['commit']))
  for (const partition of attempt.acknowledged) {
    const written = world.cluster
      .partition(partition)
      .log.entries.some((entry) => entry.kind === 'data' && entry.value === attempt.value)
    expect(written, `${attempt.value} in ${partition}`).toBe(true)
  }
}

async function scenario(
  versions: readonly [0 | 2, 0 | 2],
  clusterVersion: 1 | 2,
  events: readonly Event[],
): Promise<World> {
  const world = new World()
  world.cluster.settings.transactionVersion = clusterVersion
  await world.cluster.load()
  world.hold(true)
  const clients = versions.map((version) => new Client(world, version))
  for (const each of events) await happen(world, clients, each)
  await heal(world)
  expect(clients.flatMap(({ violations }) => violations)).toEqual([])
  for (const [name, partition] of world.cluster.partitions) {
    expect(partition.hasOpenTransaction, `open transaction in ${name}`).toBe(false)
  }
  expect(world.cluster.state()).toMatch(/^(Empty|Complete.*|TRANSACTIONAL_ID_NOT_FOUND)$/)
  for (const attempt of world.attempts) check(world, attempt)
  return world
}

it('ends every transaction as one, however things fall', { timeout: 120_000 }, async () => {
  const told = { commit: 0, abort: 0, nothing: 0 }
  const version = fc.constantFrom(0 as const, 2 as const)
  await fc.assert(
    fc.asyncProperty(
      fc.tuple(version, version),
      fc.constantFrom(1 as const, 2 as const),
      fc.array(event, { minLength: 100, maxLength: 300, size: 'max' }),
      async (versions, clusterVersion, events) => {
        const world = await scenario(versions, clusterVersion, events)
        for (const attempt of world.attempts) told[attempt.told ?? 'nothing'] += 1
      },
    ),
    { seed: 98, numRuns: 60 },
  )
  // A property that is never put to the test is always true.
  expect(told.commit).toBeGreaterThan(50)
  expect(told.abort).toBeGreaterThan(15)
  expect(told.nothing).toBeGreaterThan(15)
})
