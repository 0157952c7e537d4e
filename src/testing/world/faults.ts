import { closeConnection } from '../../broker/index.ts'
import type { InterceptedRequest, Outcome } from '../../broker/index.ts'
import { createClient } from '../../client/index.ts'
import type { AssignorName } from '../../client/index.ts'
import { OptionError } from '../../errors.ts'
import { nearest } from '../../nearest.ts'
import { silentLog } from '../../observe/index.ts'
import type { Clock, Platform } from '../../platform/index.ts'
import { apis } from '../../protocol/index.ts'
import type { Simulation } from '../simulation/simulation.ts'
import type { ApiName } from '../test-broker.ts'
import { errorText } from './error-text.ts'
import { surveyGroups } from './group-survey.ts'
import type { GroupView } from './group-survey.ts'
import { brokerHost } from './world-broker.ts'
import type { WorldBroker } from './world-broker.ts'
import type { WorldWorker } from './world-worker.ts'

/** Something that goes wrong because a test has asked for it. */
export interface Fault {
  /** What was asked for, `crashAtNextCommit('fulfilment')`. */
  readonly name: string
  /** `armed`: it waits for its moment. `under way`: it takes time. `over`: it has happened. */
  readonly state: 'armed' | 'under way' | 'over' | 'cancelled'
  /** Takes it back while it is armed, ends it when it is under way. */
  cancel(): void
}

/** Which answer is meant. */
export interface AnswerChoice {
  /** The request that it answers, `'Produce'`. */
  readonly api: ApiName
  /** A service or one process of it. @defaultValue any of the services */
  readonly service?: string
}

interface Armed {
  readonly fault: WorldFault
  readonly matches: (request: InterceptedRequest) => boolean
  readonly happen: (
    proceed: () => Promise<Outcome>,
    worker: WorldWorker,
  ) => Outcome | Promise<Outcome>
}

interface Visit {
  readonly platform: Platform
  readonly name: string
  readonly group: string
  readonly forMs: number
  readonly isCancelled: () => boolean
}

export interface WorldFaultsParts {
  readonly simulation: Simulation
  readonly broker: WorldBroker
  readonly workers: readonly WorldWorker[]
}

/** What commits offsets, by Kafka's names. */
const commits = new Set(['OffsetCommit', 'TxnOffsetCommit'])
const longestMs = 24 * 3_600_000

/**
 * What can go wrong in a world, by name. A fault that waits for its moment happens once; `quiet` refuses to resolve while
 * one of them has not happened, so that no test passes because nothing went wrong.
 *
 * A service is meant by its name, `'fulfilment'`, or one process of it, `'fulfilment-2'`.
 */
export class WorldFaults {
  readonly #parts: WorldFaultsParts
  readonly #armed: Armed[] = []
  readonly #all: WorldFault[] = []
  #visitorCount = 0

  /** Use `startWorld`. */
  constructor(parts: WorldFaultsParts) {
    this.#parts = parts
  }

  /** Kills the processes of a service now, as `kill -9` does. */
  crash(service: string): Fault {
    for (const worker of this.#workersOf(service)) worker.kill()
    return this.#add(`crash('${service}')`, 'over')
  }

  /** Kills the process of a service that commits next, just before: the commit is not made. */
  crashAtNextCommit(service: string): Fault {
    return this.#arm(`crashAtNextCommit('${service}')`, this.#commitOf(service), (_, worker) => {
      worker.kill()
      return closeConnection
    })
  }

  /** Kills the process of a service that commits next, just after: the commit is made, and nobody knows. */
  crashAfterNextCommit(service: string): Fault {
    const name = `crashAfterNextCommit('${service}')`
    return this.#arm(name, this.#commitOf(service), async (proceed, worker) => {
      await proceed()
      worker.kill()
      return closeConnection
    })
  }

  /** The next request of this kind takes effect, and its answer is lost with the connection. */
  loseNextAnswer(choice: AnswerChoice): Fault {
    const name = `loseNextAnswer(${shownChoice(choice)})`
    return this.#arm(name, this.#requestOf(choice), async (proceed) => {
      await proceed()
      return closeConnection
    })
  }

  /** The next request of this kind is lost with the connection before it has any effect. */
  loseNextRequest(choice: AnswerChoice): Fault {
    const name = `loseNextRequest(${shownChoice(choice)})`
    return this.#arm(name, this.#requestOf(choice), () => closeConnection)
  }

  /** The next request of this kind takes effect, and is answered so much later. */
  delayNextAnswer(choice: AnswerChoice & { readonly byMs: number }): Fault {
    const byMs = checkedTime(choice.byMs, 'byMs')
    const name = `delayNextAnswer(${shownChoice(choice)})`
    return this.#arm(name, this.#requestOf(choice), async (proceed) => {
      const outcome = await proceed()
      await new Promise<void>((resolve) => this.#parts.simulation.after(byMs, resolve))
      return outcome
    })
  }

  /**
   * Stops the processes of a service (SIGSTOP), and lets them go on after this time. Beyond their session others take
   * over; what a process had read it then runs once more before it hears of that, as it does outside.
   */
  pause(service: string, forMs: number): Fault {
    const paused = this.#workersOf(service).map(({ process }) => process)
    for (const process of paused) process?.pause()
    return this.#lasts(`pause('${service}', ${forMs})`, forMs, () => {
      for (const process of paused) process?.resume()
    })
  }

  /** No service reaches the broker for this time: what is sent meanwhile arrives late or never. */
  outage(forMs: number): Fault {
    const hosts = this.#parts.workers.map(({ name }) => name)
    const heal = this.#parts.simulation.network.partition(hosts, [brokerHost])
    return this.#lasts(`outage(${forMs})`, forMs, heal)
  }

  /**
   * A stranger joins a group, takes the partitions that it is given without reading them, and leaves after this time:
   * two rebalances.
   */
  rebalance(group: string, forMs = 1_000): Fault {
    const fault = this.#add(`rebalance('${group}')`, 'under way')
    this.#visitorCount += 1
    const visit = {
      name: `visitor-${this.#visitorCount}`,
      ...{
        group,
        forMs: checkedTime(forMs, 'forMs'),
        isCancelled: () => fault.state === 'cancelled',
      },
    }
    const host = this.#parts.simulation.host(visit.name)
    const process = host.start(visit.name, (platform) => this.#visit({ platform, ...visit }), {
      mayFail: true,
    })
    process.atEnd(() => {
      if (process.state === 'failed') fault.fail(process.failure)
      else fault.become('over')
    })
    return fault
  }

  /** Kills the broker and starts it again on what it had on its disk. */
  restartBroker(): Fault {
    const fault = this.#add('restartBroker()', 'under way')
    this.#parts.broker.restart()
    this.#when(
      () => this.#parts.broker.running !== undefined,
      () => fault.become('over'),
    )
    return fault
  }

  /** Takes a node of the broker away for this time; others lead what it led. */
  stopNode(id: number, forMs: number): Fault {
    const { broker } = this.#parts
    const running = broker.running
    if (running?.cluster.nodes.some((node) => node.id === id) !== true) {
      const ids = running?.cluster.nodes.map((node) => node.id).join(', ')
      throw new OptionError('stopNode', `(${id}) is no node; there are ${ids ?? 'none yet'}`)
    }
    const process = broker.process
    process?.later(0, 'fault.stopNode', () => void running.stopNode(id, 'abruptly'))
    return this.#lasts(`stopNode(${id}, ${forMs})`, forMs, () => {
      process?.later(0, 'fault.startNode', () => void running.startNode(id))
    })
  }

  /** Those that have not happened yet, or have not come to their end. */
  get pending(): readonly Fault[] {
    return this.#all.filter(({ state }) => state === 'armed' || state === 'under way')
  }

  /** What went wrong with a fault itself. @internal */
  get failure(): Error | undefined {
    return this.#all.find(({ failure }) => failure !== undefined)?.failure
  }

  /** Lets a fault happen to a request that it waits for. @internal */
  intercept(request: InterceptedRequest, proceed: () => Promise<Outcome>): Promise<Outcome> {
    const worker = this.#parts.workers.find(({ name }) => name === request.clientId)
    const index = this.#armed.findIndex(({ matches }) => matches(request))
    const armed = this.#armed[index]
    if (worker === undefined || armed === undefined) return proceed()
    this.#armed.splice(index, 1)
    armed.fault.become('over')
    return Promise.resolve(armed.happen(proceed, worker))
  }

  async #visit({ platform, name, group, forMs, isCancelled }: Visit): Promise<void> {
    const { broker } = this.#parts
    const { clock } = platform
    const view = await this.#groupWithin(group, clock)
    const client = createClient({
      ...{ platform, brokers: broker.addresses, clientId: name, allowPlaintext: true },
      log: silentLog,
    })
    const consumer = client.consumer({
      groupId: group,
      groupProtocol: view.protocol,
      ...(view.assignor !== '' && { assignors: [view.assignor as AssignorName] }),
      offsetReset: 'latest',
      onAssigned: (partitions) => consumer.pause(partitions),
    })
    consumer.subscribe([...new Set(view.progress.map(({ topic }) => topic))])
    let leavesAtMs = Infinity
    while (clock.elapsedMs() < leavesAtMs && !isCancelled()) {
      await consumer.poll({ timeoutMs: visitPollMs })
      const isMember = (await this.#groupNamed(group))?.members.includes(name) === true
      if (isMember && leavesAtMs === Infinity) leavesAtMs = clock.elapsedMs() + forMs
    }
    await consumer.close()
    await client.close()
  }

  /** The group, which may have to be found again by a broker that is only just starting. */
  async #groupWithin(group: string, clock: Clock): Promise<GroupView> {
    const endMs = clock.elapsedMs() + findGroupMs
    for (;;) {
      const found = await this.#groupNamed(group)
      if (found !== undefined && found.progress.length > 0) return found
      if (clock.elapsedMs() >= endMs) break
      await clock.sleep(visitPollMs)
    }
    const { running } = this.#parts.broker
    const views = running === undefined ? [] : await surveyGroups(running)
    const known = views.map((view) => view.group).join(', ')
    throw new OptionError('group', `('${group}') reads nothing; there are ${known}`)
  }

  async #groupNamed(group: string): Promise<GroupView | undefined> {
    const { running } = this.#parts.broker
    const views = running === undefined ? [] : await surveyGroups(running)
    return views.find((view) => view.group === group)
  }

  #arm(name: string, matches: Armed['matches'], happen: Armed['happen']): Fault {
    const fault = this.#add(name, 'armed')
    const armed = { fault, matches, happen }
    this.#armed.push(armed)
    fault.whenCancelled = () => {
      const index = this.#armed.indexOf(armed)
      if (index >= 0) this.#armed.splice(index, 1)
    }
    return fault
  }

  /** Something that goes on for a time, and then is mended. */
  #lasts(name: string, forMs: number, mend: () => void): Fault {
    const fault = this.#add(name, 'under way')
    const timer = this.#parts.simulation.after(checkedTime(forMs, 'forMs'), () => {
      mend()
      fault.become('over')
    })
    fault.whenCancelled = () => {
      timer.cancel()
      mend()
    }
    return fault
  }

  #add(name: string, state: Fault['state']): WorldFault {
    const fault = new WorldFault(name, state)
    this.#all.push(fault)
    return fault
  }

  #when(isMet: () => boolean, action: () => void): void {
    this.#parts.simulation.after(lookMs, () => {
      if (isMet()) action()
      else this.#when(isMet, action)
    })
  }

  #commitOf(service: string): Armed['matches'] {
    const names = this.#namesOf(service)
    return ({ apiName, clientId }) => commits.has(apiName) && names.has(clientId)
  }

  #requestOf({ api, service }: AnswerChoice): Armed['matches'] {
    const key = apiKey(api)
    const names = this.#namesOf(service)
    return ({ apiKey: asked, clientId }) => asked === key && names.has(clientId)
  }

  #namesOf(service: string | undefined): ReadonlySet<string> {
    const { workers } = this.#parts
    const meant = service === undefined ? workers : this.#workersOf(service)
    return new Set(meant.map(({ name }) => name))
  }

  #workersOf(service: string): readonly WorldWorker[] {
    return workersOf(this.#parts.workers, service)
  }
}

const visitPollMs = 50
const findGroupMs = 10_000
const lookMs = 5

/** The processes that a name means. */
export function workersOf(workers: readonly WorldWorker[], meant: string): readonly WorldWorker[] {
  const found = workers.filter(({ name, service }) => name === meant || service === meant)
  if (found.length > 0) return found
  const known = [...new Set(workers.flatMap(({ name, service }) => [service, name]))]
  const near = nearest(meant, known)
  const hint = near === undefined ? `there are ${known.join(', ')}` : `did you mean '${near}'?`
  throw new OptionError('service', `('${meant}') is not in this world; ${hint}`)
}

class WorldFault implements Fault {
  readonly name: string
  whenCancelled: (() => void) | undefined
  failure: Error | undefined
  #state: Fault['state']

  constructor(name: string, state: Fault['state']) {
    this.name = name
    this.#state = state
  }

  get state(): Fault['state'] {
    return this.#state
  }

  become(state: 'over'): void {
    if (this.#state !== 'cancelled') this.#state = state
  }

  fail(cause: unknown): void {
    this.#state = 'over'
    this.failure = new Error(`the fault ${this.name} did not work: ${errorText(cause)}`, { cause })
  }

  cancel(): void {
    if (this.#state !== 'armed' && this.#state !== 'under way') return
    this.#state = 'cancelled'
    this.whenCancelled?.()
  }
}

function apiKey(api: ApiName): number {
  const found = apis.find(({ key, name }) => key === api || name === api)
  if (found !== undefined) return found.key
  const near = nearest(
    String(api),
    apis.map(({ name }) => name),
  )
  const hint = near === undefined ? '' : `; did you mean '${near}'?`
  throw new OptionError('api', `(${api}) is not known${hint}`)
}

function shownChoice({ api, service }: AnswerChoice): string {
  return service === undefined ? String(api) : `${api} of ${service}`
}

function checkedTime(ms: number, option: string): number {
  if (Number.isFinite(ms) && ms >= 0 && ms <= longestMs) return ms
  throw new OptionError(option, `(${ms}) must be milliseconds from 0 to ${longestMs}`)
}
