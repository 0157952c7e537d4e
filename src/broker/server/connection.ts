import type { Log } from '../../observe/index.ts'
import type { Clock, Socket } from '../../platform/index.ts'
import { FrameReader } from '../../protocol/index.ts'
import type { BrokerBuffers } from '../reused-buffers.ts'
import { describeStranger } from './stranger.ts'

export interface ConnectionLimits {
  /** The largest request (`socket.request.max.bytes`). */
  readonly requestBytesMax: number
  /** Requests of one connection that were received and are not answered yet. */
  readonly requestsInFlightMax: number
  /** Their bytes. One request may exceed it alone. */
  readonly bytesInFlightMax: number
  /** A connection that is silent for this long is closed (`connections.max.idle.ms`). */
  readonly idleMs: number
}

/** What comes of one request: what to send or nothing, and whether the connection ends after it. */
export type Reply =
  readonly Uint8Array[] | 'nothing' | 'close' | { readonly last: readonly Uint8Array[] }

/**
 * Answers one request. `proceed` lets the next request of the connection begin before this one is
 * answered; without it the next one waits, as it does in Kafka. `keptNothing` says that nobody needs
 * the frame's bytes once it is answered.
 */
export type RequestReceiver = (
  frame: Buffer,
  proceed: () => void,
  keptNothing: () => void,
) => Reply | Promise<Reply>

/** The place of a request in the order of responses. */
interface Slot {
  readonly bytes: number
  reply: Reply | undefined
}

interface ConnectionOptions {
  readonly socket: Socket
  readonly clock: Clock
  readonly log: Log
  readonly limits: ConnectionLimits
  readonly receive: RequestReceiver
  /** Where large requests are put together, and what responses may lie in that were read from a disk. */
  readonly buffers?: BrokerBuffers | undefined
  /** Why no more of a request is taken that has this many bytes and is not complete. */
  readonly refuseBytes?: (held: number) => string | undefined
  readonly closed: () => void
}

/**
 * One client's connection.
 *
 * - *reading*: frames are taken from the socket and wait in `waiting`; one at a time begins, the
 *   next when it was answered or has called `proceed`. Responses leave in the order of requests.
 * - *full*: too much is in flight, or the client does not read its responses; nothing is taken
 *   from the socket until that has changed.
 * - *ending*: a request was answered with the end of the connection. What came behind it is dropped
 *   unread, or each frame of a client that does not listen would be refused, and logged, by itself.
 *   What was due before it is still sent.
 * - *closed*: what is still running may finish, its response is dropped.
 */
export class Connection {
  readonly #socket: Socket
  readonly #clock: Clock
  readonly #log: Log
  readonly #limits: ConnectionLimits
  readonly #receive: RequestReceiver
  readonly #refuseBytes: ConnectionOptions['refuseBytes']
  readonly #onClosed: () => void
  readonly #frames: FrameReader
  readonly #buffers: BrokerBuffers | undefined
  readonly #waiting: Buffer[] = []
  readonly #slots: Slot[] = []
  #bytesInFlight = 0
  #requestRuns = false
  #advancesSoon = false
  #writable = true
  #paused = false
  #ended = false
  #ending = false
  #closed = false
  #lastActivityMs: number

  constructor(options: ConnectionOptions) {
    this.#socket = options.socket
    this.#clock = options.clock
    this.#log = options.log
    this.#limits = options.limits
    this.#receive = options.receive
    this.#refuseBytes = options.refuseBytes
    this.#onClosed = options.closed
    this.#buffers = options.buffers
    this.#frames = new FrameReader(options.limits.requestBytesMax, options.buffers?.requests)
    this.#lastActivityMs = options.clock.elapsedMs()
  }

  get remoteHost(): string {
    return this.#socket.remote.host
  }

  start(): void {
    this.#socket.start({
      data: (chunk) => this.#data(chunk),
      drained: () => this.#drained(),
      ended: () => this.#endOfInput(),
      closed: () => this.#socketClosed(),
    })
  }

  /** Closes once what was received has been answered. */
  closeGently(): void {
    this.#endOfInput()
  }

  destroy(): void {
    this.#socket.destroy()
  }

  /** Closes the connection when it has been silent for too long; nothing must be in flight. */
  closeIfIdle(): void {
    const silentMs = this.#clock.elapsedMs() - this.#lastActivityMs
    if (silentMs >= this.#limits.idleMs && this.#slots.length === 0) this.#socket.destroy()
  }

  #data(chunk: Buffer): void {
    if (this.#closed || this.#ended || this.#ending) return
    this.#lastActivityMs = this.#clock.elapsedMs()
    try {
      this.#frames.push(chunk, (frame) => this.#frame(frame))
    } catch (error) {
      this.#destroyFor(describeStranger(error))
      return
    }
    const refusal = this.#refuseBytes?.(this.#frames.heldBytes)
    if (refusal === undefined) this.#advance()
    else this.#destroyFor(refusal)
  }

  #destroyFor(reason: string): void {
    const { host, port } = this.#socket.remote
    this.#log('warn', `closed a connection: ${reason}`, { client: `${host}:${port}` })
    this.#socket.destroy()
  }

  #frame(frame: Buffer): void {
    this.#waiting.push(frame)
    this.#bytesInFlight += frame.length
  }

  /** Begins the next request if it may begin, and takes or stops taking bytes as there is room. */
  #advance(): void {
    while (!this.#requestRuns && this.#writable && !this.#closed) {
      const frame = this.#waiting.shift()
      if (frame === undefined) break
      this.#begin(frame)
    }
    this.#flush()
    this.#adjustReading()
    if (this.#ended && this.#waiting.length === 0 && this.#slots.length === 0) this.#socket.end()
  }

  #begin(frame: Buffer): void {
    const slot: Slot = { bytes: frame.length, reply: undefined }
    this.#slots.push(slot)
    this.#requestRuns = true
    let proceeded = false
    const proceed = () => {
      if (proceeded) return false
      proceeded = true
      this.#requestRuns = false
      return true
    }
    let keptNothing = false
    const settle = (reply: Reply) => {
      slot.reply = reply
      if (keptNothing) this.#buffers?.requests.giveBack(frame)
      if (isLast(reply)) this.#takeNoMore()
      proceed()
    }
    const result = this.#receive(
      frame,
      () => {
        if (proceed()) this.#advance()
      },
      () => {
        keptNothing = true
      },
    )
    if (!(result instanceof Promise)) {
      settle(result)
      return
    }
    void result.then((reply) => {
      settle(reply)
      this.#advanceSoon()
    })
  }

  /**
   * One sync of a log makes many requests of a connection ready. Their responses leave together, when
   * all who waited for it have had their turn: each by itself would cost a system call here and a
   * wake-up there.
   */
  #advanceSoon(): void {
    if (this.#advancesSoon) return
    this.#advancesSoon = true
    queueMicrotask(() => {
      this.#advancesSoon = false
      this.#advance()
    })
  }

  #takeNoMore(): void {
    this.#ending = true
    this.#waiting.length = 0
  }

  /** Sends the responses that are ready, up to the first that is not or that is the last of all. */
  #flush(): void {
    const chunks: Uint8Array[] = []
    let last = false
    while (!last) {
      const slot = this.#slots[0]
      if (slot?.reply === undefined) break
      this.#slots.shift()
      this.#bytesInFlight -= slot.bytes
      for (const chunk of chunksOf(slot.reply)) chunks.push(chunk)
      last = isLast(slot.reply)
    }
    // Requests that began behind the last one may still run: nobody gets their responses.
    if (last) this.#slots.length = 0
    if (this.#closed) return
    if (chunks.length > 0) {
      this.#lastActivityMs = this.#clock.elapsedMs()
      this.#writable = this.#socket.write(chunks, () => this.#sent(chunks))
    }
    if (last) this.#socket.end()
  }

  #sent(chunks: readonly Uint8Array[]): void {
    if (this.#buffers === undefined) return
    for (const chunk of chunks) this.#buffers.reads.giveBack(chunk)
  }

  #adjustReading(): void {
    const { requestsInFlightMax, bytesInFlightMax } = this.#limits
    const inFlight = this.#slots.length + this.#waiting.length
    const full =
      !this.#writable ||
      inFlight >= requestsInFlightMax ||
      (inFlight > 1 && this.#bytesInFlight >= bytesInFlightMax)
    if (full === this.#paused || this.#closed) return
    this.#paused = full
    if (full) this.#socket.pause()
    else this.#socket.resume()
  }

  #drained(): void {
    this.#writable = true
    this.#advance()
  }

  #endOfInput(): void {
    this.#ended = true
    this.#advance()
  }

  #socketClosed(): void {
    this.#closed = true
    this.#waiting.length = 0
    this.#onClosed()
  }
}

function isLast(reply: Reply): boolean {
  return reply === 'close' || (typeof reply === 'object' && 'last' in reply)
}

function chunksOf(reply: Reply): readonly Uint8Array[] {
  if (typeof reply === 'string') return []
  return 'last' in reply ? reply.last : reply
}
