import { OptionError } from '../../errors.ts'
import { isNetworkError } from '../../platform/index.ts'
import type { Endpoint, Listener, Platform, Socket } from '../../platform/index.ts'
import { silentLog } from '../log.ts'
import type { Log } from '../log.ts'
import { Connection } from './connection.ts'
import type { ConnectionTimeouts, Route } from './connection.ts'

export interface HttpServerOptions extends Partial<ConnectionTimeouts> {
  readonly platform: Pick<Platform, 'clock' | 'network'>
  /** By their exact paths; one that ends with a slash takes what is right below it and has no route of its own. */
  readonly routes: Readonly<Record<string, Route>>
  /** 0: any that is free. */
  readonly port: number
  /**
   * Whoever can reach it may read all it serves.
   * @defaultValue `'127.0.0.1'`
   */
  readonly host?: string
  /**
   * What the options are called where the user wrote them: errors name `<option>.port`.
   * @defaultValue `'metrics'`
   */
  readonly option?: string
  readonly log?: Log
  /**
   * The one that has been idle for longest gives way to a new one; when none is idle, the new one is closed.
   * @defaultValue 64
   */
  readonly connectionsMax?: number
  /**
   * How long `close` waits for answers that are under way.
   * @defaultValue 2000
   */
  readonly closeTimeoutMs?: number
}

/** A server that answers GET and HEAD. */
export interface HttpServer extends AsyncDisposable {
  /** Where it listens. */
  readonly local: Endpoint
  /** Answers what is under way, for `closeTimeoutMs` at most. Resolves when every connection is closed. */
  close(): Promise<void>
}

const defaults = {
  host: '127.0.0.1',
  option: 'metrics',
  log: silentLog,
  connectionsMax: 64,
  closeTimeoutMs: 2_000,
  // Longer than scrapers wait between two scrapes, so that they can use a connection again.
  idleTimeoutMs: 90_000,
  requestTimeoutMs: 10_000,
  answerTimeoutMs: 10_000,
  sendTimeoutMs: 30_000,
} as const satisfies Partial<HttpServerOptions>

/** Starts a server for metrics and health. Small on purpose: what it does not need, it refuses. */
export async function startHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const resolved = { ...defaults, ...options }
  const { platform, host, port, option } = resolved
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new OptionError(`${option}.port`, `(${port}) must be a whole number from 0 to 65535`)
  }
  const connections = new Connections(resolved)
  try {
    const listener = await platform.network.listen({
      host,
      port,
      accept: (socket) => connections.accept(socket),
    })
    return new Server(resolved, listener, connections)
  } catch (error) {
    throw listenError(error, resolved)
  }
}

type ResolvedHttpServerOptions = HttpServerOptions & Required<Omit<HttpServerOptions, 'routes'>>

function listenError(error: unknown, { host, port, option }: ResolvedHttpServerOptions): unknown {
  const port0 = 'or 0 for any that is free'
  if (isNetworkError(error, 'address-in-use')) {
    const problem = `(${port}) is in use on ${host} already: choose another, ${port0}`
    return new OptionError(`${option}.port`, problem, { cause: error })
  }
  if (isNetworkError(error, 'denied')) {
    const problem = `(${port}) may not be used by this process: choose one from 1024 on, ${port0}`
    return new OptionError(`${option}.port`, problem, { cause: error })
  }
  if (isNetworkError(error, 'address-not-available') || isNetworkError(error, 'name-not-found')) {
    const problem = `('${host}') must be an address of this machine, such as 127.0.0.1 or 0.0.0.0`
    return new OptionError(`${option}.host`, problem, { cause: error })
  }
  return error
}

/** The clients of a server: never more than `connectionsMax`. */
class Connections {
  readonly #options: ResolvedHttpServerOptions
  readonly #routes: ReadonlyMap<string, Route>
  readonly #connections = new Set<Connection>()
  #isClosing = false
  #fullTold = false
  #tellAllClosed: (() => void) | undefined

  constructor(options: ResolvedHttpServerOptions) {
    this.#options = options
    this.#routes = new Map(Object.entries(options.routes))
  }

  accept(socket: Socket): void {
    if (this.#isClosing || !this.#makeRoom()) {
      socket.destroy()
      return
    }
    const { platform, log } = this.#options
    const connection = new Connection({
      socket,
      clock: platform.clock,
      log,
      routes: this.#routes,
      timeouts: this.#options,
      closed: (closed) => this.#forget(closed),
    })
    this.#connections.add(connection)
  }

  /** Resolves when all are closed. */
  async closeGently(): Promise<void> {
    this.#isClosing = true
    if (this.#connections.size === 0) return
    const allClosed = new Promise<void>((resolve) => (this.#tellAllClosed = resolve))
    for (const connection of this.#connections) connection.closeGently()
    await allClosed
  }

  destroyAll(): void {
    for (const connection of this.#connections) connection.destroy()
  }

  #makeRoom(): boolean {
    const { connectionsMax, log } = this.#options
    if (this.#connections.size < connectionsMax) return true
    let longest: Connection | undefined
    let idleSinceMs = Infinity
    for (const connection of this.#connections) {
      if ((connection.idleSinceMs ?? Infinity) < idleSinceMs) {
        longest = connection
        idleSinceMs = connection.idleSinceMs ?? Infinity
      }
    }
    if (longest !== undefined) {
      longest.destroy()
      this.#connections.delete(longest)
      return true
    }
    if (!this.#fullTold) {
      log('warn', 'the server for metrics and health has no room for more connections', {
        connectionsMax,
      })
    }
    this.#fullTold = true
    return false
  }

  #forget(connection: Connection): void {
    this.#connections.delete(connection)
    if (this.#connections.size === 0) this.#tellAllClosed?.()
  }
}

class Server implements HttpServer {
  readonly local: Endpoint
  readonly #options: ResolvedHttpServerOptions
  readonly #listener: Listener
  readonly #connections: Connections
  #closing: Promise<void> | undefined

  constructor(options: ResolvedHttpServerOptions, listener: Listener, connections: Connections) {
    this.local = listener.local
    this.#options = options
    this.#listener = listener
    this.#connections = connections
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#close())
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #close(): Promise<void> {
    const { platform, closeTimeoutMs } = this.#options
    const deadline = platform.clock.setTimer(closeTimeoutMs, () => this.#connections.destroyAll())
    const allClosed = this.#connections.closeGently()
    await this.#listener.close()
    await allClosed
    deadline.cancel()
  }
}
