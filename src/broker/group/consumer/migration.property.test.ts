import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { kafkaError } from '../../../protocol/index.ts'
import type { JoinResponse } from '../classic/classic-group.ts'
import { readSubscription } from '../consumer-protocol.ts'
import { BenchConsumer } from '../fixture/bench-consumer.ts'
import { assignmentBytes, GroupBench, placesOf, subscription } from '../fixture/group-bench.ts'
import { LogFollower } from '../fixture/log-follower.ts'
import type { Group } from '../group-state.ts'
import { eachPartition } from '../topic-partitions.ts'

const { NONE } = kafkaError
const partitions = [0, 1, 2, 3, 4, 5]
const places = partitions.map((index) => `t:${index}`)
const rebalanceTimeoutMs = 30_000

/**
 * A consumer of the classic protocol with cooperative rebalancing: it goes on with what it has while
 * it joins again, gives up what it is no longer assigned, and then joins once more so that others
 * can have it.
 */
class Cooperative {
  readonly #bench: GroupBench
  memberId = ''
  generation = -1
  owned: string[] = []
  state: 'out' | 'joined' | 'stable' = 'out'
  busy = false
  isPresent = true
  /**
   * Whether the group went on without it while it was not heard of for too long. It learns that with
   * its next assignment, because a consumer group lets it join under its old id, as Kafka's does.
   */
  isForgotten = false
  #lastStepMs: number
  #toAssign: JoinResponse['members'] | undefined

  constructor(bench: GroupBench) {
    this.#bench = bench
    this.#lastStepMs = bench.clock.now()
  }

  step(): void {
    const nowMs = this.#bench.clock.now()
    const isLate = nowMs - this.#lastStepMs >= rebalanceTimeoutMs
    this.#lastStepMs = nowMs
    if (this.busy || !this.isPresent) return
    // Who was away for longer than the others wait has no place any more, and knows it.
    if (isLate) this.#lost(kafkaError.UNKNOWN_MEMBER_ID)
    this.busy = true
    const acts = { out: () => this.#join(), joined: () => this.#sync(), stable: () => this.#beat() }
    void acts[this.state]().then(() => (this.busy = false))
  }

  async leave(): Promise<void> {
    this.isPresent = false
    const leaving = { memberId: this.memberId, groupInstanceId: null, reason: null }
    await this.#bench.coordinator.leaveGroup('g', [leaving])
  }

  async #join(): Promise<void> {
    const owned = [{ topic: 't', partitions: this.owned.map((place) => Number(place.slice(2))) }]
    const response = await this.#bench.join({
      memberId: this.memberId,
      sessionTimeoutMs: 45_000,
      rebalanceTimeoutMs,
      protocols: [{ name: 'cooperative', metadata: subscription(['t'], owned) }],
    })
    if (response.errorCode === kafkaError.MEMBER_ID_REQUIRED) {
      this.memberId = response.memberId
      return
    }
    if (response.errorCode !== NONE) {
      this.#lost(response.errorCode)
      return
    }
    this.memberId = response.memberId
    this.generation = response.generationId ?? -1
    this.state = 'joined'
    this.#toAssign = response.leader === this.memberId ? response.members : undefined
  }

  async #sync(): Promise<void> {
    const { memberId, generation } = this
    const assignments = this.#toAssign === undefined ? [] : cooperativeAssignments(this.#toAssign)
    const response = await this.#bench.sync({ memberId, generationId: generation, assignments })
    if (response.errorCode !== NONE) {
      this.#lost(response.errorCode)
      return
    }
    const assigned = placesOf(response.assignment)
    const givesUp = this.owned.some((place) => !assigned.includes(place))
    this.owned = assigned
    this.isForgotten = false
    this.state = givesUp ? 'out' : 'stable'
  }

  async #beat(): Promise<void> {
    const code = await this.#bench.classicHeartbeat(this.memberId, this.generation)
    if (code !== NONE) this.#lost(code)
  }

  #lost(code: number): void {
    this.state = 'out'
    const keeps = code === kafkaError.REBALANCE_IN_PROGRESS || code === kafkaError.NOT_COORDINATOR
    if (!keeps) this.owned = []
    if (code === kafkaError.UNKNOWN_MEMBER_ID) this.memberId = ''
  }
}

/** Each partition in turn to the next member, but none to a new owner while the old one has it. */
function cooperativeAssignments(
  members: JoinResponse['members'],
): { memberId: string; assignment: Buffer }[] {
  const owners = new Map<string, string>()
  for (const { memberId, metadata } of members) {
    const owned = readSubscription(Buffer.concat([metadata].flat()))?.ownedPartitions ?? []
    for (const one of owned) for (const index of one.partitions) owners.set(`t:${index}`, memberId)
  }
  return members.map(({ memberId }, turn) => {
    const own = places.filter((place, index) => {
      const owner = owners.get(place)
      return index % members.length === turn && (owner === undefined || owner === memberId)
    })
    return { memberId, assignment: assignmentBytes(own) }
  })
}

/** A consumer of the next generation whose heartbeats overlap with what others do. */
class Next extends BenchConsumer {
  readonly #bench: GroupBench
  busy = false
  isPresent = true

  constructor(bench: GroupBench, memberId: string) {
    super(bench, memberId, { subscribedTopicNames: ['t'] })
    this.#bench = bench
  }

  step(): void {
    if (this.busy || !this.isPresent) return
    this.busy = true
    void this.#bench.consumerHeartbeat(this.request()).then((response) => {
      this.busy = false
      if (response.error !== 'NOT_COORDINATOR' && this.isPresent) this.take(response)
    })
  }
}

type Consumer = Cooperative | Next

function ownedBy(bench: GroupBench, consumer: Consumer): string[] {
  if (consumer instanceof Cooperative) return consumer.owned
  return consumer.partitionsOf('t').map((index) => `t:${index}`)
}

/** While the group is a consumer group: one owner each, and members have no more than they own. */
function expectOneOwnerEach({ bench, consumers, group }: World): void {
  if (group?.type !== 'consumer') return
  const owners = new Map<string, string>()
  for (const member of group.members.values()) {
    for (const owned of [member.assigned, member.pendingRevocation]) {
      for (const [, index] of eachPartition(owned)) {
        expect(owners.get(`t:${index}`)).toBeUndefined()
        owners.set(`t:${index}`, member.memberId)
      }
    }
  }
  for (const consumer of consumers) {
    const member = group.members.get(consumer.memberId)
    if (member === undefined || !consumer.isPresent) continue
    if (consumer instanceof Cooperative && consumer.isForgotten) continue
    const epoch = consumer instanceof Cooperative ? consumer.generation : consumer.epoch
    // An answer that was lost, or that is on its way: the member will be told.
    if (epoch !== member.epoch && epoch !== member.previousEpoch) continue
    for (const place of ownedBy(bench, consumer)) {
      expect(owners.get(place), place).toBe(consumer.memberId)
    }
  }
}

type Action =
  | { kind: 'step' | 'leave' | 'swap'; slot: number }
  | { kind: 'wait'; ms: number }
  | { kind: 'hold' | 'release' }
  | { kind: 'restart'; kept: number }

const slots = 4
const slot = fc.nat({ max: slots - 1 })

function of<Kind extends string>(kind: Kind): fc.Arbitrary<Kind> {
  return fc.constant(kind)
}

const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 30, arbitrary: fc.record({ kind: of('step'), slot }) },
  { weight: 1, arbitrary: fc.record({ kind: of('leave'), slot }) },
  { weight: 2, arbitrary: fc.record({ kind: of('swap'), slot }) },
  {
    weight: 4,
    arbitrary: fc.record({ kind: of('wait'), ms: fc.constantFrom(0, 1, 1000, 31_000) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: of('hold') }) },
  { weight: 4, arbitrary: fc.record({ kind: of('release') }) },
  { weight: 1, arbitrary: fc.record({ kind: of('restart'), kept: fc.nat({ max: 2 }) }) },
)

class World {
  readonly bench = new GroupBench({ t: partitions.length })
  readonly consumers: Consumer[] = []
  readonly #follower = new LogFollower()
  #count = 0

  constructor() {
    while (this.consumers.length < slots) this.consumers.push(new Cooperative(this.bench))
  }

  get group(): Group | undefined {
    return this.#follower.group(this.bench.log)
  }

  async perform(next: Action): Promise<void> {
    const { bench } = this
    switch (next.kind) {
      case 'step':
        this.consumers[next.slot]?.step()
        return
      case 'leave':
        this.#replace(next.slot, false)
        return
      case 'swap':
        this.#replace(next.slot, true)
        return
      case 'wait':
        await bench.advance(next.ms)
        return
      case 'hold':
        bench.log.hold()
        return
      case 'release':
        bench.log.unhold()
        return
      case 'restart':
        bench.restart(bench.log.crashed(next.kept))
        for (const consumer of this.consumers) {
          consumer.busy = false
          if (consumer instanceof Cooperative) consumer.state = 'out'
        }
    }
  }

  noteForgotten(): void {
    const { group } = this
    for (const consumer of this.consumers) {
      const isOut = group !== undefined && !group.members.has(consumer.memberId)
      if (consumer instanceof Cooperative && isOut) consumer.isForgotten = true
    }
  }

  /** A consumer leaves, and one of the same or of the other protocol takes its slot. */
  #replace(at: number, toOther: boolean): void {
    const old = this.consumers[at]
    if (old === undefined) return
    void old.leave()
    old.isPresent = false
    this.#count += 1
    const classic = old instanceof Cooperative ? !toOther : toOther
    this.consumers[at] = classic
      ? new Cooperative(this.bench)
      : new Next(this.bench, `n${this.#count}`)
  }
}

describe('any history of a group of both protocols', () => {
  it.each([41, 51, 53, 54, 58])(
    'has one owner for each partition, and comes to rest (seed %i)',
    async (seed) => {
      const types = new Map<string, number>()
      await fc.assert(
        fc.asyncProperty(
          fc.array(action, { minLength: 60, maxLength: 140, size: 'max' }),
          async (actions) => {
            const world = new World()
            const { bench } = world
            for (const next of actions) {
              await world.perform(next)
              await bench.settled()
              expectOneOwnerEach(world)
            }
            bench.log.unhold()
            await expectRest(world)
            const type = world.group?.type ?? 'none'
            types.set(type, (types.get(type) ?? 0) + 1)
          },
        ),
        { seed, numRuns: 25 },
      )
      expect([...types.keys()].sort()).toEqual(['classic', 'consumer'])
    },
    60_000,
  )
})

async function expectRest(world: World): Promise<void> {
  const { bench, consumers } = world
  for (let round = 0; round < 80; round++) {
    for (const consumer of consumers) consumer.step()
    await bench.advance(1000)
  }
  expectOneOwnerEach(world)
  const all = consumers.flatMap((consumer) => ownedBy(bench, consumer)).sort()
  expect(all).toEqual(places)
}
