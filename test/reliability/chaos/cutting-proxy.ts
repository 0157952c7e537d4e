/** A TCP proxy in front of a broker that cuts connections of workers between a request and its answer, or in the answer. */
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'

interface Carried {
  readonly client: Socket
  readonly broker: Socket
  clientId: string | undefined
  /** What is done with the next bytes of the broker: nothing of them, or the first half, is passed on. */
  cut: 'before' | 'within' | undefined
}

/** Where the client's name lies in its first request: behind length, key, version and correlation id. */
const nameAt = 12

export class CuttingProxy implements AsyncDisposable {
  readonly #server: Server
  readonly #target: () => string
  readonly #carried = new Set<Carried>()
  /** Connections that were cut. */
  cuts = 0

  private constructor(target: () => string) {
    this.#target = target
    this.#server = createServer((client) => this.#carry(client))
  }

  static async start(target: () => string): Promise<CuttingProxy> {
    const proxy = new CuttingProxy(target)
    proxy.#server.listen(0, '127.0.0.1')
    await once(proxy.#server, 'listening')
    return proxy
  }

  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** Cuts each connection of a client with such a name when the broker answers it next. */
  cut(names: RegExp, where: 'before' | 'within'): void {
    for (const carried of this.#carried) {
      if (names.test(carried.clientId ?? '')) carried.cut = where
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    for (const { client, broker } of this.#carried) {
      client.destroy()
      broker.destroy()
    }
    await closed
  }

  #carry(client: Socket): void {
    const target = this.#target()
    const colon = target.lastIndexOf(':')
    const broker = connect(Number(target.slice(colon + 1)), target.slice(0, colon))
    const carried: Carried = { client, broker, clientId: undefined, cut: undefined }
    this.#carried.add(carried)
    for (const socket of [client, broker]) {
      socket.setNoDelay(true)
      // An error is followed by 'close', which ends the other half.
      socket.on('error', () => undefined)
      socket.once('close', () => {
        this.#carried.delete(carried)
        client.destroy()
        broker.destroy()
      })
    }
    client.on('data', (chunk) => {
      carried.clientId ??= nameIn(chunk)
      broker.write(chunk)
    })
    broker.on('data', (chunk) => {
      if (carried.cut === undefined) {
        client.write(chunk)
        return
      }
      this.cuts += 1
      if (carried.cut === 'before') client.destroy()
      else client.end(chunk.subarray(0, Math.ceil(chunk.length / 2)))
      broker.destroy()
    })
  }
}

function nameIn(chunk: Buffer): string {
  if (chunk.length < nameAt + 2) return ''
  const length = chunk.readInt16BE(nameAt)
  return length < 0 ? '' : chunk.toString('utf8', nameAt + 2, nameAt + 2 + length)
}
