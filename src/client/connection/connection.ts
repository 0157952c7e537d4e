import { MillraceError } from '../../errors.ts'
import type { Log } from '../../observe/index.ts'
import { isNetworkError } from '../../platform/index.ts'
import type { Platform, Socket, Timer } from '../../platform/index.ts'
import {
  apiVersionsApi,
  kafkaError,
  saslAuthenticateApi,
  saslHandshakeApi,
} from '../../protocol/index.ts'
import type { ResponseOf } from '../../protocol/index.ts'
import { ConnectionError } from '../client-error.ts'
import type { BrokerAddress, ResolvedClientOptions } from '../options.ts'
import { version as softwareVersion } from '../../version.ts'
import { BrokerVersions } from './broker-versions.ts'
import { RequestPipe } from './request-pipe.ts'
import { nextLoginMs, prepareLogin } from './sasl/authenticate.ts'
import { mechanismRefused } from './sasl/login-error.ts'
import { tlsFor } from './security.ts'

export interface ConnectionOptions {
  readonly platform: Platform
  readonly options: ResolvedClientOptions
  readonly log: Log
  readonly address: BrokerAddress
  /** How the broker is called in errors. */
  readonly name: string
  /** Ends it while it is being made. What was aborted for is what `open` rejects with. */
  readonly signal?: AbortSignal
}

/**
 * A connection that stands: encrypted, versions known, logged in. It logs in again before its session
 * ends, and closes when nothing was asked of it for long. It is opened whole or not at all.
 */
export class Connection {
  readonly pipe: RequestPipe
  readonly address: BrokerAddress
  /** Called once, when the connection has ended after it stood. */
  onClosed: (error: Error) => void = () => undefined
  #versions: BrokerVersions | undefined
  readonly #options: ConnectionOptions
  #loginTimer: Timer | undefined
  #idleTimer: Timer | undefined
  #isRetired = false

  private constructor(options: ConnectionOptions, socket: Socket) {
    const { clientId, requestsInFlightMax, bytesInFlightMax, responseBytesMax } = options.options
    this.#options = options
    this.address = options.address
    this.pipe = new RequestPipe({
      socket,
      clock: options.platform.clock,
      name: options.name,
      clientId,
      requestsInFlightMax,
      bytesInFlightMax,
      responseBytesMax,
      closed: (error) => {
        // Nobody asks a connection that is gone to close: its timers would hold it for minutes.
        this.#cancelTimers()
        this.onClosed(error)
      },
    })
  }

  /** Connects, asks for versions and logs in, all within `connectTimeoutMs`. */
  static async open(options: ConnectionOptions): Promise<Connection> {
    const { platform, address, name, signal } = options
    const { connectTimeoutMs } = options.options
    const deadlineMs = platform.clock.elapsedMs() + connectTimeoutMs
    const connection = new Connection(options, await openSocket(options))
    const { pipe } = connection
    const abort = () => connection.close(signal?.reason as Error)
    signal?.addEventListener('abort', abort)
    try {
      const remainingMs = () => Math.max(1, deadlineMs - platform.clock.elapsedMs())
      connection.#versions = new BrokerVersions(name, await askVersions(pipe, remainingMs))
      await connection.#login(remainingMs, (login) => login(pipe.request.bind(pipe)))
      // It may have ended behind its last answer: who took it would never be told.
      pipe.expectOpen()
    } catch (error) {
      connection.close(error as Error)
      if (signal?.aborted === true) throw signal.reason
      throw error instanceof ConnectionError ? unreachable(name, address, error) : error
    } finally {
      signal?.removeEventListener('abort', abort)
    }
    connection.#watchIdleness()
    return connection
  }

  get versions(): BrokerVersions {
    if (this.#versions === undefined) throw new Error('the connection is not open yet')
    return this.#versions
  }

  /** Closes once what was asked is answered. Nothing new should be asked. */
  retire(): void {
    this.#isRetired = true
    this.#watchIdleness()
  }

  close(error: Error): void {
    this.pipe.destroy(error)
  }

  #cancelTimers(): void {
    this.#loginTimer?.cancel()
    this.#idleTimer?.cancel()
  }

  async #login(
    remainingMs: () => number,
    run: (login: (request: RequestPipe['request']) => Promise<void>) => Promise<void>,
  ): Promise<void> {
    const { platform, options } = this.#options
    const { sasl } = options
    if (sasl === undefined) return
    const { pipe, versions } = this
    const { encrypted } = pipe
    // Whoever gives the token may take its time, and the connection is not held for that.
    const logIn = await prepareLogin({ sasl, platform, encrypted, proofTimeoutMs: remainingMs() })
    await run(async (request) => {
      const { sessionLifetimeMs } = await logIn({
        handshake: async (mechanism) => {
          const version = versions.pick(saslHandshakeApi, { versionMin: 1 })
          const answer = await request(saslHandshakeApi, version, { mechanism }, remainingMs())
          if (answer.errorCode !== 0) throw mechanismRefused(mechanism, answer)
        },
        exchange: (authBytes) =>
          request(
            saslAuthenticateApi,
            versions.pick(saslAuthenticateApi),
            { authBytes },
            remainingMs(),
          ),
      })
      this.#planNextLogin(sessionLifetimeMs)
    })
  }

  #planNextLogin(sessionLifetimeMs: number): void {
    const { clock, random } = this.#options.platform
    const delayMs = nextLoginMs(sessionLifetimeMs, random)
    if (delayMs === undefined) return
    this.#loginTimer = clock.setTimer(delayMs, () => void this.#loginAgain())
  }

  /** When it fails the connection goes: the next request opens another, and tells what is wrong. */
  async #loginAgain(): Promise<void> {
    const { connectTimeoutMs } = this.#options.options
    try {
      await this.#login(
        () => connectTimeoutMs,
        (login) => this.pipe.whileIdle(login),
      )
    } catch (error) {
      this.#options.log('warn', 'a connection could not log in again', {
        broker: this.#options.name,
        error: (error as Error).message,
      })
      this.close(error as Error)
    }
  }

  #watchIdleness(): void {
    this.#idleTimer?.cancel()
    const { clock } = this.#options.platform
    const idleMsMax = this.#isRetired ? 0 : this.#options.options.connectionIdleMsMax
    const idleMs = clock.elapsedMs() - this.pipe.lastUsedMs
    if (this.pipe.callCount === 0 && idleMs >= idleMsMax) {
      this.close(new Error('it was not used any more'))
      return
    }
    const checkInMs = Math.max(retireCheckMs, idleMsMax - idleMs)
    this.#idleTimer = clock.setTimer(checkInMs, () => this.#watchIdleness())
  }
}

/** How often a connection that is to close looks whether it may. */
const retireCheckMs = 100

async function openSocket(connection: ConnectionOptions): Promise<Socket> {
  const { platform, options, address, name, signal } = connection
  const tls = tlsFor(options, address)
  try {
    return await platform.network.connect({
      ...address,
      timeoutMs: options.connectTimeoutMs,
      ...(tls === undefined ? {} : { tls }),
      ...(signal === undefined ? {} : { signal }),
    })
  } catch (error) {
    if (signal?.aborted === true) throw signal.reason
    throw unreachable(name, address, error as Error)
  }
}

/**
 * Asks in the newest form. A broker that does not know it answers in the oldest, with the versions that it
 * knows, and is asked again (KIP-511).
 */
async function askVersions(
  pipe: RequestPipe,
  remainingMs: () => number,
): Promise<ResponseOf<typeof apiVersionsApi>> {
  let version = apiVersionsApi.versions.last
  for (;;) {
    const body = { clientSoftwareName: 'millrace', clientSoftwareVersion: softwareVersion }
    const answer = await pipe.request(apiVersionsApi, version, body, remainingMs())
    if (answer.errorCode === 0) return answer
    const known = answer.apiKeys.find(({ apiKey }) => apiKey === apiVersionsApi.key)
    const next = Math.min(known?.maxVersion ?? 0, version - 1)
    if (answer.errorCode !== kafkaError.UNSUPPORTED_VERSION || next < 0) {
      throw new MillraceError(
        'MILLRACE_CLIENT_UNSUPPORTED',
        `ApiVersions was answered with error ${answer.errorCode}`,
      )
    }
    version = next
  }
}

/** Whatever happened while a connection was made: no request was sent. */
function unreachable(name: string, { host, port }: BrokerAddress, cause: Error): Error {
  if (cause instanceof MillraceError && !cause.retriable) return cause
  if (isNetworkError(cause, 'tls')) {
    // Certificates do not mend themselves: who waits for it should hear it now.
    const message = `${name} at ${host}:${port}: ${cause.message}`
    return new MillraceError('MILLRACE_CLIENT_LOGIN_FAILED', message, { cause })
  }
  const hint = isCutOff(cause) ? '; it may want TLS or a login, or be no Kafka broker' : ''
  const message = `${name} at ${host}:${port} cannot be reached: ${cause.message}${hint}`
  return new ConnectionError(message, false, { cause })
}

/** The other side took the connection and closed it without a word. */
function isCutOff(error: Error): boolean {
  return error instanceof ConnectionError && error.wasSent
}
