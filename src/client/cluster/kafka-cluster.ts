import type { Log } from '../../observe/index.ts'
import type { Platform, Timer } from '../../platform/index.ts'
import { ConnectionError } from '../client-error.ts'
import type { BrokerAddress, ResolvedClientOptions } from '../options.ts'
import { retry } from '../retry.ts'
import { BrokerLink, closedError } from './broker-link.ts'
import type { Broker, Cluster, ConnectionPurpose, CoordinatorKind, TopicWatch } from './cluster.ts'
import { findCoordinator } from './coordinators.ts'
import { loadMetadata } from './load-metadata.ts'
import { ClusterMetadata } from './metadata.ts'
import type { BrokerEndpoint } from './metadata.ts'
import { MissingTopics } from './missing-topics.ts'
import { TopicWatches } from './topic-watches.ts'

/** What a cluster lives in. */
export interface ClusterWorld {
  readonly platform: Platform
  readonly log: Log
}

export function createCluster(options: ResolvedClientOptions, world: ClusterWorld): KafkaCluster {
  return new KafkaCluster(options, world)
}

/**
 * A cluster as it is known: links to its brokers, its metadata, its coordinators.
 *
 * It is **unknown** at first: all that is there are the bootstrap addresses. The first answer makes it
 * **known**, and from then on the brokers that the metadata names are asked; when none of them can be
 * reached any more, the bootstrap addresses are tried again (KIP-899). `close` ends it.
 */
export class KafkaCluster implements Cluster, AsyncDisposable {
  readonly options: ResolvedClientOptions
  readonly platform: Platform
  readonly log: Log
  #metadata = ClusterMetadata.empty
  readonly #bootstrap: readonly BrokerLink[]
  readonly #links = new Map<string, BrokerLink>()
  /** Brokers that were named by something else than metadata, which follows. */
  readonly #hints = new Map<number, BrokerEndpoint>()
  readonly #coordinators = new Map<string, Promise<number>>()
  readonly #watches = new TopicWatches()
  readonly #missing: MissingTopics
  readonly #listeners = new Set<(metadata: ClusterMetadata) => void>()
  #loading: Promise<unknown> = Promise.resolve()
  #nextLoad: Promise<ClusterMetadata> | undefined
  /** The load whose failure is told: many ask for the same one. */
  #heardLoad: Promise<ClusterMetadata> | undefined
  #loadedAtMs = -Infinity
  #ageTimer: Timer | undefined
  readonly #closing = new AbortController()

  constructor(options: ResolvedClientOptions, world: ClusterWorld) {
    this.options = options
    this.platform = world.platform
    this.log = world.log
    this.#missing = new MissingTopics(world.platform.clock, world.log)
    this.#bootstrap = options.brokers.map((address, index) =>
      this.#makeLink(-1 - index, () => address),
    )
  }

  get metadata(): ClusterMetadata {
    return this.#metadata
  }

  get closed(): AbortSignal {
    return this.#closing.signal
  }

  async refreshMetadata(signal?: AbortSignal): Promise<ClusterMetadata> {
    this.#nextLoad ??= this.#loadAfter(this.#loading)
    return signal === undefined ? this.#nextLoad : unlessAborted(this.#nextLoad, signal)
  }

  metadataIsStale(): void {
    if (this.#closing.signal.aborted) return
    const refreshed = this.refreshMetadata()
    const isHeardOf = this.#nextLoad === this.#heardLoad
    this.#heardLoad = this.#nextLoad
    refreshed.catch((error: unknown) => {
      if (isHeardOf || this.#closing.signal.aborted) return
      this.log('warn', 'metadata could not be refreshed', { error: (error as Error).message })
    })
  }

  takeLeader(
    topic: string,
    partition: number,
    leaderId: number,
    leaderEpoch: number,
    endpoint?: Omit<BrokerEndpoint, 'nodeId'>,
  ): void {
    const known = this.#metadata.partition(topic, partition)
    if (known === undefined || leaderId < 0 || leaderEpoch <= known.leaderEpoch) return
    if (endpoint !== undefined) this.#hints.set(leaderId, { nodeId: leaderId, ...endpoint })
    if (this.#endpoint(leaderId) === undefined) return
    this.#publish(this.#metadata.withLeader(topic, partition, leaderId, leaderEpoch))
  }

  watchTopics(
    topics: Iterable<string> | 'all',
    options: { readonly createMissing?: boolean } = {},
  ): TopicWatch {
    return this.#watches.add(topics, options.createMissing ?? false)
  }

  onMetadata(listener: (metadata: ClusterMetadata) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  broker(nodeId: number, purpose: ConnectionPurpose): BrokerLink {
    const key = `${nodeId} ${purpose}`
    const known = this.#links.get(key)
    if (known !== undefined) return known
    const link = this.#makeLink(nodeId, () => this.#endpoint(nodeId))
    if (this.#closing.signal.aborted) link.close()
    this.#links.set(key, link)
    return link
  }

  async anyBroker(): Promise<Broker> {
    let lastError: unknown
    for (const link of this.#candidates()) {
      this.#closing.signal.throwIfAborted()
      try {
        await link.connect()
        return link
      } catch (error) {
        lastError = error
        if (!(error instanceof ConnectionError)) break
      }
    }
    throw lastError
  }

  async controller(): Promise<Broker> {
    if (this.#metadata.controllerId < 0) await this.refreshMetadata()
    const { controllerId } = this.#metadata
    return controllerId < 0 ? this.anyBroker() : this.broker(controllerId, 'main')
  }

  async coordinator(
    kind: CoordinatorKind,
    key: string,
    purpose: ConnectionPurpose,
  ): Promise<Broker> {
    const name = `${kind} ${key}`
    let found = this.#coordinators.get(name)
    if (found === undefined) {
      found = this.#findCoordinator(kind, key)
      this.#coordinators.set(name, found)
      found.catch(() => {
        if (this.#coordinators.get(name) === found) this.#coordinators.delete(name)
      })
    }
    return this.broker(await found, purpose)
  }

  forgetCoordinator(kind: CoordinatorKind, key: string): void {
    this.#coordinators.delete(`${kind} ${key}`)
  }

  /** Closes every connection; what waits for an answer is rejected. */
  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return
    this.#closing.abort(closedError())
    this.#ageTimer?.cancel()
    this.#listeners.clear()
    for (const link of [...this.#bootstrap, ...this.#links.values()]) link.close()
    await this.#nextLoad?.catch(() => undefined)
    await this.#loading
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #makeLink(nodeId: number, address: () => BrokerAddress | undefined): BrokerLink {
    const { platform, log, options } = this
    const lost = () => {
      if (nodeId >= 0) this.metadataIsStale()
    }
    return new BrokerLink({ platform, log, options, nodeId, address, lost })
  }

  #endpoint(nodeId: number): BrokerEndpoint | undefined {
    return this.#metadata.brokers.get(nodeId) ?? this.#hints.get(nodeId)
  }

  /** Who to ask something that every broker knows: connected ones first, the bootstrap addresses last. */
  #candidates(): BrokerLink[] {
    const known = [...this.#metadata.brokers.keys()].map((nodeId) => this.broker(nodeId, 'main'))
    const connected = known.filter((link) => link.isConnected)
    connected.sort((a, b) => a.callCount - b.callCount)
    const others = known.filter((link) => !link.isConnected)
    return [...connected, ...this.#shuffled(others), ...this.#shuffled(this.#bootstrap)]
  }

  #shuffled(links: readonly BrokerLink[]): BrokerLink[] {
    const left = [...links]
    const shuffled: BrokerLink[] = []
    while (left.length > 0) {
      shuffled.push(...left.splice(this.platform.random.integer(left.length), 1))
    }
    return shuffled
  }

  async #findCoordinator(kind: CoordinatorKind, key: string): Promise<number> {
    const endpoint = await findCoordinator(await this.anyBroker(), kind, key)
    if (!this.#metadata.brokers.has(endpoint.nodeId)) this.#hints.set(endpoint.nodeId, endpoint)
    return endpoint.nodeId
  }

  /** Loads once `before` has ended, so that what is learned is younger than everybody's question. */
  async #loadAfter(before: Promise<unknown>): Promise<ClusterMetadata> {
    await before
    const { clock } = this.platform
    // Many things go wrong at once when a broker dies; they need not ask one by one.
    const pauseMs = this.#loadedAtMs + this.options.retryBackoffMs - clock.elapsedMs()
    if (pauseMs > 0 && !this.#watches.areNew) {
      await clock.sleep(pauseMs, this.#closing.signal).catch(() => undefined)
    }
    this.#nextLoad = undefined
    const load = this.#load()
    this.#loading = load.catch(() => undefined)
    return load
  }

  async #load(): Promise<ClusterMetadata> {
    const what = 'metadata'
    const { requestTimeoutMs } = this.options
    const { signal } = this.#closing
    const [loaded, wanted] = await retry(
      this,
      { what, timeoutMs: requestTimeoutMs, signal },
      async () => {
        const broker = await this.anyBroker()
        const asked = this.#watches.wanted(this.#metadata)
        return [await loadMetadata(broker, asked, this.#metadata), asked] as const
      },
    )
    this.#loadedAtMs = this.platform.clock.elapsedMs()
    this.#ageTimer?.cancel()
    const { metadataMaxAgeMs } = this.options
    this.#ageTimer = this.platform.clock.setTimer(metadataMaxAgeMs, () => this.metadataIsStale())
    this.#publish(loaded)
    this.#missing.look(wanted, loaded)
    return loaded
  }

  #publish(metadata: ClusterMetadata): void {
    this.#closing.signal.throwIfAborted()
    const before = this.#metadata
    this.#metadata = metadata
    for (const { nodeId, host, port } of metadata.brokers.values()) {
      this.#hints.delete(nodeId)
      const was = before.brokers.get(nodeId)
      if (was !== undefined && (was.host !== host || was.port !== port)) this.#moved(nodeId)
    }
    if (before.brokers.size === 0) this.#adoptBootstrapConnections()
    for (const listener of [...this.#listeners]) listener(metadata)
  }

  #moved(nodeId: number): void {
    for (const link of this.#links.values()) if (link.nodeId === nodeId) link.reconnect()
  }

  /** The broker at a bootstrap address is mostly one that the metadata names: one connection is enough. */
  #adoptBootstrapConnections(): void {
    for (const link of this.#bootstrap) {
      const address = link.connectedTo
      if (address === undefined) continue
      for (const { nodeId, host, port } of this.#metadata.brokers.values()) {
        if (host === address.host && port === address.port) {
          link.handOver(this.broker(nodeId, 'main'))
        }
      }
    }
  }
}

function unlessAborted<Result>(promise: Promise<Result>, signal: AbortSignal): Promise<Result> {
  if (signal.aborted) return Promise.reject(signal.reason as Error)
  return new Promise((resolve, reject) => {
    const aborted = () => reject(signal.reason as Error)
    signal.addEventListener('abort', aborted, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', aborted))
  })
}
