import { ProtocolError } from '../errors.ts'
import type { Platform, Socket, TlsClientOptions } from '../platform/index.ts'
import { encodeRequest, FrameReader, Reader, readResponseHeader } from '../protocol/index.ts'
import type { Api, RequestInput, ResponseOf } from '../protocol/index.ts'

interface WireClientOptions {
  readonly platform: Platform
  readonly host: string
  readonly port: number
  readonly clientId?: string
  readonly tls?: TlsClientOptions
}

interface Waiting {
  readonly correlationId: number
  readonly api: Api
  readonly version: number
  readonly resolve: (response: object) => void
  readonly reject: (error: Error) => void
}

const connectTimeoutMs = 5_000
const responseBytesMax = 512 * 1024 * 1024

/**
 * One connection that speaks the protocol and nothing more: no retries, no metadata, no groups. For
 * tests that need to say exactly what goes over the wire, in the real world and in a simulation.
 */
export class WireClient implements AsyncDisposable {
  readonly #socket: Socket
  readonly #clientId: string
  readonly #waiting: Waiting[] = []
  readonly #frames = new FrameReader(responseBytesMax)
  #nextCorrelationId = 1
  #closedBecause: Error | undefined
  readonly #closed: Promise<void>

  constructor(socket: Socket, clientId: string) {
    this.#socket = socket
    this.#clientId = clientId
    this.#closed = new Promise((resolve) => {
      socket.start({
        data: (chunk) => this.#frames.push(chunk, (frame) => this.#response(frame)),
        drained: () => undefined,
        ended: () => socket.end(),
        closed: (error) => {
          this.#fail(error ?? new Error('the broker has closed the connection'))
          resolve()
        },
      })
    })
  }

  static async connect(options: WireClientOptions): Promise<WireClient> {
    const { platform, host, port, clientId = 'wire-client', tls } = options
    const socket = await platform.network.connect({
      host,
      port,
      timeoutMs: connectTimeoutMs,
      ...(tls === undefined ? {} : { tls }),
    })
    return new WireClient(socket, clientId)
  }

  /** Resolves when the connection has ended, whoever ended it. */
  get closed(): Promise<void> {
    return this.#closed
  }

  /** Sends a request; requests may overlap. Rejects when the connection ends first. */
  request<A extends Api>(api: A, version: number, body: RequestInput<A>): Promise<ResponseOf<A>> {
    if (this.#closedBecause !== undefined) return Promise.reject(this.#closedBecause)
    const correlationId = this.#nextCorrelationId
    this.#nextCorrelationId += 1
    const response = new Promise<object>((resolve, reject) => {
      this.#waiting.push({ correlationId, api, version, resolve, reject })
    })
    this.#send(api, version, correlationId, body)
    return response as Promise<ResponseOf<A>>
  }

  /** Sends a request that has no response (Produce with acks=0). */
  send<A extends Api>(api: A, version: number, body: RequestInput<A>): void {
    this.#send(api, version, 0, body)
  }

  /** Sends bytes as they are. */
  sendBytes(bytes: Uint8Array): void {
    this.#socket.write([bytes])
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.destroy()
    await this.#closed
  }

  #send<A extends Api>(
    api: A,
    version: number,
    correlationId: number,
    body: RequestInput<A>,
  ): void {
    const header = { version, correlationId, clientId: this.#clientId }
    this.#socket.write(encodeRequest(api, header, body))
  }

  #response(frame: Buffer): void {
    const waiting = this.#waiting.shift()
    if (waiting === undefined) {
      this.#socket.destroy(new ProtocolError('a response came that nobody has asked for'))
      return
    }
    const { api, version, correlationId, resolve, reject } = waiting
    try {
      const reader = new Reader(frame)
      const answered = readResponseHeader(reader, api, version)
      if (answered !== correlationId) {
        throw new ProtocolError(`response to request ${answered} came in place of ${correlationId}`)
      }
      resolve(api.response.read(reader, version))
      if (reader.remaining > 0) throw new ProtocolError(`${api.name} v${version} is too long`)
    } catch (error) {
      reject(error as Error)
      this.#socket.destroy(error as Error)
    }
  }

  #fail(error: Error): void {
    this.#closedBecause = error
    for (const { reject } of this.#waiting.splice(0)) reject(error)
  }
}
