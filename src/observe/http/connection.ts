import type { Clock, Socket, SocketHandler, Timer } from '../../platform/index.ts'
import type { Log } from '../log.ts'
import { RequestReader } from './request-reader.ts'
import type { HttpRequest } from './request-reader.ts'
import { responseBytes, textResponse } from './response.ts'
import type { HttpResponse } from './response.ts'

/** What answers the requests for a path. */
export type Route = (request: HttpRequest) => HttpResponse | Promise<HttpResponse>

/** How long a connection may be in each of its states. */
export interface ConnectionTimeouts {
  readonly idleTimeoutMs: number
  readonly requestTimeoutMs: number
  readonly answerTimeoutMs: number
  readonly sendTimeoutMs: number
}

interface ConnectionOptions {
  readonly socket: Socket
  readonly clock: Pick<Clock, 'now' | 'elapsedMs' | 'setTimer'>
  readonly log: Log
  readonly routes: ReadonlyMap<string, Route>
  readonly timeouts: ConnectionTimeouts
  readonly closed: (connection: Connection) => void
}

/** What is read ahead of a request that is being answered. */
const bufferedBytesMax = 64 * 1024

type State = 'idle' | 'receiving' | 'answering' | 'sending' | 'ending' | 'closed'

const transitions: Readonly<Record<State, readonly State[]>> = {
  idle: ['receiving', 'answering', 'ending', 'closed'],
  receiving: ['idle', 'answering', 'ending', 'closed'],
  answering: ['idle', 'receiving', 'sending', 'ending', 'closed'],
  sending: ['idle', 'receiving', 'answering', 'ending', 'closed'],
  ending: ['closed'],
  closed: [],
}

/**
 * One client. Requests are answered one at a time, in their order.
 *
 * - _idle_: between two requests. Ends by itself after `idleTimeoutMs`; may be ended to make room for another.
 * - _receiving_: a request has begun, or the body of the one before is not yet gone. After `requestTimeoutMs` it is
 *   answered with 408, or the connection ends.
 * - _answering_: its route is at work. After `answerTimeoutMs` it is answered with 503; what the route answers later
 *   is dropped.
 * - _sending_: the client does not take the answer as fast as it is written; nothing more is answered until it has.
 *   After `sendTimeoutMs` the connection is destroyed.
 * - _ending_: the last answer is written, nothing more is read. The socket closes by itself.
 * - _closed_: nothing happens any more.
 */
export class Connection implements SocketHandler {
  readonly #options: ConnectionOptions
  readonly #reader = new RequestReader()
  #state: State = 'idle'
  #timer: Timer | undefined
  #isPaused = false
  /** Set when the server closes: the next answer is the last. */
  #isLast = false
  /** Since when it has been idle, by `elapsedMs`. */
  #idleSinceMs: number

  constructor(options: ConnectionOptions) {
    this.#options = options
    this.#idleSinceMs = options.clock.elapsedMs()
    this.#setState('idle')
    options.socket.start(this)
  }

  /** Since when it waits for a request; undefined while there is one. */
  get idleSinceMs(): number | undefined {
    return this.#state === 'idle' ? this.#idleSinceMs : undefined
  }

  /** Ends after the request that is under way, or at once where there is none. */
  closeGently(): void {
    this.#isLast = true
    if (this.#state === 'idle') this.#end()
  }

  destroy(): void {
    this.#options.socket.destroy()
  }

  data(chunk: Buffer): void {
    if (this.#state === 'ending' || this.#state === 'closed') return
    this.#reader.push(chunk)
    if (this.#state === 'idle' || this.#state === 'receiving') this.#proceed()
    this.#holdBack()
  }

  drained(): void {
    if (this.#state === 'sending') this.#proceed()
    this.#holdBack()
  }

  /** The socket closes by itself: what is written later goes nowhere. */
  ended(): void {
    if (this.#state !== 'closed') this.#setState('ending')
  }

  closed(): void {
    this.#setState('closed')
    this.#options.closed(this)
  }

  /** Answers what has come, until there is nothing more or an answer takes its time. */
  #proceed(): void {
    for (;;) {
      const result = this.#reader.next()
      if (result.kind === 'incomplete') {
        this.#setState(this.#reader.isBetweenRequests ? 'idle' : 'receiving')
        if (this.#isLast && this.#state === 'idle') this.#end()
        return
      }
      if (result.kind === 'refused') {
        this.#respond(textResponse(result.status, result.reason), { keepAlive: false })
        return
      }
      if (!this.#answer(result.request, result.keepAlive)) return
    }
  }

  /** Whether the next request may be answered at once. */
  #answer(request: HttpRequest, keepAlive: boolean): boolean {
    this.#setState('answering')
    const { path } = request
    const { routes } = this.#options
    const route = routes.get(path) ?? routes.get(path.slice(0, path.lastIndexOf('/') + 1))
    const headOnly = request.method === 'HEAD'
    if (route === undefined) {
      return this.#respond(textResponse(404, 'nothing is here'), { keepAlive, headOnly })
    }
    if (!headOnly && request.method !== 'GET') {
      const headers = ['Allow: GET, HEAD']
      return this.#respond(textResponse(405, 'only GET and HEAD'), { keepAlive, headers })
    }
    try {
      const response = route(request)
      if (!(response instanceof Promise)) return this.#respond(response, { keepAlive, headOnly })
      this.#await(response, request, { keepAlive, headOnly })
      return false
    } catch (error) {
      return this.#respond(this.#failure(request, error), { keepAlive, headOnly })
    }
  }

  #await(response: Promise<HttpResponse>, request: HttpRequest, reply: Reply): void {
    let isAnswered = false
    const answer = (answered: HttpResponse, { keepAlive, headOnly = false }: Reply): void => {
      if (isAnswered || this.#state !== 'answering') return
      isAnswered = true
      if (this.#respond(answered, { keepAlive, headOnly })) this.#proceed()
      this.#holdBack()
    }
    this.#startTimer(this.#options.timeouts.answerTimeoutMs, () => {
      answer(textResponse(503, 'no answer in time'), { ...reply, keepAlive: false })
    })
    response.then(
      (answered) => answer(answered, reply),
      (error: unknown) => answer(this.#failure(request, error), reply),
    )
  }

  #failure({ path }: HttpRequest, error: unknown): HttpResponse {
    this.#options.log('error', 'a request could not be answered', {
      path,
      error: error instanceof Error ? error.message : String(error),
    })
    return textResponse(500, 'no answer: the log says why')
  }

  /** Whether the next request may be answered at once. */
  #respond(response: HttpResponse, { keepAlive, headOnly = false, headers = [] }: Reply): boolean {
    const { socket, clock } = this.#options
    const isKept = keepAlive && !this.#isLast
    const options = { response, headOnly, headers, nowMs: clock.now(), keepAlive: isKept }
    const mayGoOn = socket.write(responseBytes(options))
    if (!isKept) this.#end()
    else if (!mayGoOn) this.#setState('sending')
    return isKept && mayGoOn
  }

  #end(): void {
    this.#setState('ending')
    this.#options.socket.end()
  }

  /** A client that sends faster than it is answered waits in its own buffers, not in ours. */
  #holdBack(): void {
    const { socket } = this.#options
    const isOver = this.#state === 'ending' || this.#state === 'closed'
    const mustWait = this.#reader.bufferedBytes > bufferedBytesMax
    if (mustWait === this.#isPaused || isOver) return
    this.#isPaused = mustWait
    if (mustWait) socket.pause()
    else socket.resume()
  }

  #setState(state: State): void {
    const before = this.#state
    // More of the same request gives it no more time.
    if (before === state && state === 'receiving') return
    if (before !== state && !transitions[before].includes(state)) {
      throw new Error(`a connection cannot go from ${before} to ${state}`)
    }
    this.#state = state
    this.#timer?.cancel()
    this.#timer = undefined
    const { socket, clock, timeouts } = this.#options
    if (state === 'idle') {
      this.#idleSinceMs = clock.elapsedMs()
      this.#startTimer(timeouts.idleTimeoutMs, () => this.#end())
    } else if (state === 'receiving') {
      this.#startTimer(timeouts.requestTimeoutMs, () => {
        // What lacks only its body was answered: a client would take 408 for the answer to its next request.
        if (this.#reader.isWithinBody) this.#end()
        else this.#respond(textResponse(408, 'the request did not come'), { keepAlive: false })
      })
    } else if (state === 'sending') {
      this.#startTimer(timeouts.sendTimeoutMs, () => socket.destroy())
    }
  }

  #startTimer(delayMs: number, callback: () => void): void {
    this.#timer?.cancel()
    this.#timer = this.#options.clock.setTimer(delayMs, callback)
  }
}

interface Reply {
  readonly keepAlive: boolean
  readonly headOnly?: boolean
  readonly headers?: readonly string[]
}
