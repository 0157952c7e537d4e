import type { Platform } from '../../src/platform/index.ts'
import type { Api, RequestInput, ResponseOf } from '../../src/protocol/index.ts'
import { WireClient } from '../../src/testing/index.ts'

export interface SessionOptions {
  readonly platform: Platform
  readonly host: string
  readonly port: number
  readonly clientId: string
  /** Nothing that is waited for may take longer; then the connection counts as lost. */
  readonly timeoutMs: number
}

/** The request may or may not have reached the broker, and nobody will say which. */
export class ConnectionLost extends Error {
  override readonly name = 'ConnectionLost'
}

/**
 * Requests to one broker, over one connection that is made anew when it was lost. Requests may
 * overlap: they are sent in the order of the calls, and those that share a connection lose it
 * together.
 */
export class BrokerSession {
  readonly #options: SessionOptions
  #connection: Promise<WireClient> | undefined

  constructor(options: SessionOptions) {
    this.#options = options
  }

  get platform(): Platform {
    return this.#options.platform
  }

  /** Rejects with `ConnectionLost`; the next request connects again. */
  async request<A extends Api>(
    api: A,
    version: number,
    body: RequestInput<A>,
  ): Promise<ResponseOf<A>> {
    const { platform, timeoutMs } = this.#options
    const connection = (this.#connection ??= WireClient.connect(this.#options))
    try {
      const client = await connection
      const timer = platform.clock.setTimer(timeoutMs, () => this.#drop(connection))
      try {
        return await client.request(api, version, body)
      } finally {
        timer.cancel()
      }
    } catch (cause) {
      this.#drop(connection)
      throw new ConnectionLost(`${api.name} was not answered`, { cause })
    }
  }

  /** Ends the connection; what was asked on it is not answered any more. */
  drop(): void {
    if (this.#connection !== undefined) this.#drop(this.#connection)
  }

  /** Leaves the next connection alone, when there is one already. */
  #drop(connection: Promise<WireClient>): void {
    if (this.#connection === connection) this.#connection = undefined
    connection.then(
      (client) => client[Symbol.asyncDispose](),
      () => undefined,
    )
  }
}

/** Calls `attempt` until it succeeds or fails with something else than a lost connection. */
export async function untilAnswered<T>(
  session: BrokerSession,
  attempt: () => Promise<T>,
): Promise<T> {
  const { clock, random } = session.platform
  for (;;) {
    try {
      return await attempt()
    } catch (error) {
      if (!(error instanceof ConnectionLost)) throw error
      await clock.sleep(20 + random.integer(200))
    }
  }
}
