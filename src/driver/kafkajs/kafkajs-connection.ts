import { ConnectionError } from '../../client/index.ts'
import { MillraceError } from '../../errors.ts'
import type { Clock } from '../../platform/index.ts'
import { fromKafkaJs } from './kafkajs-errors.ts'

interface Connectable {
  connect(): Promise<void>
  disconnect(): Promise<void>
}

export interface CallOptions {
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
}

const callTimeoutMs = 60_000

/**
 * An admin or a producer of kafkajs: connected when it is first called, and tried anew by the next call when that has
 * failed. kafkajs has no deadlines and cannot be interrupted: a call that takes too long is left to itself.
 */
export class KafkaJsConnection<Connected extends Connectable> {
  readonly #connected: Connected
  readonly #clock: Clock
  #connecting: Promise<void> | undefined
  #isConnected = false
  #isClosed = false

  constructor(connected: Connected, clock: Clock) {
    this.#connected = connected
    this.#clock = clock
  }

  /** Makes a call; `what` says for errors what was asked for. */
  async call<Answer>(
    what: string,
    options: CallOptions,
    ask: (connected: Connected) => Promise<Answer>,
  ): Promise<Answer> {
    if (this.#isClosed) throw new MillraceError('MILLRACE_CLIENT_CLOSED', 'the driver was closed')
    const answer = this.#connect().then(() => ask(this.#connected))
    try {
      return await within(this.#clock, answer, what, options)
    } catch (error) {
      if (options.signal?.aborted === true) throw error
      throw fromKafkaJs(error, what)
    }
  }

  /** One that still tries to connect cannot be stopped: it is disconnected when it has, and not waited for. */
  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    const disconnect = () => this.#connected.disconnect().catch(() => undefined)
    if (this.#isConnected) await disconnect()
    else void this.#connecting?.then(disconnect, () => undefined)
  }

  #connect(): Promise<void> {
    this.#connecting ??= this.#connected.connect().then(
      () => {
        this.#isConnected = true
      },
      (error: unknown) => {
        this.#connecting = undefined
        throw error
      },
    )
    return this.#connecting
  }
}

/** The answer, unless the time is over or the signal aborts first. */
export function within<Answer>(
  clock: Clock,
  answer: Promise<Answer>,
  what: string,
  { timeoutMs = callTimeoutMs, signal }: CallOptions,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const abort = () => {
      timer.cancel()
      reject(signal?.reason as Error)
    }
    const timer = clock.setTimer(timeoutMs, () => {
      signal?.removeEventListener('abort', abort)
      reject(new ConnectionError(`${what}: no answer within ${timeoutMs} ms`, true))
    })
    answer.then(resolve, reject).finally(() => {
      timer.cancel()
      signal?.removeEventListener('abort', abort)
    })
    if (signal?.aborted === true) abort()
    else signal?.addEventListener('abort', abort, { once: true })
  })
}
