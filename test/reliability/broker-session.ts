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

/** Requests to one broker, over one connection that is made anew when it was lost. */
export class BrokerSession {
  readonly #options: SessionOptions
  #client: WireClient | undefined

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
    try {
      const client = await this.#connected()
      const timer = platform.clock.setTimer(timeoutMs, () => this.drop())
      try {
        return await client.request(api, version, body)
      } finally {
        timer.cancel()
      }
    } catch (cause) {
      this.drop()
      throw new ConnectionLost(`${api.name} was not answered`, { cause })
    }
  }

  /** Ends the connection; what was asked on it is not answered any more. */
  drop(): void {
    void this.#client?.[Symbol.asyncDispose]()
    this.#client = undefined
  }

  async #connected(): Promise<WireClient> {
    this.#client ??= await WireClient.connect(this.#options)
    return this.#client
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
