import { MillraceError } from '../../errors.ts'
import type { Timer } from '../../platform/index.ts'
import type { Api, RequestInput, ResponseOf } from '../../protocol/index.ts'
import { Backoff } from '../backoff.ts'
import { ConnectionError } from '../client-error.ts'
import { Connection } from '../connection/connection.ts'
import type { ConnectionOptions } from '../connection/connection.ts'
import type { BrokerAddress } from '../options.ts'
import type { Broker, RequestBody, RequestOptions } from './cluster.ts'

export interface LinkOptions extends Omit<ConnectionOptions, 'address' | 'name'> {
  readonly nodeId: number
  /** Where the broker is now; undefined while nobody knows. */
  readonly address: () => BrokerAddress | undefined
  /** A connection failed or was lost: the broker may be gone, and others lead its partitions. */
  readonly lost: () => void
}

/** Somebody who needs the connection. */
interface Waiting {
  readonly deadlineMs: number
  readonly timeoutMs: number
  readonly use: (connection: Connection, leftMs: number) => void
  readonly reject: (error: Error) => void
}

/**
 * The way to a broker for one purpose, over one connection at a time.
 *
 * It is **idle** until somebody asks for something, then **connecting** (once for all who wait), then
 * **connected** until the connection ends, which makes it idle again. After a failed attempt it is idle
 * too, and the next attempt waits a growing time, so that a broker that is down is not stormed. `close`
 * ends it for good.
 *
 * Who asks while it connects waits in line, and the line is served before anybody who comes later.
 */
export class BrokerLink implements Broker {
  readonly nodeId: number
  readonly #options: LinkOptions
  readonly #backoff: Backoff
  #connection: Connection | undefined
  /** They still have to answer something. */
  readonly #retired = new Set<Connection>()
  #isConnecting = false
  #line: Waiting[] = []
  #lineTimer: Timer | undefined
  #mayConnectAtMs = 0
  readonly #closing = new AbortController()

  constructor(options: LinkOptions) {
    this.nodeId = options.nodeId
    this.#options = options
    const { retryBackoffMs, retryBackoffMsMax } = options.options
    this.#backoff = new Backoff(options.platform.random, {
      firstMs: retryBackoffMs,
      limitMs: retryBackoffMsMax,
    })
  }

  get isConnected(): boolean {
    return this.#connection !== undefined
  }

  /** Where it is connected to. */
  get connectedTo(): BrokerAddress | undefined {
    return this.#connection?.address
  }

  /** Calls that wait for an answer. */
  get callCount(): number {
    return this.#line.length + (this.#connection?.pipe.callCount ?? 0)
  }

  request<A extends Api>(
    api: A,
    body: RequestBody<A>,
    options: RequestOptions = {},
  ): Promise<ResponseOf<A>> {
    return this.#whenConnected(options, ({ versions, pipe }, timeoutMs) => {
      const version = versions.pick(api, options)
      return pipe.request(api, version, bodyOf(body, version), timeoutMs)
    })
  }

  send<A extends Api>(api: A, body: RequestBody<A>, options: RequestOptions = {}): Promise<void> {
    return this.#whenConnected(options, ({ versions, pipe }, timeoutMs) => {
      const version = versions.pick(api, options)
      return pipe.send(api, version, bodyOf(body, version), timeoutMs)
    })
  }

  version(api: Api, options: RequestOptions = {}): Promise<number> {
    return this.#whenConnected(options, ({ versions }) => versions.pick(api, options))
  }

  featureLevel(feature: string): Promise<number> {
    return this.#whenConnected({}, ({ versions }) => versions.featureLevel(feature))
  }

  /** Connects now, if it is not connected. */
  connect(): Promise<void> {
    return this.#whenConnected({}, () => undefined)
  }

  /** Connects anew for what is asked from now on; what was asked before is answered where it was asked. */
  reconnect(): void {
    const connection = this.#connection
    if (connection === undefined) return
    this.#connection = undefined
    this.#retired.add(connection)
    connection.onClosed = () => this.#retired.delete(connection)
    connection.retire()
  }

  /** Gives its connection to the link of the broker that was found at the other end. */
  handOver(other: BrokerLink): void {
    if (this.#connection === undefined || other.#connection !== undefined) return
    if (other.#closing.signal.aborted) return
    other.#take(this.#connection)
    this.#connection = undefined
  }

  close(): void {
    if (this.#closing.signal.aborted) return
    this.#closing.abort(closedError())
    this.#connection?.close(closedError())
    this.#connection = undefined
    for (const connection of this.#retired) connection.close(closedError())
    this.#rejectLine(closedError())
  }

  #whenConnected<Result>(
    { timeoutMs = this.#options.options.requestTimeoutMs }: RequestOptions,
    use: (connection: Connection, leftMs: number) => Result | Promise<Result>,
  ): Promise<Result> {
    return new Promise((resolve, reject) => {
      const serve = (connection: Connection, leftMs: number) => {
        try {
          resolve(use(connection, leftMs))
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)))
        }
      }
      if (this.#closing.signal.aborted) reject(closedError())
      else if (this.#connection !== undefined) serve(this.#connection, timeoutMs)
      else {
        const deadlineMs = this.#options.platform.clock.elapsedMs() + timeoutMs
        this.#line.push({ deadlineMs, timeoutMs, use: serve, reject })
        this.#watchLine()
        if (!this.#isConnecting) void this.#connect()
      }
    })
  }

  async #connect(): Promise<void> {
    const { clock } = this.#options.platform
    this.#isConnecting = true
    try {
      const pauseMs = this.#mayConnectAtMs - clock.elapsedMs()
      if (pauseMs > 0) await clock.sleep(pauseMs, this.#closing.signal)
      const connection = await this.#openConnection()
      this.#isConnecting = false
      this.#backoff.reset()
      if (this.#connection === undefined) this.#take(connection)
      else connection.retire()
    } catch (error) {
      this.#isConnecting = false
      this.#mayConnectAtMs = clock.elapsedMs() + this.#backoff.nextMs()
      this.#rejectLine(error as Error)
      if (!this.#closing.signal.aborted) this.#options.lost()
    }
  }

  async #openConnection(): Promise<Connection> {
    const { nodeId, address: addressNow } = this.#options
    const name = nodeId < 0 ? 'bootstrap broker' : `broker ${nodeId}`
    const address = addressNow()
    if (address === undefined) {
      throw new ConnectionError(`${name} is not in the metadata (nothing was sent)`, false)
    }
    const { signal } = this.#closing
    const connection = await Connection.open({ ...this.#options, address, name, signal })
    if (!this.#closing.signal.aborted) return connection
    connection.close(closedError())
    throw closedError()
  }

  #take(connection: Connection): void {
    this.#connection = connection
    connection.onClosed = () => {
      if (this.#connection !== connection) return
      this.#connection = undefined
      this.#options.lost()
    }
    const now = this.#options.platform.clock.elapsedMs()
    for (const { use, deadlineMs } of this.#takeLine()) use(connection, deadlineMs - now)
  }

  #watchLine(): void {
    this.#lineTimer?.cancel()
    const { clock } = this.#options.platform
    const first = Math.min(...this.#line.map(({ deadlineMs }) => deadlineMs))
    this.#lineTimer = clock.setTimer(Math.max(0, first - clock.elapsedMs()), () => {
      this.#lineTimer = undefined
      const now = clock.elapsedMs()
      const late = this.#line.filter(({ deadlineMs }) => deadlineMs <= now)
      this.#line = this.#line.filter(({ deadlineMs }) => deadlineMs > now)
      for (const { reject, timeoutMs } of late) {
        reject(
          new ConnectionError(
            `no connection to broker ${this.nodeId} within ${timeoutMs} ms`,
            false,
          ),
        )
      }
      if (this.#line.length > 0) this.#watchLine()
    })
  }

  #takeLine(): Waiting[] {
    this.#lineTimer?.cancel()
    this.#lineTimer = undefined
    return this.#line.splice(0)
  }

  #rejectLine(error: Error): void {
    for (const { reject } of this.#takeLine()) reject(error)
  }
}

function bodyOf<A extends Api>(body: RequestBody<A>, version: number): RequestInput<A> {
  return typeof body === 'function' ? body(version) : body
}

export function closedError(): MillraceError {
  return new MillraceError('MILLRACE_CLIENT_CLOSED', 'the client is closed')
}
