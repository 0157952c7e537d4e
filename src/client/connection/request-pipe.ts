import { MillraceError, ProtocolError } from '../../errors.ts'
import type { Clock, Socket, Timer } from '../../platform/index.ts'
import {
  apiVersionsApi,
  encodeRequest,
  FrameReader,
  kafkaError,
  Reader,
  readResponseHeader,
} from '../../protocol/index.ts'
import type { Api, RequestInput, ResponseOf } from '../../protocol/index.ts'
import { ConnectionError } from '../client-error.ts'

interface PipeOptions {
  readonly socket: Socket
  readonly clock: Clock
  /** How the broker is called in errors: `'broker 2 (10.0.0.7:9092)'`. */
  readonly name: string
  readonly clientId: string
  readonly requestsInFlightMax: number
  readonly bytesInFlightMax: number
  readonly responseBytesMax: number
  /** Called once, when the pipe has closed; `error` says why. */
  readonly closed: (error: Error) => void
}

/** A request and who waits for its answer. */
interface Call {
  readonly api: Api
  readonly version: number
  readonly body: object
  readonly expectsAnswer: boolean
  readonly timeoutMs: number
  /** When it times out, as `elapsedMs` counts. */
  readonly deadlineMs: number
  readonly resolve: (response: object) => void
  readonly reject: (error: Error) => void
  correlationId: number
}

/**
 * Requests and their answers over one socket, in order.
 *
 * A call is **queued** (while the limits on requests and bytes in flight, a throttle time or a hold stand
 * in its way), then **sent**, then **answered**. The pipe is **open** until the socket closes, an answer is
 * late or makes no sense, or `destroy`; then it is **closed**, and every call left is rejected: a queued one
 * has certainly not been sent, a sent one may have taken effect.
 *
 * A late answer closes the pipe, because answers come in order: whatever is behind it is late as well.
 */
export class RequestPipe {
  readonly #options: PipeOptions
  readonly #frames: FrameReader
  readonly #queued: Call[] = []
  readonly #sent: Call[] = []
  #nextCorrelationId = 1
  #closedBecause: Error | undefined
  #deadlineTimer: Timer | undefined
  #deadlineTimerMs = Infinity
  #throttledUntilMs = 0
  #throttleTimer: Timer | undefined
  #holds = 0
  #idle: (() => void) | undefined
  #lastUsedMs: number

  constructor(options: PipeOptions) {
    this.#options = options
    this.#frames = new FrameReader(options.responseBytesMax)
    this.#lastUsedMs = options.clock.elapsedMs()
    options.socket.start({
      data: (chunk) => this.#read(chunk),
      drained: () => this.#sendQueued(),
      ended: () => this.#close(new Error('the broker closed the connection')),
      closed: (error) => this.#close(error ?? new Error('the connection was closed')),
    })
  }

  /** Throws when it has been closed, as a call would. */
  expectOpen(): void {
    if (this.#closedBecause !== undefined) throw this.#lost(this.#closedBecause, false)
  }

  /** Calls that are not answered yet. */
  get callCount(): number {
    return this.#queued.length + this.#sent.length
  }

  /** When something was last sent or answered, as `elapsedMs` counts. */
  get lastUsedMs(): number {
    return this.#lastUsedMs
  }

  get encrypted(): boolean {
    return this.#options.socket.encrypted
  }

  /** Sends a request; `timeoutMs` counts from now. */
  request<A extends Api>(
    api: A,
    version: number,
    body: RequestInput<A>,
    timeoutMs: number,
  ): Promise<ResponseOf<A>> {
    return this.#call(api, version, body, timeoutMs, true) as Promise<ResponseOf<A>>
  }

  /** Sends a request that has no answer; resolves when it was handed to the socket. */
  async send<A extends Api>(
    api: A,
    version: number,
    body: RequestInput<A>,
    timeoutMs: number,
  ): Promise<void> {
    await this.#call(api, version, body, timeoutMs, false)
  }

  /**
   * Lets nothing more be sent, and runs `exclusive` once all answers are there. It gets a function to send
   * with, past the hold: a new login on a connection must not be mixed with requests.
   */
  async whileIdle(exclusive: (request: RequestPipe['request']) => Promise<void>): Promise<void> {
    this.#holds += 1
    try {
      if (this.#sent.length > 0) await new Promise<void>((resolve) => (this.#idle = resolve))
      await exclusive((api, version, body, timeoutMs) => {
        return this.#call(api, version, body, timeoutMs, true, 'past the hold') as never
      })
    } finally {
      this.#holds -= 1
      this.#sendQueued()
    }
  }

  destroy(error: Error): void {
    this.#close(error)
  }

  #call(
    api: Api,
    version: number,
    body: object,
    timeoutMs: number,
    expectsAnswer: boolean,
    mode?: 'past the hold',
  ): Promise<object> {
    return new Promise((resolve, reject) => {
      if (this.#closedBecause !== undefined) {
        reject(this.#lost(this.#closedBecause, false))
        return
      }
      const deadlineMs = this.#options.clock.elapsedMs() + timeoutMs
      const call: Call = {
        api,
        version,
        body,
        expectsAnswer,
        timeoutMs,
        deadlineMs,
        resolve,
        reject,
        correlationId: 0,
      }
      if (mode === 'past the hold' || (this.#queued.length === 0 && this.#maySend())) {
        this.#send(call)
      } else {
        this.#queued.push(call)
        this.#sendQueued()
      }
      this.#watch(deadlineMs)
    })
  }

  #sendQueued(): void {
    while (this.#queued.length > 0 && this.#maySend()) this.#send(this.#queued.shift() as Call)
  }

  #maySend(): boolean {
    const { requestsInFlightMax, bytesInFlightMax, socket, clock } = this.#options
    if (this.#closedBecause !== undefined || this.#holds > 0) return false
    if (this.#sent.length >= requestsInFlightMax || socket.queuedBytes >= bytesInFlightMax) {
      return false
    }
    if (this.#throttledUntilMs === 0) return true
    const waitMs = this.#throttledUntilMs - clock.elapsedMs()
    if (waitMs <= 0) {
      this.#throttledUntilMs = 0
      return true
    }
    this.#throttleTimer ??= clock.setTimer(waitMs, () => {
      this.#throttleTimer = undefined
      this.#sendQueued()
    })
    return false
  }

  #send(call: Call): void {
    const { socket, clientId, clock } = this.#options
    const { api, version, body } = call
    call.correlationId = this.#nextCorrelationId
    this.#nextCorrelationId = (this.#nextCorrelationId % 0x7fff_ffff) + 1
    let chunks: Uint8Array[]
    try {
      chunks = encodeRequest(api, { version, correlationId: call.correlationId, clientId }, body)
    } catch (error) {
      call.reject(error as Error)
      return
    }
    this.#lastUsedMs = clock.elapsedMs()
    if (call.expectsAnswer) this.#sent.push(call)
    socket.write(chunks)
    if (!call.expectsAnswer) call.resolve({})
  }

  #read(chunk: Buffer): void {
    try {
      this.#frames.push(chunk, (frame) => this.#answered(frame))
    } catch (error) {
      this.#close(error as Error)
    }
  }

  #answered(frame: Buffer): void {
    if (this.#closedBecause !== undefined) return
    const call = this.#sent.shift()
    if (call === undefined) throw new ProtocolError('an answer came that nobody has asked for')
    this.#lastUsedMs = this.#options.clock.elapsedMs()
    let response: object
    try {
      response = readResponse(call, frame)
    } catch (error) {
      // Asked again, the broker would answer the same: who asked has to know, not to try again.
      call.reject(error as Error)
      throw error
    }
    this.#honourThrottle(response)
    call.resolve(response)
    if (this.#sent.length === 0) this.#tellIdle()
    this.#sendQueued()
  }

  /** The broker has stopped reading for that long already; what is sent meanwhile only waits there (KIP-219). */
  #honourThrottle(response: { readonly throttleTimeMs?: unknown }): void {
    const { throttleTimeMs } = response
    if (typeof throttleTimeMs !== 'number' || throttleTimeMs <= 0) return
    const untilMs = this.#options.clock.elapsedMs() + throttleTimeMs
    this.#throttledUntilMs = Math.max(this.#throttledUntilMs, untilMs)
  }

  #tellIdle(): void {
    const idle = this.#idle
    this.#idle = undefined
    idle?.()
  }

  /** Sees to it that `#expire` is called at `deadlineMs`, or before. */
  #watch(deadlineMs: number): void {
    if (deadlineMs >= this.#deadlineTimerMs || this.#closedBecause !== undefined) return
    this.#deadlineTimer?.cancel()
    this.#deadlineTimerMs = deadlineMs
    const { clock } = this.#options
    this.#deadlineTimer = clock.setTimer(Math.max(0, deadlineMs - clock.elapsedMs()), () =>
      this.#expire(),
    )
  }

  #expire(): void {
    this.#deadlineTimerMs = Infinity
    const now = this.#options.clock.elapsedMs()
    const late = this.#sent.find((call) => call.deadlineMs <= now)
    if (late !== undefined) {
      this.#close(new Error(`${late.api.name} was not answered within ${late.timeoutMs} ms`))
      return
    }
    for (const call of this.#queued.filter(({ deadlineMs }) => deadlineMs <= now)) {
      this.#queued.splice(this.#queued.indexOf(call), 1)
      const cause = new Error(`${call.api.name} could not be sent within ${call.timeoutMs} ms`)
      call.reject(this.#lost(cause, false))
    }
    for (const { deadlineMs } of [...this.#sent, ...this.#queued]) this.#watch(deadlineMs)
  }

  #close(error: Error): void {
    if (this.#closedBecause !== undefined) return
    this.#closedBecause = error
    this.#deadlineTimer?.cancel()
    this.#throttleTimer?.cancel()
    this.#options.socket.destroy()
    for (const call of this.#sent.splice(0)) call.reject(this.#lost(error, true))
    for (const call of this.#queued.splice(0)) call.reject(this.#lost(error, false))
    this.#tellIdle()
    this.#options.closed(error)
  }

  #lost(cause: Error, wasSent: boolean): Error {
    // A login that failed is not a lost connection: nobody should try again.
    if (cause instanceof MillraceError && !cause.retriable && !wasSent) return cause
    const state = wasSent ? 'the answer is lost' : 'nothing was sent'
    return new ConnectionError(`${this.#options.name}: ${cause.message} (${state})`, wasSent, {
      cause,
    })
  }
}

function readResponse(call: Call, frame: Buffer): object {
  const { api, correlationId } = call
  const version = answeredVersion(call, frame)
  const reader = new Reader(frame)
  const answered = readResponseHeader(reader, api, version)
  if (answered !== correlationId) {
    throw new ProtocolError(`the answer to request ${answered} came in place of ${correlationId}`)
  }
  const response = api.response.read(reader, version)
  if (reader.remaining > 0) {
    throw new ProtocolError(`${api.name} v${version}: ${reader.remaining} bytes are left over`)
  }
  return response
}

/** After the correlation id: its header has no more in any version. */
const apiVersionsErrorAt = 4

/**
 * The version that an answer is written in: the request's own, but for ApiVersions. A broker that does not
 * know the version it was asked in answers in the oldest (KIP-511), and the error code comes first in all.
 */
function answeredVersion({ api, version }: Call, frame: Buffer): number {
  const isRefused =
    api.key === apiVersionsApi.key &&
    frame.length >= apiVersionsErrorAt + 2 &&
    frame.readInt16BE(apiVersionsErrorAt) === kafkaError.UNSUPPORTED_VERSION
  return isRefused ? 0 : version
}
