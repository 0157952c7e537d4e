import type { EmbeddedBroker, InterceptedRequest, Outcome } from '../../../src/broker/index.ts'
import { closeConnection } from '../../../src/broker/index.ts'
import type { Platform } from '../../../src/platform/index.ts'
import type { Tell } from './narration.ts'
import type { Tally } from './exercised.ts'

/** What befalls the cluster, besides what befalls machines, processes and the network. */
const kinds = [
  'leader moved',
  'leader moved',
  'coordinator moved',
  'coordinator moved',
  'node stopped',
  'node connections cut',
  'session expired',
  'session expired',
  'requests lost',
  'answers lost',
  'answers lost',
  'requests delayed',
  'answers delayed',
] as const
type Kind = (typeof kinds)[number]

/** For a while some requests, all of one API or of any, at one node or at any, meet with a fault. */
interface Spell {
  readonly kind: Kind
  readonly untilMs: number
  readonly apiKey: number | undefined
  readonly nodeId: number | undefined
}

const pauseMs = 250
const spellMs = 600
const delayMsMax = 500

export interface ClusterFaultsOptions {
  readonly broker: EmbeddedBroker
  readonly platform: Platform
  readonly goesOn: () => boolean
  readonly tally: Tally
  readonly tell: Tell
}

/**
 * Moves leaders and coordinators, stops nodes, ends sessions, and loses and delays requests and answers. It lives
 * in the process of the broker, and is gone with it.
 */
export class ClusterFaults {
  readonly #options: ClusterFaultsOptions
  readonly #members = new Map<string, { readonly groupId: string; readonly memberId: string }>()
  readonly #seenApis = new Set<number>()
  #spells: Spell[] = []
  #isOver = false

  constructor(options: ClusterFaultsOptions) {
    this.#options = options
    options.broker.interceptors.add((request, proceed) => this.#intercept(request, proceed))
  }

  /** Whether all nodes run, and nothing more befalls them. */
  get isOver(): boolean {
    return this.#isOver
  }

  async run(): Promise<void> {
    const { platform, goesOn, tally, tell } = this.#options
    const { clock, random } = platform
    for (;;) {
      await clock.sleep(50 + random.integer(pauseMs))
      if (!goesOn()) break
      const kind = kinds[random.integer(kinds.length)] as Kind
      const what = await this.#befall(kind)
      if (what === undefined) continue
      tally.count('cluster', kind)
      tell('cluster', () => `${kind}: ${what}`)
    }
    this.#isOver = true
  }

  /** Answers what it has befallen; undefined when there was nothing. */
  async #befall(kind: Kind): Promise<string | undefined> {
    const { broker, platform } = this.#options
    const nodes = broker.cluster.nodes.filter(({ running }) => running)
    const node = nodes[platform.random.integer(Math.max(1, nodes.length))]
    if (node === undefined) return undefined
    switch (kind) {
      case 'leader moved':
        return this.#moveLeader(false, node.id)
      case 'coordinator moved':
        return this.#moveLeader(true, node.id)
      case 'node stopped':
        return this.#stopNode(node.id)
      case 'node connections cut':
        broker.dropConnections(node.id)
        return `of node ${node.id}`
      case 'session expired':
        return this.#expireSession()
      default:
        return this.#castSpell(kind, node.id)
    }
  }

  #moveLeader(ofCoordinators: boolean, nodeId: number): string | undefined {
    const { broker, platform } = this.#options
    const partitions = [...broker.cluster.topics()]
      .filter(({ internal }) => internal === ofCoordinators)
      .flatMap((topic) => topic.partitions)
      .filter(({ leader }) => leader !== nodeId)
    const partition = partitions[platform.random.integer(Math.max(1, partitions.length))]
    if (partition === undefined) return undefined
    broker.cluster.moveLeader(partition, nodeId)
    return `${partition.topic.name}-${partition.index} to node ${nodeId}`
  }

  async #stopNode(nodeId: number): Promise<string> {
    const { broker, platform } = this.#options
    const how = platform.random.integer(2) === 0 ? 'gently' : 'abruptly'
    const stopped = broker.stopNode(nodeId, how)
    await Promise.race([stopped, platform.clock.sleep(200)])
    await platform.clock.sleep(platform.random.integer(300))
    await stopped
    await broker.startNode(nodeId)
    return `node ${nodeId}, ${how}`
  }

  async #expireSession(): Promise<string | undefined> {
    const { broker, platform } = this.#options
    const members = [...this.#members.values()]
    const member = members[platform.random.integer(Math.max(1, members.length))]
    if (member === undefined) return undefined
    const { groupId, memberId } = member
    this.#members.delete(memberId)
    return (await broker.groups.expireMember(groupId, memberId)) ? memberId : undefined
  }

  #castSpell(kind: Kind, nodeId: number): string {
    const { clock, random } = this.#options.platform
    const apis = [...this.#seenApis]
    const apiKey = random.integer(2) === 0 ? apis[random.integer(apis.length)] : undefined
    const spell = {
      kind,
      untilMs: clock.elapsedMs() + random.integer(spellMs),
      apiKey,
      nodeId: random.integer(2) === 0 ? nodeId : undefined,
    }
    this.#spells = [...this.#spells.filter(({ untilMs }) => untilMs > clock.elapsedMs()), spell]
    return `api ${apiKey ?? 'any'}, node ${spell.nodeId ?? 'any'}`
  }

  async #intercept(request: InterceptedRequest, proceed: () => Promise<Outcome>): Promise<Outcome> {
    this.#note(request)
    const kind = this.#spellOn(request)
    if (kind === undefined) return proceed()
    const { tally, tell, platform } = this.#options
    const { clock, random } = platform
    tally.count('requests', kind)
    tell(`node ${request.nodeId}`, () => `${kind}: ${request.apiName} of ${request.clientId}`)
    if (kind === 'requests lost') return closeConnection
    if (kind === 'requests delayed') await clock.sleep(random.integer(delayMsMax))
    const outcome = await proceed()
    if (kind === 'answers lost') return closeConnection
    if (kind === 'answers delayed') await clock.sleep(random.integer(delayMsMax))
    return outcome
  }

  #note({ apiKey, body }: InterceptedRequest): void {
    this.#seenApis.add(apiKey)
    const { groupId, memberId } = body as { groupId?: unknown; memberId?: unknown }
    if (typeof groupId !== 'string' || typeof memberId !== 'string' || memberId === '') return
    this.#members.set(memberId, { groupId, memberId })
  }

  #spellOn(request: InterceptedRequest): Kind | undefined {
    if (this.#spells.length === 0) return undefined
    const { clock, random } = this.#options.platform
    const nowMs = clock.elapsedMs()
    const spell = this.#spells.find(
      ({ untilMs, apiKey, nodeId }) =>
        untilMs > nowMs &&
        (apiKey === undefined || apiKey === request.apiKey) &&
        (nodeId === undefined || nodeId === request.nodeId),
    )
    return spell !== undefined && random.integer(3) === 0 ? spell.kind : undefined
  }
}
