import type { Socket as StreamSocket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { endpointText, networkError } from './node-network-error.ts'
import type { Endpoint, Socket, SocketHandler } from './platform.ts'

/** Above this the writer is told to wait. */
const queuedBytesMax = 256 * 1024

const keepAliveDelayMs = 60_000

/** How long an ended socket waits for the other side to take what is queued, and to end too. */
const lingerMs = 5_000

/**
 * States: waiting (made, no handler yet) → flowing (`start`) → ending (`end`, or the other side has
 * ended: nothing new is delivered, what is queued goes out) → closed. Every state can go to closed
 * at once (`destroy`, an error). A socket that closes while it waits tells its handler when it gets
 * one.
 */
export class NodeSocket implements Socket {
  readonly local: Endpoint
  readonly remote: Endpoint
  readonly peerName: string | undefined
  readonly encrypted: boolean
  readonly #stream: StreamSocket
  #handler: SocketHandler | undefined
  #error: Error | undefined
  #paused = false
  #ending = false
  #writerWaits = false
  #linger: NodeJS.Timeout | undefined

  /** `stream` is connected and nobody listens to its `data`: what arrives waits in it. */
  constructor(stream: StreamSocket, remote: Endpoint) {
    this.#stream = stream
    this.local = endpoint(stream.localAddress, stream.localPort)
    this.remote = remote
    this.encrypted = isEncrypted(stream)
    this.peerName = isEncrypted(stream) ? verifiedPeerName(stream) : undefined
    stream.setNoDelay(true)
    // The system then notices a peer that is gone without having said so, if late.
    stream.setKeepAlive(true, keepAliveDelayMs)
    stream.on('error', (error: Error) => {
      this.#error ??= networkError(`lost the connection to ${endpointText(remote)}`, error)
    })
    stream.on('close', () => this.#tellClosed())
  }

  get queuedBytes(): number {
    return this.#stream.writableLength
  }

  start(handler: SocketHandler): void {
    this.#handler = handler
    const stream = this.#stream
    if (stream.closed) {
      queueMicrotask(() => this.#tellClosed())
      return
    }
    stream.on('data', (chunk: Buffer) => {
      if (!this.#ending) handler.data(chunk)
    })
    stream.on('drain', () => this.#tellDrained())
    stream.on('end', () => this.#otherSideEnded())
    if (!this.#paused) stream.resume()
  }

  write(chunks: readonly Uint8Array[], sent?: () => void): boolean {
    const stream = this.#stream
    if (stream.destroyed || stream.writableEnded) return true
    const last = chunks.length - 1
    const written = (error?: Error | null): void => {
      if (error === undefined || error === null) sent?.()
    }
    if (last > 0) stream.cork()
    for (const [index, chunk] of chunks.entries()) {
      if (index < last) stream.write(chunk)
      else stream.write(chunk, written)
    }
    if (last > 0) stream.uncork()
    // The stream reports `drain` from a lower mark on, so it does whenever this answers false.
    const mustWait = stream.writableLength >= queuedBytesMax
    if (mustWait) this.#writerWaits = true
    return !mustWait
  }

  pause(): void {
    this.#paused = true
    if (!this.#ending) this.#stream.pause()
  }

  resume(): void {
    this.#paused = false
    if (this.#handler !== undefined) this.#stream.resume()
  }

  /**
   * The stream is not destroyed as soon as all is sent: input that nobody has read would turn the
   * close into a reset, and a reset can destroy what the other side has not read yet. It destroys
   * itself when both sides have ended.
   */
  end(): void {
    if (this.#ending) return
    this.#ending = true
    const stream = this.#stream
    stream.setTimeout(lingerMs, () => stream.destroy())
    stream.once('finish', () => {
      this.#linger = setTimeout(() => stream.destroy(), lingerMs).unref()
    })
    stream.end()
    stream.resume()
  }

  destroy(error?: Error): void {
    this.#error ??= error
    this.#stream.destroy(error)
  }

  #tellDrained(): void {
    if (!this.#writerWaits || this.#ending) return
    this.#writerWaits = false
    this.#handler?.drained()
  }

  #otherSideEnded(): void {
    if (this.#ending) return
    this.#handler?.ended()
    this.end()
  }

  #tellClosed(): void {
    clearTimeout(this.#linger)
    this.#handler?.closed(this.#error)
  }
}

/** An address as the system gives it; IPv4 that came in through an IPv6 socket is written as IPv4. */
export function endpoint(address: string | undefined, port: number | undefined): Endpoint {
  return { host: (address ?? '').replace(/^::ffff:(?=\d+\.)/, ''), port: port ?? 0 }
}

function isEncrypted(stream: StreamSocket): stream is TLSSocket {
  return 'encrypted' in stream
}

/**
 * Node writes a name one part a line, from the root down, values escaped as RFC 2253 says, and the
 * parts of a multi-valued name with ` + ` between them. RFC 2253 starts with the last part.
 */
function verifiedPeerName(stream: TLSSocket): string | undefined {
  if (!stream.authorized) return undefined
  const subject = stream.getPeerX509Certificate()?.subject
  return subject?.split('\n').reverse().join(',').replaceAll(' + ', '+')
}
