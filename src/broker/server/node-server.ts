import type { Log } from '../../observe/index.ts'
import type { Listener, Platform, Socket, Timer, TlsServerOptions } from '../../platform/index.ts'
import type { SaslMechanism } from '../security/sasl.ts'
import type { Users } from '../security/users.ts'
import { Connection } from './connection.ts'
import type { ConnectionLimits } from './connection.ts'
import type { Dispatcher } from './dispatcher.ts'
import { Session } from './session.ts'

interface NodeServerOptions {
  readonly nodeId: number
  readonly platform: Platform
  readonly log: Log
  readonly limits: () => ConnectionLimits
  /** `max.connections`: what comes above it is closed at once. */
  readonly connectionsMax: () => number
  readonly tls: TlsServerOptions | undefined
  readonly sasl:
    { readonly users: Users; readonly mechanisms: readonly SaslMechanism[] } | undefined
  readonly dispatcher: Dispatcher
}

const idleCheckMs = 10_000

/**
 * The listening side of one node. *stopped*: no port; *listening*: clients connect. A node can be
 * stopped and started any number of times; it comes back on the port that it had.
 */
export class NodeServer {
  readonly #options: NodeServerOptions
  readonly #connections = new Set<Connection>()
  #listener: Listener | undefined
  #idleTimer: Timer | undefined

  constructor(options: NodeServerOptions) {
    this.#options = options
  }

  get connectionCount(): number {
    return this.#connections.size
  }

  /** Listens; answers the port. */
  async start(host: string, port: number): Promise<number> {
    const { platform, tls, log, nodeId } = this.#options
    this.#listener = await platform.network.listen({
      host,
      port,
      ...(tls === undefined ? {} : { tls }),
      accept: (socket) => this.#accept(socket),
      refused: (remote, error) => {
        log('warn', `refused a connection: ${error.message}`, { client: remote.host, node: nodeId })
      },
    })
    this.#checkIdleLater()
    return this.#listener.local.port
  }

  /**
   * Stops accepting. With `gently`, requests that were received are answered before their
   * connections close; without it, connections end where they are.
   */
  async stop(gently: boolean): Promise<void> {
    const listener = this.#listener
    this.#listener = undefined
    this.#idleTimer?.cancel()
    for (const connection of this.#connections) {
      if (gently) connection.closeGently()
      else connection.destroy()
    }
    await listener?.close()
  }

  /** Ends all connections where they are, and goes on listening. */
  dropConnections(): void {
    for (const connection of this.#connections) connection.destroy()
  }

  #accept(socket: Socket): void {
    const { platform, sasl, dispatcher, log, nodeId } = this.#options
    if (this.#connections.size >= this.#options.connectionsMax()) {
      log('warn', 'closed a connection: there are too many (max.connections)', {
        client: socket.remote.host,
        node: nodeId,
      })
      socket.destroy()
      return
    }
    const session = new Session({ socket, random: platform.random, sasl })
    const connection = new Connection({
      socket,
      clock: platform.clock,
      log,
      limits: this.#options.limits(),
      receive: dispatcher.receiver(session),
      refuseBytes: (held) => session.refuseBytes(held),
      closed: () => this.#connections.delete(connection),
    })
    this.#connections.add(connection)
    connection.start()
  }

  #checkIdleLater(): void {
    this.#idleTimer = this.#options.platform.clock.setTimer(idleCheckMs, () => {
      for (const connection of this.#connections) connection.closeIfIdle()
      if (this.#listener !== undefined) this.#checkIdleLater()
    })
  }
}
