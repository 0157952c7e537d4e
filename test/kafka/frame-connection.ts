/**
 * A connection that carries Kafka frames (a length of four bytes, then that many bytes) without
 * knowing what is in them. A broker answers in request order, so responses are matched by order.
 */
import { connect, type Socket } from 'node:net'
import { once } from 'node:events'
import { frameOf, frameReader } from './frames.ts'

interface Waiting {
  resolve(frame: Buffer): void
  reject(error: Error): void
}

/** States: open, then closed (by either side); requests that wait when it closes are rejected. */
export class FrameConnection {
  readonly #socket: Socket
  readonly #waiting: Waiting[] = []
  #closed: Error | undefined
  readonly closed: Promise<void>

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.setNoDelay(true)
    socket.on(
      'data',
      frameReader((content) => this.#waiting.shift()?.resolve(content)),
    )
    socket.on('error', (error) => (this.#closed ??= error))
    this.closed = new Promise((resolve) => {
      socket.on('close', () => {
        this.#closed ??= new Error('the broker closed the connection')
        for (const waiting of this.#waiting.splice(0)) waiting.reject(this.#closed)
        resolve()
      })
    })
  }

  /** Connects to `host:port`. */
  static async open(address: string): Promise<FrameConnection> {
    const colon = address.lastIndexOf(':')
    const socket = connect({
      host: address.slice(0, colon),
      port: Number(address.slice(colon + 1)),
    })
    await once(socket, 'connect')
    return new FrameConnection(socket)
  }

  /** Sends one frame's content and resolves with the content of its answer. */
  request(content: Uint8Array): Promise<Buffer> {
    if (this.#closed !== undefined) return Promise.reject(this.#closed)
    const answer = new Promise<Buffer>((resolve, reject) => this.#waiting.push({ resolve, reject }))
    this.send(content)
    return answer
  }

  /** Sends one frame's content to which no answer is expected (a Produce with acks 0). */
  send(content: Uint8Array): void {
    this.#socket.write(frameOf(content))
  }

  close(): void {
    this.#socket.destroy()
  }

  [Symbol.dispose](): void {
    this.close()
  }
}
