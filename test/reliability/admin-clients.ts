/** Administrations of the library, and a simulated world for them. */
import { Admin, mayHaveTakenEffect } from '../../src/client/admin/index.ts'
import type { Done } from '../../src/client/admin/index.ts'
import { KafkaError } from '../../src/client/client-error.ts'
import type { KafkaCluster } from '../../src/client/cluster/kafka-cluster.ts'
import type { History, ScenarioResult, Simulation } from '../../src/testing/index.ts'
import { client, simulateBroker, simulated } from './broker-simulation.ts'
import { connectCluster } from './transactional-clients.ts'

const { brokerHost, port, topic, workMs } = simulated

/** How many calls have ended in each way. */
export interface CallCounts {
  done: number
  /** Done, by what the state showed after a lost answer. */
  inferred: number
  failed: number
  unknown: number
}

/** What is known of something: every value that it may have; undefined is that it is not there. */
type Possible<Value> = readonly (Value | undefined)[]

/**
 * Changes topics and offsets of groups, and knows after each call what it was told: done, not done, or
 * not known. In the end the cluster must be as it was told.
 *
 * What was sent and not answered may take effect at any later time. So what is not known of is left alone:
 * whatever was done to it next, the request before could undo.
 */
class AdministeringClient {
  readonly #cluster: KafkaCluster
  readonly #admin: Admin
  readonly #name: string
  readonly #goesOn: () => boolean
  readonly #counts: CallCounts
  /** The number of partitions of each topic that it has made. */
  readonly #topics = new Map<string, Possible<number>>()
  /** The offset of each group that it has made. */
  readonly #groups = new Map<string, Possible<number>>()
  #number = 0

  constructor(cluster: KafkaCluster, name: string, goesOn: () => boolean, counts: CallCounts) {
    this.#cluster = cluster
    this.#admin = new Admin(cluster)
    this.#name = name
    this.#goesOn = goesOn
    this.#counts = counts
  }

  async run(): Promise<void> {
    const { clock, random } = this.#cluster.platform
    while (this.#goesOn()) {
      const known = [...this.#topics].filter(([, [count, ...others]]) => {
        return count !== undefined && others.length === 0
      })
      const chosen = known[random.integer(Math.max(known.length, 1))]?.[0]
      const kind = random.integer(4)
      if (kind === 0) await this.#commit()
      else if (chosen === undefined || kind === 1) await this.#create()
      else if (kind === 2) await this.#delete(chosen)
      else await this.#grow(chosen)
      await clock.sleep(random.integer(80))
    }
    // What was sent and not answered may still be on its way.
    await clock.sleep(10_000)
    await this.#verify()
  }

  async #create(): Promise<void> {
    const { random } = this.#cluster.platform
    const name = `${this.#name}-${this.#number++}`
    const partitions = 1 + random.integer(3)
    const configs = { 'retention.ms': 1_000 * random.integer(9) }
    const created = this.#admin.topics.create({ name, partitions, configs }, this.#patience())
    this.#topics.set(name, await this.#outcome(created, [undefined], partitions))
  }

  async #delete(name: string): Promise<void> {
    const deleted = this.#admin.topics.delete(name, this.#patience())
    this.#topics.set(name, await this.#outcome(deleted, this.#topics.get(name) ?? [], undefined))
  }

  async #grow(name: string): Promise<void> {
    const known = this.#topics.get(name) ?? []
    const count = Math.max(...known.map((each) => each ?? 0)) + 1
    const grown = this.#admin.topics.addPartitions({ topic: name, count }, this.#patience())
    this.#topics.set(name, await this.#outcome(grown, known, count))
  }

  async #commit(): Promise<void> {
    const known = [...this.#groups].find(([, possible]) => possible.length === 1)
    const [group, before] = known ?? [`${this.#name}-${this.#number++}`, [undefined]]
    const offset = this.#number++
    const offsets = [{ topic, partition: 0, offset }]
    const altered = this.#admin.groups
      .alterOffsets(group, offsets, this.#patience())
      .then(([result]) => {
        if (result?.error !== undefined) throw result.error
        return { answerWasLost: false }
      })
    this.#groups.set(group, await this.#outcome(altered, before, offset))
  }

  /** From hardly enough for one attempt to enough for many. */
  #patience(): { readonly timeoutMs: number } {
    return { timeoutMs: 50 + 2 ** this.#cluster.platform.random.integer(14) }
  }

  /** What may be after a call that takes what was to `wanted`. */
  async #outcome<Value>(
    call: Promise<Done>,
    before: Possible<Value>,
    wanted: Value | undefined,
  ): Promise<Possible<Value>> {
    try {
      const { answerWasLost } = await call
      this.#counts[answerWasLost ? 'inferred' : 'done'] += 1
      return [wanted]
    } catch (error) {
      if (mayHaveTakenEffect(error)) {
        this.#counts.unknown += 1
        return [...before, wanted]
      }
      // Nothing but time runs out here: a refusal would be of something that we have done ourselves.
      if ((error as { retriable?: unknown }).retriable !== true) throw error
      this.#counts.failed += 1
      return before
    }
  }

  async #verify(): Promise<void> {
    const found = await this.#admin.topics.describeMany([...this.#topics.keys()])
    for (const [name, possible] of this.#topics) {
      const result = found.get(name)
      if (result?.error !== undefined && !isUnknownTopic(result.error)) throw result.error
      const count = result?.error === undefined ? result?.partitions.length : undefined
      if (!possible.includes(count)) throw wrong(`topic ${name}`, count, possible)
    }
    for (const [group, possible] of this.#groups) {
      const offsets = await this.#admin.groups.offsets(group)
      const [committed] = offsets.map((each) => (each.error === undefined ? each.offset : -1))
      if (!possible.includes(committed)) throw wrong(`group ${group}`, committed, possible)
    }
  }
}

function isUnknownTopic(error: Error): boolean {
  return error instanceof KafkaError && error.kafkaName === 'UNKNOWN_TOPIC_OR_PARTITION'
}

function wrong(what: string, found: number | undefined, possible: Possible<number>): Error {
  const list = possible.map((each) => String(each ?? 'nothing')).join(' or ')
  return new Error(`${what} is ${String(found ?? 'nothing')}, and was said to be ${list}`)
}

/** Administrations of a broker to which everything happens. What they were told must be so in the end. */
export async function simulateAdministrations(
  seed: number,
): Promise<ScenarioResult & { readonly history: History; readonly counts: CallCounts }> {
  const counts: CallCounts = { done: 0, inferred: 0, failed: 0, unknown: 0 }
  const replay = (again: number) => `npm run simulate -- --administrations --seed ${again}`
  const load = (simulation: Simulation) => {
    const goesOn = () => simulation.nowMs < workMs
    for (const number of [1, 2, 3]) {
      client(simulation, `administration-${number}`, async ({ platform }, name) => {
        const address = { platform, host: brokerHost, port, clientId: name }
        await using cluster = connectCluster(address)
        await new AdministeringClient(cluster, name, goesOn, counts).run()
      })
    }
  }
  const result = await simulateBroker(seed, load, replay, () => undefined)
  return { ...result, counts }
}
