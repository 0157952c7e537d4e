import {
  NetworkError,
  type Endpoint,
  type Socket,
  type SocketHandler,
} from '../../platform/index.ts'
import type { ConnectionEnd } from './connection.ts'
import type { EndOfProcess, SimulatedProcess } from './process.ts'
import type { ScheduledEvent } from './scheduler.ts'
import type { World } from './world.ts'

/** The same as in the real world: above this the writer is told to wait. */
const queuedBytesMax = 256 * 1024

/** The same as in the real world: how long an ended socket waits for the other side. */
const lingerMs = 5_000

/** Node reads no more at once. */
const chunkBytesMax = 64 * 1024

/** What the owner of a socket learns about the other side's certificate. */
export interface SocketSecurity {
  readonly encrypted: boolean
  readonly peerName: string | undefined
}

/**
 * A socket of a simulated process.
 *
 * States: waiting (no handler yet) → flowing (`start`) → ending (`end`, or the other side has ended)
 * → closed; and closed at once from each (`destroy`, a connection that broke). At most one call of
 * the handler is made in a turn, each as an event of the owning process.
 */
export class SimulatedSocket implements Socket {
  readonly peerName: string | undefined
  readonly encrypted: boolean
  readonly #world: World
  readonly #process: SimulatedProcess
  readonly #end: ConnectionEnd
  readonly #forgetProcessEnd: () => void
  #handler: SocketHandler | undefined
  #queue: Uint8Array[] = []
  #queuedBytes = 0
  #isPaused = false
  #isEnding = false
  #isEndSent = false
  #isClosed = false
  #writerWaits = false
  #deliveryPending = false
  #sendPending = false
  #closeError: Error | undefined
  #linger: ScheduledEvent | undefined

  constructor(
    world: World,
    process: SimulatedProcess,
    end: ConnectionEnd,
    security: SocketSecurity,
  ) {
    this.#world = world
    this.#process = process
    this.#end = end
    this.encrypted = security.encrypted
    this.peerName = security.peerName
    this.#forgetProcessEnd = process.atEnd((reason) => this.#closeWithProcess(reason))
    end.onChange = () => this.#deliverSoon()
    end.onRoom = () => this.#sendSoon()
  }

  get local(): Endpoint {
    return this.#end.local
  }

  get remote(): Endpoint {
    return this.#end.remote
  }

  get queuedBytes(): number {
    return this.#queuedBytes
  }

  start(handler: SocketHandler): void {
    this.#process.enter('socket.start')
    this.#handler = handler
    if (this.#isClosed) this.#tellClosed()
    else this.#later('socket.deliver', () => this.#deliver())
  }

  write(chunks: readonly Uint8Array[]): boolean {
    this.#process.enter('socket.write')
    if (this.#isClosed || this.#isEnding) return true
    this.#trace(chunks)
    for (const chunk of chunks) {
      if (chunk.length === 0) continue
      this.#queue.push(chunk)
      this.#queuedBytes += chunk.length
    }
    this.#sendSoon()
    const mustWait = this.#queuedBytes >= queuedBytesMax
    if (mustWait) this.#writerWaits = true
    return !mustWait
  }

  pause(): void {
    this.#process.enter('socket.pause')
    this.#isPaused = true
  }

  resume(): void {
    this.#process.enter('socket.resume')
    this.#isPaused = false
    this.#later('socket.deliver', () => this.#deliver())
  }

  end(): void {
    this.#process.enter('socket.end')
    this.#endInOrder()
  }

  destroy(error?: Error): void {
    this.#process.enter('socket.destroy')
    this.#close(error)
  }

  #trace(chunks: readonly Uint8Array[]): void {
    const { trace, tracing } = this.#world
    trace.word(this.#end.connection.id)
    if (tracing.lengths) for (const { length } of chunks) trace.word(length)
    if (tracing.describe === undefined) return
    const { client, server } = this.#end.connection
    const isFromClient = client === this.#end
    const [from, to] = [this.#end.host.name, (isFromClient ? server : client).host.name]
    const port = server.local.port
    const described = tracing.describe({ from, to, port, isFromClient, chunks })
    if (described !== undefined) trace.value(described)
  }

  #sendSoon(): void {
    if (this.#sendPending || this.#isClosed) return
    this.#sendPending = true
    this.#process.perform('socket.send', () => {
      this.#sendPending = false
      this.#send()
    })
  }

  /** Hands to the kernel what it takes. A paused process does not come here. */
  #send(): void {
    if (this.#isClosed) return
    const { breakage } = this.#end
    if (breakage !== undefined) {
      this.#close(brokenConnection(this.#end, breakage))
      return
    }
    if (this.#queuedBytes > 0) this.#sufferChance()
    this.#handOver()
    if (this.#queuedBytes > 0) return
    if (this.#writerWaits) this.#later('socket.drained', () => this.#tellDrained())
    if (this.#isEnding && !this.#isEndSent) {
      this.#isEndSent = true
      this.#end.sendEnd()
      this.#lingerAnew()
      this.#closeWhenBothEnded()
    }
  }

  #handOver(): void {
    let handedOver = 0
    let [first] = this.#queue
    while (first !== undefined) {
      const taken = this.#end.outgoing.offer(first)
      if (taken === 0) break
      handedOver += taken
      if (taken === first.length) this.#queue.shift()
      else this.#queue[0] = first.subarray(taken)
      first = this.#queue[0]
    }
    this.#queuedBytes -= handedOver
    if (handedOver > 0 && this.#isEnding) this.#lingerAnew()
  }

  /** What the network does to a connection now and then. */
  #sufferChance(): void {
    const { resetProbability, vanishProbability } = this.#world.network.conditions
    const { random } = this.#end.connection
    if (resetProbability > 0 && random.chance(resetProbability)) this.#end.connection.reset()
    if (vanishProbability > 0 && random.chance(vanishProbability)) this.#end.loseOtherSide()
  }

  #deliverSoon(): void {
    if (this.#deliveryPending) return
    this.#deliveryPending = true
    this.#process.perform('socket.deliver', () => {
      this.#deliveryPending = false
      this.#deliver()
    })
  }

  #deliver(): void {
    const handler = this.#handler
    if (this.#isClosed || (handler === undefined && !this.#isEnding)) return
    if (this.#isPaused && !this.#isEnding) return
    const { breakage } = this.#end
    if (breakage !== undefined) this.#close(brokenConnection(this.#end, breakage))
    else if (this.#isEnding) this.#dropInput()
    else if (this.#end.receivedBytes > 0) {
      const chunk = this.#end.take(this.#chunkBytes())
      if (this.#end.hasMore) this.#later('socket.deliver', () => this.#deliver())
      handler?.data(chunk)
    } else if (this.#end.isDrained) {
      handler?.ended()
      this.#endInOrder()
    }
  }

  #chunkBytes(): number {
    const bytes = Math.min(this.#end.receivedBytes, chunkBytesMax)
    const { random } = this.#end.connection
    const { splitProbability } = this.#world.network.conditions
    return random.chance(splitProbability) ? 1 + random.integer(bytes) : bytes
  }

  #dropInput(): void {
    this.#end.take(this.#end.receivedBytes)
    this.#closeWhenBothEnded()
  }

  #endInOrder(): void {
    if (this.#isEnding || this.#isClosed) return
    this.#isEnding = true
    this.#lingerAnew()
    this.#sendSoon()
    this.#deliverSoon()
  }

  #closeWhenBothEnded(): void {
    if (this.#isEndSent && this.#end.isDrained) this.#close(undefined)
  }

  /** The time starts anew whenever the other side takes something, and when all has been sent. */
  #lingerAnew(): void {
    if (this.#linger !== undefined) this.#linger.cancelled = true
    this.#linger = this.#process.later(lingerMs, 'socket.linger', () => this.#close(undefined))
  }

  #tellDrained(): void {
    if (!this.#writerWaits || this.#queuedBytes > 0 || this.#isEnding || this.#isClosed) return
    this.#writerWaits = false
    this.#handler?.drained()
  }

  #close(error: Error | undefined): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#closeError = error
    this.#release()
    this.#end.close()
    this.#tellClosed()
  }

  #tellClosed(): void {
    const handler = this.#handler
    if (handler === undefined) return
    this.#later('socket.closed', () => handler.closed(this.#closeError))
  }

  /** A process that is killed leaves it to chance whether its peers see an end or a reset. */
  #closeWithProcess(end: EndOfProcess): void {
    this.#isClosed = true
    this.#release()
    if (end === 'with its host') this.#end.vanish()
    else if (end === 'killed' && this.#end.connection.random.chance(0.5)) this.#end.abort()
    else this.#end.close()
  }

  #release(): void {
    this.#forgetProcessEnd()
    if (this.#linger !== undefined) this.#linger.cancelled = true
    this.#queue = []
    this.#queuedBytes = 0
  }

  #later(kind: string, action: () => void): void {
    this.#process.later(0, kind, action, { lane: this.#end.connection.id })
  }
}

function brokenConnection(end: ConnectionEnd, breakage: 'reset' | 'timeout'): NetworkError {
  const { host, port } = end.remote
  const what = breakage === 'reset' ? 'the other side reset the connection' : 'no answer'
  return new NetworkError(breakage, `lost the connection to ${host}:${port}: ${what}`)
}
