/**
 * A TCP proxy in front of a Kafka broker that tells every frame it carries. It knows a request's
 * API key and version from its header, and those of a response by its correlation id.
 */
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { once } from 'node:events'
import { frameOf, frameReader } from './frames.ts'

/** One request or response, without the length before it. */
export interface RecordedFrame {
  readonly apiKey: number
  readonly apiVersion: number
  readonly direction: 'request' | 'response'
  readonly clientId: string | null
  readonly content: Buffer
}

export interface RecordingProxyOptions {
  /** Where the broker is; asked at each connection, since the proxy is there before the broker. */
  readonly target: () => string
  readonly record: (frame: RecordedFrame) => void
  /** What the client gets in place of a response, after it was recorded. */
  readonly rewrite?: (frame: RecordedFrame) => Buffer
}

export interface RecordingProxy extends AsyncDisposable {
  /** `127.0.0.1:port`, to be given to the broker as its advertised address. */
  readonly address: string
}

/** Starts a proxy on a free port of 127.0.0.1. */
export async function startRecordingProxy(options: RecordingProxyOptions): Promise<RecordingProxy> {
  const sockets = new Set<Socket>()
  const server = createServer((client) => {
    const target = options.target()
    const colon = target.lastIndexOf(':')
    const broker = connect(Number(target.slice(colon + 1)), target.slice(0, colon))
    for (const socket of [client, broker]) {
      sockets.add(socket)
      socket.setNoDelay(true)
      socket.once('close', () => sockets.delete(socket))
      // An error is followed by 'close', which ends the other half.
      socket.on('error', () => undefined)
    }
    client.once('close', () => broker.destroy())
    broker.once('close', () => client.destroy())
    join(client, broker, options)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: () => close(server, sockets),
  }
}

function join(client: Socket, broker: Socket, options: RecordingProxyOptions): void {
  const asked = new Map<number, Pick<RecordedFrame, 'apiKey' | 'apiVersion' | 'clientId'>>()
  const fromClient = frameReader((content) => {
    const apiKey = content.readInt16BE(0)
    const apiVersion = content.readInt16BE(2)
    const clientIdBytes = content.readInt16BE(8)
    const clientId = clientIdBytes < 0 ? null : content.toString('utf8', 10, 10 + clientIdBytes)
    const request = { apiKey, apiVersion, clientId }
    asked.set(content.readInt32BE(4), request)
    options.record({ ...request, direction: 'request', content })
    broker.write(frameOf(content))
  })
  const fromBroker = frameReader((content) => {
    const correlationId = content.readInt32BE(0)
    const request = asked.get(correlationId)
    if (request === undefined) throw new Error(`no request has correlation id ${correlationId}`)
    asked.delete(correlationId)
    const frame: RecordedFrame = { ...request, direction: 'response', content }
    options.record(frame)
    client.write(frameOf(options.rewrite?.(frame) ?? content))
  })
  client.on('data', fromClient)
  broker.on('data', fromBroker)
}

async function close(server: Server, sockets: ReadonlySet<Socket>): Promise<void> {
  for (const socket of sockets) socket.destroy()
  const closed = once(server, 'close')
  server.close()
  await closed
}
