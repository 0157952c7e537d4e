import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BenchConsumer, converge } from '../fixture/bench-consumer.ts'
import { GroupBench } from '../fixture/group-bench.ts'
import { LogFollower } from '../fixture/log-follower.ts'
import type { Group } from '../group-state.ts'
import { eachPartition } from '../topic-partitions.ts'
import type { ConsumerGroup } from './consumer-group.ts'
import type { ConsumerHeartbeat } from './validate.ts'

const topicNames = ['a', 'b', 'later']

function consumerGroup(group: Group | undefined): ConsumerGroup | undefined {
  return group?.type === 'consumer' ? group : undefined
}

/**
 * No partition is with two members, those that still have to give it up included; and what a member
 * believes to have is what the log says, unless the member was put out and does not know it yet.
 */
function expectOneOwnerEach(group: ConsumerGroup | undefined, consumers: readonly Member[]): void {
  const owners = new Map<string, string>()
  for (const member of group?.members.values() ?? []) {
    for (const partitions of [member.assigned, member.pendingRevocation]) {
      for (const [topicId, partition] of eachPartition(partitions)) {
        const place = `${topicId}:${partition}`
        expect(owners.get(place), place).toBeUndefined()
        owners.set(place, member.memberId)
      }
    }
  }
  for (const consumer of consumers) {
    if (consumer.epoch === 0 || group?.members.has(consumer.memberId) !== true) continue
    for (const place of consumer.owned) expect(owners.get(place)).toBe(consumer.memberId)
  }
}

/** A consumer whose heartbeats overlap with what others do, and whose answers can be lost. */
class Member extends BenchConsumer {
  readonly bench: GroupBench
  readonly instanceId: string | null
  busy = false

  constructor(bench: GroupBench, memberId: string, wishes: Partial<ConsumerHeartbeat>) {
    super(bench, memberId, wishes)
    this.bench = bench
    this.instanceId = wishes.instanceId ?? null
  }

  step(answerIsLost: boolean): void {
    if (this.busy) return
    this.busy = true
    void this.bench.consumerHeartbeat(this.request()).then((response) => {
      this.busy = false
      const moved = response.error === 'NOT_COORDINATOR'
      if (!answerIsLost && !moved && this.isPresent) this.take(response)
    })
  }

  isPresent = true
}

type Action =
  | { kind: 'beat'; member: number; lost: boolean }
  | { kind: 'leave' | 'vanish' | 'away'; member: number }
  | { kind: 'subscribe'; member: number; names: string[] }
  | { kind: 'wait'; ms: number }
  | { kind: 'hold' | 'release' | 'grow' | 'create' | 'delete' }
  | { kind: 'restart'; kept: number; compacted: boolean }

const slots = 5
const member = fc.nat({ max: slots - 1 })

function of<Kind extends string>(kind: Kind): fc.Arbitrary<Kind> {
  return fc.constant(kind)
}

const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 30,
    arbitrary: fc.record({
      kind: of('beat'),
      member,
      lost: fc.integer({ min: 0, max: 9 }).map((chance) => chance === 0),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: of('leave'), member }) },
  { weight: 1, arbitrary: fc.record({ kind: of('vanish'), member }) },
  { weight: 1, arbitrary: fc.record({ kind: of('away'), member }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: of('subscribe'), member, names: fc.subarray(topicNames) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: of('wait'),
      ms: fc.constantFrom(1, 1000, 11_000, 31_000, 46_000),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: of('hold') }) },
  { weight: 4, arbitrary: fc.record({ kind: of('release') }) },
  { weight: 1, arbitrary: fc.record({ kind: of('grow') }) },
  { weight: 1, arbitrary: fc.record({ kind: of('create') }) },
  { weight: 1, arbitrary: fc.record({ kind: of('delete') }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: of('restart'),
      kept: fc.nat({ max: 2 }),
      compacted: fc.boolean(),
    }),
  },
)

class World {
  readonly bench = new GroupBench({ a: 3, b: 4 })
  readonly members: Member[] = []
  readonly follower = new LogFollower()
  #count = 0
  #grown = 4

  constructor() {
    for (let slot = 0; slot < slots; slot++) this.members.push(this.#newMember(slot))
  }

  /** Slot 0 is static, slot 1 subscribes by pattern. */
  #newMember(slot: number): Member {
    this.#count += 1
    const subscription =
      slot === 1 ? { subscribedTopicRegex: 'a|l.*' } : { subscribedTopicNames: ['a', 'b'] }
    const instanceId = slot === 0 ? 'i' : null
    const wishes = { ...subscription, instanceId }
    return new Member(this.bench, `m${this.#count}`, wishes)
  }

  #replace(slot: number): void {
    const old = this.members[slot]
    if (old !== undefined) old.isPresent = false
    this.members[slot] = this.#newMember(slot)
  }

  async perform(next: Action): Promise<void> {
    const { bench } = this
    switch (next.kind) {
      case 'beat':
        this.members[next.member]?.step(next.lost)
        return
      case 'leave':
      case 'away': {
        const leaving = this.members[next.member]
        const epoch = next.kind === 'away' && leaving?.instanceId !== null ? -2 : -1
        void leaving?.leave(epoch)
        this.#replace(next.member)
        return
      }
      case 'vanish':
        this.#replace(next.member)
        return
      case 'subscribe':
        this.#subscribe(next.member, next.names)
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
      case 'restart': {
        const log = bench.log.crashed(next.kept)
        bench.restart(next.compacted ? log.compacted() : log)
        for (const one of this.members) one.busy = false
        return
      }
      default:
        this.#changeTopics(next.kind)
    }
  }

  #subscribe(slot: number, subscribedTopicNames: string[]): void {
    const changed = this.members[slot]
    if (changed === undefined || changed.busy || changed.epoch === 0) return
    void this.bench
      .consumerHeartbeat({ ...changed.request(), subscribedTopicNames })
      .then((response) => {
        if (response.error !== 'NOT_COORDINATOR' && changed.isPresent) changed.take(response)
      })
  }

  #changeTopics(kind: 'grow' | 'create' | 'delete'): void {
    const { bench } = this
    if (kind === 'grow') bench.addPartitions('b', (this.#grown += 1))
    else if (kind === 'create') bench.createTopic('later', 2)
    else void bench.deleteTopic('later')
  }
}

describe('any history of a consumer group', () => {
  it('never lets two members have one partition, and ends at the target assignment', async () => {
    let records = 0
    await fc.assert(
      fc.asyncProperty(
        fc.array(action, { minLength: 60, maxLength: 160, size: 'max' }),
        async (actions) => {
          const world = new World()
          const { bench } = world
          for (const next of actions) {
            await world.perform(next)
            await bench.settled()
            expectOneOwnerEach(consumerGroup(world.follower.group(bench.log)), world.members)
          }
          records += world.follower.applied
          bench.log.unhold()
          await expectRest(world)
        },
      ),
      { seed: 21, numRuns: 80 },
    )
    expect(records).toBeGreaterThan(3000)
  }, 60_000)
})

/** Left alone, the members that are there divide what they subscribe to evenly among them. */
async function expectRest(world: World): Promise<void> {
  const { bench, members } = world
  await bench.settled()
  // Whoever has vanished is put out, and the last incarnation of a static member has left.
  await bench.advance(46_000)
  await converge(members)
  await bench.advance(10_001)
  await converge(members)
  const group = consumerGroup(world.follower.group(bench.log))
  expectOneOwnerEach(group, members)
  expect(group?.state).toBe('Stable')
  expect(group?.members.size).toBe(members.length)
  const assigned = new Map<string, number>()
  for (const one of group?.members.values() ?? []) {
    expect(one.assigned).toEqual(group?.target(one.memberId))
    for (const [topicId] of eachPartition(one.assigned)) {
      assigned.set(topicId, (assigned.get(topicId) ?? 0) + 1)
    }
  }
  for (const name of group?.subscribedTopics() ?? []) {
    const topic = bench.ports.topics.topic(name)
    if (topic !== undefined) expect(assigned.get(topic.id)).toBe(topic.partitionCount)
  }
}
