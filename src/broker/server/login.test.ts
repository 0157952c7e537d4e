import { describe, expect, it } from 'vitest'
import type { LogLevel } from '../../observe/index.ts'
import { createNodePlatform } from '../../platform/index.ts'
import {
  apiVersionsApi,
  encodeRequest,
  FrameReader,
  kafkaError,
  metadataApi,
  saslAuthenticateApi,
  saslHandshakeApi,
} from '../../protocol/index.ts'
import type { Api, RequestInput } from '../../protocol/index.ts'
import { WireClient } from '../../testing/wire-client.ts'
import { startBroker } from '../embedded-broker.ts'

const platform = createNodePlatform()
const rightPassword = Buffer.from('\0alice\0wonderland')
const wrongPassword = Buffer.from('\0alice\0looking-glass')
const manyFrames = 200

/** A connection to a broker that asks for logins. */
interface Scene extends AsyncDisposable {
  /** Asks, and understands the answers. */
  readonly client: WireClient
  /** Sends bytes. */
  readonly raw: RawConnection
  /** What the broker has said to operators. */
  readonly lines: readonly string[]
}

interface RawConnection {
  readonly received: readonly Buffer[]
  readonly closed: Promise<void>
  send(...frames: readonly Uint8Array[]): void
}

async function scene(): Promise<Scene> {
  const lines: string[] = []
  const log = (level: LogLevel, message: string) => lines.push(`${level} ${message}`)
  const broker = await startBroker({ users: { alice: 'wonderland' }, log })
  const at = { platform, host: '127.0.0.1', port: Number(broker.bootstrap.split(':').at(-1)) }
  const client = await WireClient.connect(at)
  return {
    client,
    raw: await connectRaw(at.host, at.port),
    lines,
    async [Symbol.asyncDispose]() {
      await client[Symbol.asyncDispose]()
      await broker.close()
    },
  }
}

async function connectRaw(host: string, port: number): Promise<RawConnection> {
  const socket = await platform.network.connect({ host, port, timeoutMs: 5000 })
  const received: Buffer[] = []
  const closed = new Promise<void>((resolve) => {
    socket.start({
      data: (chunk) => received.push(chunk),
      drained: () => undefined,
      ended: () => undefined,
      closed: () => resolve(),
    })
  })
  return { received, closed, send: (...frames) => void socket.write([Buffer.concat(frames)]) }
}

function frame<A extends Api>(api: A, version: number, body: RequestInput<A>): Buffer {
  const header = { version, correlationId: 1, clientId: 'test' }
  return Buffer.concat(encodeRequest(api, header, body))
}

function bare(message: Buffer): Buffer {
  return Buffer.concat([Buffer.from([0, 0, 0, message.length]), message])
}

const noBytes = Buffer.alloc(0)
const metadata = frame(metadataApi, 9, { topics: [] })
const plainHandshake = frame(saslHandshakeApi, 1, { mechanism: 'PLAIN' })
const bareHandshake = frame(saslHandshakeApi, 0, { mechanism: 'PLAIN' })
const tooEarly = frame(saslAuthenticateApi, 2, { authBytes: rightPassword })
const wrongLogin = frame(saslAuthenticateApi, 2, { authBytes: wrongPassword })
const bareRightLogin = bare(rightPassword)
const bareWrongLogin = bare(wrongPassword)
const guess = frame(saslHandshakeApi, 1, { mechanism: 'GUESS' })
const nameless = frame(saslHandshakeApi, 1, { mechanism: 'PLAIN\nwarn all is lost' })
const versions = frame(apiVersionsApi, 0, {})
/** API key 999, which ends the connection. */
const unknownRequest = Buffer.from('0000000a03e7000000000009ffff', 'hex')
const invalid = 'invalid credentials with SASL mechanism PLAIN'

describe('a connection that may not go on', () => {
  it.each([
    ['a request before the login', [], metadata, 'Metadata before authentication'],
    ['a login before its handshake', [], tooEarly, 'SaslAuthenticate before authentication'],
    ['a request within a login', [plainHandshake], versions, 'ApiVersions before authentication'],
    ['a second handshake', [plainHandshake], plainHandshake, 'a mechanism had been chosen'],
    ['a mechanism that is not offered', [], guess, 'mechanism GUESS is not offered'],
    ['a mechanism without a name', [], nameless, 'mechanism without a proper name is not offered'],
    ['a wrong password', [plainHandshake], wrongLogin, invalid],
    ['a wrong password in a bare frame', [bareHandshake], bareWrongLogin, invalid],
  ])('is logged once for %s, however many requests follow', async (_what, before, last, reason) => {
    await using stage = await scene()
    const { raw, lines } = stage
    raw.send(...before, last, ...Array.from({ length: manyFrames }, () => last))
    await raw.closed
    expect(lines).toEqual([expect.stringContaining(reason)])
    expect(lines[0]).toMatch(/^warn closed a connection: /)
  })

  it('is logged once for requests that are sent one by one', async () => {
    await using stage = await scene()
    const { raw, lines } = stage
    for (let index = 0; index < manyFrames; index++) raw.send(metadata)
    await raw.closed
    expect(lines).toHaveLength(1)
  })
})

describe('a request of a megabyte', () => {
  const authBytes = Buffer.alloc(1024 * 1024)

  it('is taken from nobody who has not logged in', async () => {
    await using stage = await scene()
    const { raw, lines } = stage
    raw.send(plainHandshake, frame(saslAuthenticateApi, 2, { authBytes }))
    await raw.closed
    expect(lines).toEqual([expect.stringContaining('more than 524288 bytes before authentication')])
  })

  it('is taken after the login', async () => {
    await using stage = await scene()
    const { client } = stage
    await client.request(saslHandshakeApi, 1, { mechanism: 'PLAIN' })
    await client.request(saslAuthenticateApi, 2, { authBytes: rightPassword })
    const answer = await client.request(saslAuthenticateApi, 2, { authBytes })
    expect(answer.errorCode).toBe(kafkaError.ILLEGAL_SASL_STATE)
  })
})

describe('a login', () => {
  it('is told what was wrong before the connection closes', async () => {
    await using stage = await scene()
    const { client } = stage
    await client.request(saslHandshakeApi, 1, { mechanism: 'PLAIN' })
    const answer = await client.request(saslAuthenticateApi, 2, { authBytes: wrongPassword })
    expect(answer.errorCode).toBe(kafkaError.SASL_AUTHENTICATION_FAILED)
    expect(answer.errorMessage).toContain(invalid)
    await client.closed
  })

  it('opens the connection for all that follows, and is not logged', async () => {
    await using stage = await scene()
    const { client, lines } = stage
    await client.request(saslHandshakeApi, 1, { mechanism: 'PLAIN' })
    const answer = await client.request(saslAuthenticateApi, 2, { authBytes: rightPassword })
    expect(answer.errorCode).toBe(kafkaError.NONE)
    const again = await client.request(saslHandshakeApi, 1, { mechanism: 'PLAIN' })
    expect(again.errorCode).toBe(kafkaError.ILLEGAL_SASL_STATE)
    expect((await client.request(metadataApi, 9, { topics: [] })).brokers).toHaveLength(1)
    expect(lines).toEqual([])
  })

  it('in bare frames is answered in bare frames, and requests follow', async () => {
    await using stage = await scene()
    const { raw, lines } = stage
    raw.send(bareHandshake, bareRightLogin, versions, unknownRequest)
    await raw.closed
    const frames: Buffer[] = []
    new FrameReader(10_000).push(Buffer.concat(raw.received), (bytes) => frames.push(bytes))
    const [handshaken, loggedIn, asked, ...others] = frames
    expect(saslHandshakeApi.response.decode(handshaken?.subarray(4) ?? noBytes, 0).errorCode).toBe(
      0,
    )
    expect(loggedIn).toEqual(noBytes)
    expect(apiVersionsApi.response.decode(asked?.subarray(4) ?? noBytes, 0).errorCode).toBe(0)
    expect(others).toEqual([])
    expect(lines).toEqual([expect.stringContaining('API key 999 is not known')])
  })
})
