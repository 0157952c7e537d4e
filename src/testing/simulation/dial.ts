import { NetworkError, type ConnectOptions, type Socket } from '../../platform/index.ts'
import { Connection } from './connection.ts'
import type { SimulatedHost } from './host.ts'
import type { SimulatedListener } from './listener.ts'
import { loopbackLatencyMs } from './network-conditions.ts'
import type { SimulatedProcess } from './process.ts'
import type { ScheduledEvent } from './scheduler.ts'
import type { SeededRandom } from './seeded-random.ts'
import { SimulatedSocket } from './simulated-socket.ts'
import { shakeHands, type Handshake } from './tls-handshake.ts'
import type { World } from './world.ts'

/** A request for a connection that nobody answers is sent again after 1, 2, 4 … seconds. */
const firstRetryMs = 1_000

/** Connects; `resolve` and `reject` are called as events of `process`. */
export function dial(
  world: World,
  process: SimulatedProcess,
  options: ConnectOptions,
  resolve: (socket: Socket) => void,
  reject: (error: unknown) => void,
): void {
  options.signal?.throwIfAborted()
  new Dial(world, process, options, resolve, reject).begin()
}

/** States: asking (again and again) → answered (a socket, or why not). */
class Dial {
  readonly #world: World
  readonly #process: SimulatedProcess
  readonly #options: ConnectOptions
  readonly #resolve: (socket: Socket) => void
  readonly #reject: (error: unknown) => void
  readonly #random: SeededRandom
  #isAnswered = false
  #again: ScheduledEvent | undefined
  #release: () => void = nothing

  constructor(
    world: World,
    process: SimulatedProcess,
    options: ConnectOptions,
    resolve: (socket: Socket) => void,
    reject: (error: unknown) => void,
  ) {
    this.#world = world
    this.#process = process
    this.#options = options
    this.#resolve = resolve
    this.#reject = reject
    this.#random = process.connectionRandom()
  }

  begin(): void {
    const { signal, timeoutMs, host } = this.#options
    const timeout = this.#process.later(timeoutMs, 'network.timeout', () => {
      this.#fail('timeout', `no answer within ${timeoutMs} ms`)
    })
    const onAbort = (): void => this.#answer(() => this.#reject(signal?.reason))
    signal?.addEventListener('abort', onAbort, { once: true })
    this.#release = () => {
      timeout.cancelled = true
      if (this.#again !== undefined) this.#again.cancelled = true
      signal?.removeEventListener('abort', onAbort)
    }
    const target = this.#process.host.resolve(host)
    if (target === undefined) {
      this.#process.later(this.#latencyMs(undefined), 'network.unknown-name', () => {
        this.#fail('name-not-found', 'the host name is not known')
      })
    } else this.#ask(target, firstRetryMs)
  }

  #ask(target: SimulatedHost, retryMs: number): void {
    const { scheduler } = this.#world
    scheduler.schedule(this.#latencyMs(target), 'network.ask', () => this.#asked(target))
    this.#again = scheduler.schedule(retryMs, 'network.ask-again', () => {
      if (!this.#process.isOver) this.#ask(target, retryMs * 2)
    })
  }

  /** The request has arrived at the other host, if it gets through. */
  #asked(target: SimulatedHost): void {
    const { network } = this.#world
    const here = this.#process.host
    if (this.#isAnswered || network.isBlocked(here, target) || network.isBlocked(target, here))
      return
    const listener = target.listenerFor(this.#options.port, here)
    if (listener?.isFull === true) return
    this.#process.later(this.#latencyMs(target), 'network.answer', () => {
      if (listener === undefined) this.#fail('refused', 'nobody listens there')
      else this.#connected(target, listener)
    })
  }

  #connected(target: SimulatedHost, listener: SimulatedListener): void {
    if (this.#isAnswered) return
    const handshake = shakeHands(this.#options.tls, listener.options.tls)
    if (handshake.clientRefuses !== undefined) {
      this.#fail('tls', handshake.clientRefuses)
      return
    }
    this.#answer(() => this.#resolve(this.#open(target, listener, handshake)))
  }

  #open(target: SimulatedHost, listener: SimulatedListener, handshake: Handshake): SimulatedSocket {
    const here = this.#process.host
    const { host, port } = this.#options
    const client = { host: here, endpoint: { host: here.name, port: here.freePort() } }
    const server = { host: target, endpoint: { host, port } }
    const connection = new Connection(this.#world, client, server, this.#random)
    this.#world.network.add(connection)
    connection.server.onOpen = () => listener.opened(connection.server, handshake)
    connection.client.outgoing.send('open')
    const security = { encrypted: handshake.encrypted, peerName: handshake.serverName }
    return new SimulatedSocket(this.#world, this.#process, connection.client, security)
  }

  #fail(reason: 'timeout' | 'refused' | 'name-not-found' | 'tls', problem: string): void {
    const { host, port } = this.#options
    const text = `cannot connect to ${host}:${port}: ${problem}`
    this.#answer(() => this.#reject(new NetworkError(reason, text)))
  }

  #answer(act: () => void): void {
    if (this.#isAnswered) return
    this.#isAnswered = true
    this.#release()
    act()
  }

  #latencyMs(target: SimulatedHost | undefined): number {
    const isHere = target === this.#process.host
    return this.#random.within(
      isHere ? loopbackLatencyMs : this.#world.network.conditions.latencyMs,
    )
  }
}

function nothing(): void {
  // Nothing to release yet.
}
