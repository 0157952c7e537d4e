import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { kafkaError } from '../../../protocol/index.ts'
import { GroupBench } from '../fixture/group-bench.ts'
import type { JoinResponse } from './classic-group.ts'

const { NONE } = kafkaError

/** What a client of the classic protocol does, one request at a time. */
class Client {
  readonly #bench: GroupBench
  readonly #history: History
  readonly instanceId: string | null
  readonly name: string
  memberId = ''
  generation = -1
  state: 'out' | 'joined' | 'stable' = 'out'
  busy = false
  gone = false
  #toAssign: JoinResponse['members'] | undefined

  constructor(bench: GroupBench, history: History, name: string, instanceId: string | null) {
    this.#bench = bench
    this.#history = history
    this.name = name
    this.instanceId = instanceId
  }

  /** The next thing that a well-behaved client does; `restless` makes it join again for no reason. */
  step(restless: boolean): void {
    if (this.busy || this.gone) return
    this.busy = true
    const done = () => (this.busy = false)
    if (this.state === 'out' || (restless && this.state === 'stable')) void this.#join().then(done)
    else if (this.state === 'joined') void this.#sync().then(done)
    else void this.#beat().then(done)
  }

  async leave(): Promise<void> {
    this.gone = true
    const { memberId, instanceId: groupInstanceId } = this
    await this.#bench.coordinator.leaveGroup('g', [{ memberId, groupInstanceId, reason: null }])
  }

  /** Its connection is gone: what it has asked will not be answered. */
  disconnected(): void {
    this.busy = false
    if (this.state === 'joined') this.state = 'out'
  }

  async #join(): Promise<void> {
    const { memberId, instanceId: groupInstanceId } = this
    const response = await this.#bench.join({ memberId, groupInstanceId })
    if (this.gone) return
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
    const leads = response.leader === this.memberId && response.skipAssignment !== true
    this.#toAssign = leads ? response.members : undefined
  }

  async #sync(): Promise<void> {
    const { memberId, generation, instanceId: groupInstanceId } = this
    const assignments = (this.#toAssign ?? []).map((member) => ({
      memberId: member.memberId,
      assignment: Buffer.from(`${generation}/${member.groupInstanceId ?? member.memberId}`),
    }))
    const request = { memberId, groupInstanceId, generationId: generation, assignments }
    const response = await this.#bench.sync(request)
    if (this.gone) return
    if (response.errorCode !== NONE) {
      this.#lost(response.errorCode)
      return
    }
    this.state = 'stable'
    this.#history.assigned(generation, this, response.assignment.toString())
  }

  async #beat(): Promise<void> {
    const code = await this.#bench.classicHeartbeat(this.memberId, this.generation, this.instanceId)
    if (code !== NONE) this.#lost(code)
  }

  #lost(code: number): void {
    this.state = 'out'
    const isForgotten = code === kafkaError.UNKNOWN_MEMBER_ID
    const isFenced = code === kafkaError.FENCED_INSTANCE_ID
    if (isForgotten) this.memberId = ''
    if (isFenced) this.gone = true
  }
}

/** Everything that was assigned, checked as it comes. */
class History {
  readonly #byGeneration = new Map<number, Map<string, string>>()

  /** Each member gets what the leader of this very generation meant for it, nobody else's. */
  assigned(generation: number, client: Client, assignment: string): void {
    const identity = client.instanceId ?? client.memberId
    if (assignment !== '') expect(assignment).toBe(`${generation}/${identity}`)
    let of = this.#byGeneration.get(generation)
    if (of === undefined) this.#byGeneration.set(generation, (of = new Map<string, string>()))
    const before = of.get(identity)
    if (before !== undefined) expect(assignment).toBe(before)
    of.set(identity, assignment)
  }

  get generations(): number {
    return this.#byGeneration.size
  }
}

type Action =
  | { kind: 'step'; client: number; restless: boolean }
  | { kind: 'leave'; client: number }
  | { kind: 'crash'; client: number }
  | { kind: 'wait'; ms: number }
  | { kind: 'hold' }
  | { kind: 'release' }
  | { kind: 'restart'; kept: number }

const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 20,
    arbitrary: fc.record({
      kind: fc.constant('step' as const),
      client: fc.nat({ max: 4 }),
      restless: fc.integer({ min: 0, max: 9 }).map((chance) => chance === 0),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('leave' as const), client: fc.nat({ max: 4 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('crash' as const), client: fc.nat({ max: 4 }) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('wait' as const),
      ms: fc.constantFrom(0, 1, 1000, 4000, 11_000, 31_000),
    }),
  },
  { weight: 2, arbitrary: fc.constant({ kind: 'hold' as const }) },
  { weight: 3, arbitrary: fc.constant({ kind: 'release' as const }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('restart' as const), kept: fc.nat({ max: 2 }) }),
  },
)

describe('any history of a classic group', () => {
  it('gives each member of a generation what its leader meant for it, and ends stable', async () => {
    let generations = 0
    await fc.assert(
      fc.asyncProperty(
        fc.array(action, { minLength: 60, maxLength: 160, size: 'max' }),
        async (actions) => {
          const bench = new GroupBench({ t: 4 })
          const history = new History()
          let count = 0
          const newClient = (slot: number) => {
            count += 1
            return new Client(bench, history, `c${count}`, slot === 0 ? 'static' : null)
          }
          const clients = Array.from({ length: 5 }, (_, slot) => newClient(slot))
          for (const next of actions) {
            await perform(bench, clients, newClient, next)
            await bench.settled()
          }
          bench.log.unhold()
          await expectRest(bench, clients)
          generations += history.generations
        },
      ),
      { seed: 11, numRuns: 80 },
    )
    expect(generations).toBeGreaterThan(150)
  }, 60_000)
})

async function perform(
  bench: GroupBench,
  clients: Client[],
  newClient: (slot: number) => Client,
  next: Action,
): Promise<void> {
  switch (next.kind) {
    case 'step':
      clients[next.client]?.step(next.restless)
      return
    case 'leave':
      void clients[next.client]?.leave()
      clients[next.client] = newClient(next.client)
      return
    case 'crash': {
      const client = clients[next.client]
      if (client !== undefined) client.gone = true
      clients[next.client] = newClient(next.client)
      return
    }
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
      for (const client of clients) client.disconnected()
  }
}

/** Left alone, everybody who is there gets an assignment of the same generation. */
async function expectRest(bench: GroupBench, clients: readonly Client[]): Promise<void> {
  for (let round = 0; round < 60; round++) {
    for (const client of clients) client.step(false)
    await bench.advance(1000)
  }
  const present = clients.filter(({ gone }) => !gone)
  expect(new Set(present.map(({ state }) => state))).toEqual(new Set(['stable']))
  expect(new Set(present.map(({ generation }) => generation)).size).toBe(1)
  const described = await bench.coordinator.describeGroup('g', 6)
  if (!('members' in described)) throw new Error(described.error)
  expect(described.groupState).toBe('Stable')
  expect(described.members.map(({ memberId }) => memberId).sort()).toEqual(
    present.map(({ memberId }) => memberId).sort(),
  )
}
