import type { Log } from '../../observe/index.ts'
import type { Listener, Platform, Socket, Timer, TlsServerOptions } from '../../platform/index.ts'
import type { BrokerBuffers } from '../reused-buffers.ts'
import type { Logins } from '../security/logins.ts'
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
  /** Absent: clients need not authenticate. */
  readonly logins: Logins | undefined
  /** The user that a certificate is for, by its distinguished name; undefined: nobody. */
  readonly certificateUser: (distinguishedName: string) => string | undefined
  readonly dispatcher: Dispatcher
  readonly buffers: BrokerBuffers | undefined
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
    const { platform, logins, dispatcher, log, nodeId } = this.#options
    if (this.#connections.size >= this.#options.connectionsMax()) {
      log('warn', 'closed a connection: there are too many (max.connections)', {
        client: socket.remote.host,
        node: nodeId,
      })
      socket.destroy()
      return
    }
    const { peerName } = socket
    const certificateUser = peerName && this.#options.certificateUser(peerName)
    if (peerName !== undefined && certificateUser === undefined) {
      log('warn', 'closed a connection: no rule names the user of its certificate', {
        client: socket.remote.host,
        certificate: peerName,
        node: nodeId,
      })
      socket.destroy()
      return
    }
    const { random, clock } = platform
    const session = new Session({ socket, random, clock, certificateUser, logins })
    const connection = new Connection({
      socket,
      clock: platform.clock,
      log,
      limits: this.#options.limits(),
      receive: dispatcher.receiver(session),
      buffers: this.#options.buffers,
      refuseBytes: (held) => session.refuseBytes(held),
      closed: () => {
        this.#connections.delete(connection)
        session.end()
      },
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
