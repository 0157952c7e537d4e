import { OptionError } from '../errors.ts'
import { silentLog } from '../observe/index.ts'
import type { Log } from '../observe/index.ts'
import { createNodePlatform } from '../platform/index.ts'
import type { Platform } from '../platform/index.ts'
import { accessRules } from './authorization/access-rules.ts'
import { guard } from './authorization/gate.ts'
import type { Cluster } from './cluster/cluster.ts'
import { openCore } from './core.ts'
import type { BrokerCore } from './core.ts'
import type { Handler } from './handler/handler.ts'
import { handlers as allHandlers } from './handler/handlers.ts'
import { checkBrokerOptions, offeredMechanisms } from './options.ts'
import type { BrokerOptions } from './options.ts'
import { releaseOf } from './release/release.ts'
import { servedApis } from './release/served-apis.ts'
import { parseScramCredential } from './security/scram-credential.ts'
import { createLogins } from './security/logins.ts'
import type { Logins } from './security/logins.ts'
import { createPrincipalMapping } from './security/principal-mapping.ts'
import { TokenVerifier } from './security/token-verifier.ts'
import { createUsers } from './security/users.ts'
import type { Users } from './security/users.ts'
import type { ConnectionLimits } from './server/connection.ts'
import { Dispatcher } from './server/dispatcher.ts'
import { Interceptors } from './server/interception.ts'
import { NodeServer } from './server/node-server.ts'

/** A node as the cluster sees it, which changes as it is stopped and started. */
interface NodeState {
  readonly id: number
  readonly host: string
  readonly rack: string | null
  port: number
  running: boolean
}

interface BrokerParts {
  readonly options: BrokerOptions
  readonly platform: Platform
  readonly log: Log
  readonly core: BrokerCore
  readonly nodes: readonly NodeState[]
  readonly handlers: readonly Handler[]
  readonly failure: Promise<Error>
}

/** Enough for a client that pipelines, too little for one that floods. */
const requestsInFlightMax = 64
const bytesInFlightMax = 64 * 1024 * 1024

/**
 * An embedded Kafka broker.
 *
 * - *running* from `startBroker` on; its nodes can be stopped and started meanwhile.
 * - *failed*: the disk has refused what the broker relies on. Nobody can say what is on it, so nothing
 *   more is answered: connections are cut, nodes do not listen. A new broker on the same data folder
 *   finds out what is there.
 * - *closed* after `close`.
 */
export class EmbeddedBroker implements AsyncDisposable {
  /** Stand between requests and their handlers. */
  readonly interceptors = new Interceptors()
  readonly #parts: BrokerParts
  readonly #servers: ReadonlyMap<number, NodeServer>
  #closing: Promise<void> | undefined

  constructor(parts: BrokerParts) {
    this.#parts = parts
    const users = usersOf(parts)
    const logins = users === undefined ? undefined : loginsOf(parts, users)
    const byKey = new Map(guardedHandlers(parts).map((handler) => [handler.api.key, handler]))
    this.#servers = new Map(
      parts.nodes.map(({ id }) => {
        const dispatcher = new Dispatcher({
          broker: parts.core.broker,
          nodeId: id,
          handlers: byKey,
          interceptors: this.interceptors,
          users,
          log: parts.log,
        })
        return [id, this.#server(id, dispatcher, logins)]
      }),
    )
    void parts.failure.then(() => this.#stopNodes('abruptly'))
  }

  /** Resolves when the broker has failed, with the reason; never, if it does not. */
  get failure(): Promise<Error> {
    return this.#parts.failure
  }

  /** What clients are told to connect to first: the running nodes, separated by commas. */
  get bootstrap(): string {
    return this.#parts.nodes
      .filter((node) => node.running)
      .map(({ host, port }) => `${host.includes(':') ? `[${host}]` : host}:${port}`)
      .join(',')
  }

  get cluster(): Cluster {
    return this.#parts.core.cluster
  }

  /** What the broker does from time to time, to be done now. */
  get housekeeping(): BrokerCore['housekeeping'] {
    return this.#parts.core.housekeeping
  }

  get groups(): BrokerCore['broker']['groups'] {
    return this.#parts.core.broker.groups
  }

  get transactions(): BrokerCore['broker']['transactions'] {
    return this.#parts.core.broker.transactions
  }

  /**
   * Lets a node listen, on the port that it had before, and lead what it can lead. Answers its port.
   */
  async startNode(id: number): Promise<number> {
    const node = this.#node(id)
    if (node.running && node.port !== 0) return node.port
    const { options, core } = this.#parts
    const server = this.#servers.get(id)
    node.port = (await server?.start(options.host ?? '127.0.0.1', node.port)) ?? node.port
    node.running = true
    core.cluster.followNodes()
    return node.port
  }

  /**
   * Takes a node away; other replicas of its partitions lead on. `abruptly` cuts its connections
   * where they are, as the death of a process would.
   */
  async stopNode(id: number, how: 'gently' | 'abruptly' = 'gently'): Promise<void> {
    const node = this.#node(id)
    if (!node.running) return
    node.running = false
    const stopped = this.#servers.get(id)?.stop(how === 'gently')
    this.#parts.core.cluster.followNodes()
    await stopped
  }

  /** Cuts the connections of a node, or of all; new ones are accepted. */
  dropConnections(id?: number): void {
    for (const [nodeId, server] of this.#servers) {
      if (id === undefined || id === nodeId) server.dropConnections()
    }
  }

  /** Answers what was received, makes everything durable, and lets go of ports and files. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #close(): Promise<void> {
    const stopping = this.#stopNodes('gently')
    await this.#parts.core.close()
    await stopping
  }

  /** All at once: leaders need not move, because nobody is left to lead. */
  async #stopNodes(how: 'gently' | 'abruptly'): Promise<void> {
    for (const node of this.#parts.nodes) node.running = false
    const servers = [...this.#servers.values()]
    await Promise.all(servers.map((server) => server.stop(how === 'gently')))
  }

  #node(id: number): NodeState {
    const node = this.#parts.nodes.find((candidate) => candidate.id === id)
    if (node !== undefined) return node
    const known = this.#parts.nodes.map((other) => other.id).join()
    throw new OptionError('node', `(${id}) is unknown; known are ${known}`)
  }

  #server(nodeId: number, dispatcher: Dispatcher, logins: Logins | undefined): NodeServer {
    const { options, platform, log, core } = this.#parts
    const { config } = core.broker
    const limits = (): ConnectionLimits => ({
      requestBytesMax: config.socketRequestMaxBytes,
      requestsInFlightMax,
      bytesInFlightMax,
      idleMs: config.connectionsMaxIdleMs,
    })
    return new NodeServer({
      nodeId,
      platform,
      log,
      limits,
      connectionsMax: () => config.maxConnections,
      tls: options.tls,
      logins,
      certificateUser: createPrincipalMapping(options.principalMappingRules),
      dispatcher,
      buffers: this.#parts.core.broker.buffers,
    })
  }
}

/** Without an authorizer nothing stands before the handlers. */
function guardedHandlers({ core, handlers }: BrokerParts): readonly Handler[] {
  if (core.broker.authorizer === undefined) return handlers
  const rules = new Map(accessRules.map((rule) => [rule.api.key, rule]))
  return handlers.map((handler) => {
    const rule = rules.get(handler.api.key)
    if (rule === undefined) throw new Error(`${handler.api.name} has no access rule`)
    return guard(handler, rule)
  })
}

function loginsOf({ options, core, platform }: BrokerParts, users: Users): Logins {
  const { oauth } = options
  return createLogins({
    mechanisms: offeredMechanisms(options),
    users,
    tokens: oauth === undefined ? undefined : new TokenVerifier(oauth, platform.clock),
    lifetimeMsMax: () => core.broker.config.connectionsMaxReauthMs,
  })
}

/** Users are asked for when some were given, or tokens; those set at run time count as well then. */
function usersOf({ options, core, platform }: BrokerParts): Users | undefined {
  const mechanisms = offeredMechanisms(options)
  if (mechanisms.length === 0) return undefined
  return createUsers({
    passwords: new Map(Object.entries(options.users ?? {})),
    mechanisms,
    storedCredential: (mechanism, user) => {
      const text = core.cluster.dynamicSettings('scram', user).get(mechanism)
      return text === undefined ? undefined : parseScramCredential(text)
    },
    random: platform.random,
  })
}

/** Starts an embedded Kafka broker; resolves when all its nodes listen. */
export async function startBroker(options: BrokerOptions = {}): Promise<EmbeddedBroker> {
  checkBrokerOptions(options)
  const { nodes: nodeCount = 1, host = '127.0.0.1', advertisedHost = host, port = 0 } = options
  const platform = options.platform ?? createNodePlatform()
  const log = options.log ?? silentLog
  const nodes = Array.from({ length: nodeCount }, (_, index): NodeState => ({
    id: index + 1,
    host: advertisedHost,
    rack: null,
    port: port === 0 ? 0 : port + index,
    running: true,
  }))
  let storageFailed: (error: Error) => void = () => undefined
  const failure = new Promise<Error>((resolve) => {
    storageFailed = resolve
  })
  const release = options.asVersion === undefined ? undefined : releaseOf(options.asVersion)
  const { handlers, advertised: served } = servedApis(allHandlers, release)
  const core = await openCore({ options, platform, log, nodes, served, release, storageFailed })
  const broker = new EmbeddedBroker({ options, platform, log, core, nodes, handlers, failure })
  try {
    for (const node of nodes) {
      node.running = false
      await broker.startNode(node.id)
    }
  } catch (error) {
    await broker.close()
    throw error
  }
  core.housekeeping.start()
  return broker
}
