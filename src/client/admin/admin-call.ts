import { isMillraceError, MillraceError } from '../../errors.ts'
import type { Timer } from '../../platform/index.ts'
import type { Api, ResponseOf } from '../../protocol/index.ts'
import { Backoff } from '../backoff.ts'
import { ConnectionError } from '../client-error.ts'
import type { Broker, Cluster, RequestBody } from '../cluster/cluster.ts'
import { optionsOf, wholeNumber } from '../../option-checks.ts'

/** What every call of the administration takes. */
export interface AdminCallOptions {
  /** How long it is tried, retries included. @defaultValue 60000 */
  readonly timeoutMs?: number
  /** Ends the call at once. What was sent before may still take effect. */
  readonly signal?: AbortSignal
}

export const adminTimeoutMs = 60_000

/** The most a timer can wait. */
const longestMs = 2_147_483_647

/** What a broker must have for a request to mean what is wanted. */
export interface Need {
  readonly versionMin?: number
  readonly versionMax?: number
  /** For the error where it is missing: `'an offset by the highest timestamp (Kafka 3.0)'`. */
  readonly feature?: string
}

/**
 * One call of the administration: its time limit and what bounds its requests by it.
 *
 * It is **running** until the work is done, its time is over, or its signal aborts. The last two end what
 * it waits for; an abort rejects the call, the end of the time is for what was not answered until then.
 */
export class AdminCall implements Disposable {
  readonly cluster: Cluster
  /** What is done, for errors: `'topics.create'`. */
  readonly what: string
  readonly timeoutMs: number
  readonly #deadlineMs: number
  readonly #aborted: AbortSignal | undefined
  readonly #ended = new AbortController()
  readonly #timer: Timer
  readonly #abort = () => this.#ended.abort(this.#aborted?.reason)

  constructor(cluster: Cluster, what: string, options: AdminCallOptions) {
    this.cluster = cluster
    this.what = what
    this.timeoutMs = wholeNumber({ ...options }, 'timeoutMs', adminTimeoutMs, {
      min: 1,
      max: longestMs,
    })
    const { clock } = cluster.platform
    this.#deadlineMs = clock.elapsedMs() + this.timeoutMs
    this.#timer = clock.setTimer(this.timeoutMs, () => this.#ended.abort(this.#timeIsOver()))
    this.#aborted = options.signal
    this.#aborted?.addEventListener('abort', this.#abort, { once: true })
    if (this.#aborted?.aborted === true) this.#abort()
  }

  get leftMs(): number {
    return this.#deadlineMs - this.cluster.platform.clock.elapsedMs()
  }

  /** How long a request of this call may take. */
  get requestTimeoutMs(): number {
    return Math.max(1, Math.min(this.cluster.options.requestTimeoutMs, this.leftMs))
  }

  /**
   * How long a broker may work on a request. It is less than we wait, so that it can say that its time was
   * over; silence would leave open whether it has got the request.
   */
  get brokerTimeoutMs(): number {
    return Math.max(1, Math.floor(this.requestTimeoutMs * 0.9))
  }

  throwIfAborted(): void {
    this.#aborted?.throwIfAborted()
  }

  /** The outcome of a look-up, or a rejection when the call ends before it has one. */
  bounded<Result>(work: Promise<Result>): Promise<Result> {
    return unlessAborted(work, this.#ended.signal)
  }

  request<A extends Api>(
    broker: Broker,
    api: A,
    body: RequestBody<A>,
    need: Need = {},
  ): Promise<ResponseOf<A>> {
    const { feature, ...versions } = need
    // It keeps to its own time limit, because only the request knows whether it was sent.
    const answer = broker.request(api, body, { timeoutMs: this.requestTimeoutMs, ...versions })
    return unlessAborted(answer, this.#aborted).catch((error: unknown) => {
      throw this.#naming(feature, broker, error)
    })
  }

  /** The version that a request would use. */
  version(broker: Broker, api: Api, need: Need = {}): Promise<number> {
    const { feature, ...versions } = need
    const version = broker.version(api, { timeoutMs: this.requestTimeoutMs, ...versions })
    return this.bounded(version).catch((error: unknown) => {
      throw this.#naming(feature, broker, error)
    })
  }

  /** Pauses after a failed attempt. False when the time is over before another one could begin. */
  async pause(attempt: number): Promise<boolean> {
    const { platform, options } = this.cluster
    const limitMs = options.retryBackoffMsMax
    const firstMs = Math.min(options.retryBackoffMs * 2 ** (attempt - 1), limitMs)
    const pauseMs = new Backoff(platform.random, { firstMs, limitMs }).nextMs()
    if (this.leftMs <= pauseMs) return false
    await platform.clock.sleep(pauseMs, this.#ended.signal).catch(() => undefined)
    this.throwIfAborted()
    return this.leftMs > 0
  }

  [Symbol.dispose](): void {
    this.#timer.cancel()
    this.#aborted?.removeEventListener('abort', this.#abort)
  }

  #timeIsOver(): ConnectionError {
    const message = `${this.what}: no broker to ask was found within ${this.timeoutMs} ms`
    return new ConnectionError(message, false)
  }

  #naming(feature: string | undefined, broker: Broker, error: unknown): unknown {
    if (!isMillraceError(error, 'MILLRACE_CLIENT_UNSUPPORTED')) return error
    const missing = feature === undefined ? '' : `: ${feature} is missing`
    return new MillraceError(
      'MILLRACE_CLIENT_UNSUPPORTED',
      `${this.what}: broker ${broker.nodeId} cannot do this${missing}: ${error.message}`,
      { cause: error },
    )
  }
}

/**
 * Runs `work` as a call. Its options are checked for names that are not known: a misspelt
 * `validateOnly` would change what it was only to check.
 */
export async function adminCall<Result>(
  cluster: Cluster,
  what: string,
  options: AdminCallOptions,
  known: readonly string[],
  work: (call: AdminCall) => Promise<Result>,
): Promise<Result> {
  optionsOf(options, `${what} options`, ['timeoutMs', 'signal', ...known])
  options.signal?.throwIfAborted()
  using call = new AdminCall(cluster, what, options)
  return await work(call)
}

function unlessAborted<Result>(
  work: Promise<Result>,
  signal: AbortSignal | undefined,
): Promise<Result> {
  if (signal === undefined) return work
  return new Promise((resolve, reject) => {
    const aborted = () => reject(signal.reason as Error)
    if (signal.aborted) aborted()
    signal.addEventListener('abort', aborted, { once: true })
    void work.then(resolve, reject).then(() => signal.removeEventListener('abort', aborted))
  })
}
