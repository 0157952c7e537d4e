import net from 'node:net'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { ignore, recorded, type RecordingHandler } from './fixture/recording-handler.ts'
import { isNetworkError } from './network-error.ts'
import { nodeNetwork } from './node-network.ts'
import type { Listener, Socket } from './platform.ts'

const loopback = { host: '127.0.0.1', port: 0 }
const open: (() => Promise<void> | void)[] = []

afterEach(async () => {
  vi.restoreAllMocks()
  vi.useRealTimers()
  for (const close of open.splice(0)) await close()
})

interface Pair {
  readonly listener: Listener
  readonly client: Socket
  readonly server: Socket
}

async function connectedPair(): Promise<Pair> {
  const accepted: Socket[] = []
  const listener = await nodeNetwork.listen({
    ...loopback,
    accept: (socket) => {
      accepted.push(socket)
      open.push(() => socket.destroy())
    },
  })
  open.push(() => listener.close())
  const client = await nodeNetwork.connect({ ...listener.local, timeoutMs: 5_000 })
  open.push(() => client.destroy())
  await vi.waitUntil(() => accepted.length === 1)
  return { listener, client, server: accepted[0] as Socket }
}

function countOf(handler: RecordingHandler, call: string): number {
  return handler.calls.filter((name) => name === call).length
}

describe('a connection on this machine', () => {
  it('knows both its ends', async () => {
    const { listener, client, server } = await connectedPair()
    expect(client.remote).toEqual(listener.local)
    expect(server.local).toEqual(listener.local)
    expect(server.remote).toEqual(client.local)
    expect(client.encrypted || server.encrypted).toBe(false)
    expect(client.peerName).toBeUndefined()
  })

  it('writes the chunks of one call with one call to the system', async () => {
    const { client, server } = await connectedPair()
    const handler = recorded(server)
    const writes = vi.spyOn(net.Socket.prototype, '_writev' as never)
    const single = vi.spyOn(net.Socket.prototype, '_write')
    client.write(['one ', 'two ', 'three'].map((text) => Buffer.from(text)))
    await handler.untilReceived(13)
    expect(writes).toHaveBeenCalledTimes(1)
    expect(single).not.toHaveBeenCalled()
    expect(handler.received.toString()).toBe('one two three')
  })

  it('keeps what arrives before it is started, and delivers nothing while paused', async () => {
    const { client, server } = await connectedPair()
    client.write([Buffer.from('early')])
    server.pause()
    const handler = recorded(server)
    server.resume()
    await handler.untilReceived(5)
    server.pause()
    const other = recorded(client)
    client.write([Buffer.from('late')])
    // An answer on the way back shows that the bytes had their time to arrive.
    server.write([Buffer.from('answer')])
    await other.untilReceived(6)
    expect(handler.received.toString()).toBe('early')
    server.resume()
    await handler.untilReceived(9)
    expect(handler.received.toString()).toBe('earlylate')
  })

  it('tells a writer to wait while the other side does not read, and when to go on', async () => {
    const { client, server } = await connectedPair()
    const writer = recorded(client)
    server.pause()
    const reader = recorded(server)
    const chunk = Buffer.alloc(1024 * 1024, 7)
    let written = 0
    do written += chunk.length
    while (client.write([chunk]) && written < 512 * chunk.length)
    expect(client.queuedBytes).toBeGreaterThan(0)
    expect(countOf(writer, 'drained')).toBe(0)
    server.resume()
    await writer.until('drained')
    await reader.untilReceived(written)
    expect(client.queuedBytes).toBe(0)
    expect(countOf(writer, 'drained')).toBe(1)
    expect(reader.received.equals(Buffer.alloc(written, 7))).toBe(true)
  })

  it('says when the system has taken what was written, and not before', async () => {
    const { client, server } = await connectedPair()
    recorded(client)
    server.pause()
    const reader = recorded(server)
    const chunk = Buffer.alloc(1024 * 1024, 7)
    let written = 0
    let taken = 0
    const write = () =>
      client.write([chunk, chunk], () => {
        taken += 2 * chunk.length
      })
    do written += 2 * chunk.length
    while (write() && written < 512 * chunk.length)
    expect(taken).toBeLessThan(written)
    server.resume()
    await reader.untilReceived(written)
    await vi.waitUntil(() => taken === written)
  })

  it('sends the queued answer to a peer that has stopped sending', async () => {
    const answer = Buffer.alloc(4 * 1024 * 1024, 1)
    const listener = await nodeNetwork.listen({
      ...loopback,
      accept: (socket) => {
        socket.start({
          data: () => socket.write([answer]),
          drained: ignore,
          ended: () => socket.write([Buffer.from('last')]),
          closed: ignore,
        })
      },
    })
    open.push(() => listener.close())
    const asking = net.connect({ ...listener.local, allowHalfOpen: true })
    let receivedBytes = 0
    asking.on('data', (chunk: Buffer) => (receivedBytes += chunk.length))
    asking.end('question')
    await new Promise((resolve) => asking.once('end', resolve))
    expect(receivedBytes).toBe(answer.length + 4)
  })

  it('does not wait without end for a peer that never ends', async () => {
    const stubborn: net.Socket[] = []
    const listener = net.createServer({ allowHalfOpen: true }, (stream) => stubborn.push(stream))
    listener.listen(loopback)
    open.push(() => void listener.close())
    await new Promise((resolve) => listener.once('listening', resolve))
    const { port } = listener.address() as net.AddressInfo
    const client = await nodeNetwork.connect({ host: '127.0.0.1', port, timeoutMs: 5_000 })
    const handler = recorded(client)
    await vi.waitUntil(() => stubborn.length === 1)
    stubborn[0]?.on('error', ignore)
    const ended = new Promise((resolve) => stubborn[0]?.resume().once('end', resolve))
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    client.end()
    await ended
    expect(handler.calls).toEqual([])
    vi.advanceTimersByTime(5_000)
    vi.useRealTimers()
    await handler.until('closed')
    expect(handler.errors).toEqual([])
    stubborn[0]?.destroy()
  })

  it('does not wait without end for a peer that takes nothing', async () => {
    const { client } = await connectedPair()
    const handler = recorded(client)
    const inactivity = vi.spyOn(net.Socket.prototype, 'setTimeout')
    client.write([Buffer.alloc(64 * 1024 * 1024)])
    client.end()
    const [delayMs, giveUp] = inactivity.mock.calls[0] ?? []
    expect(delayMs).toBe(5_000)
    expect(client.queuedBytes).toBeGreaterThan(0)
    giveUp?.()
    await handler.until('closed')
    expect(handler.errors).toEqual([])
  })

  it('ends in order: all is sent, both sides are told once and without an error', async () => {
    const { client, server } = await connectedPair()
    const clientHandler = recorded(client)
    const serverHandler = recorded(server)
    const bytes = Buffer.alloc(3 * 1024 * 1024, 3)
    client.write([bytes])
    client.end()
    client.end()
    expect(client.write([Buffer.from('dropped')])).toBe(true)
    await Promise.all([serverHandler.until('closed'), clientHandler.until('closed')])
    expect(serverHandler.received.equals(bytes)).toBe(true)
    expect(serverHandler.calls.slice(-2)).toEqual(['ended', 'closed'])
    expect(clientHandler.calls).toEqual(['closed'])
    expect([...serverHandler.errors, ...clientHandler.errors]).toEqual([])
    expect(client.write([Buffer.from('dropped')])).toBe(true)
  })

  it('reports a reset once, and its own destruction with its own error', async () => {
    const listener = net.createServer((stream) => {
      stream.once('data', () => stream.resetAndDestroy())
    })
    listener.listen(loopback)
    open.push(() => void listener.close())
    await new Promise((resolve) => listener.once('listening', resolve))
    const { port } = listener.address() as net.AddressInfo
    const reset = await nodeNetwork.connect({ host: '127.0.0.1', port, timeoutMs: 5_000 })
    const resetHandler = recorded(reset)
    reset.write([Buffer.from('reset me')])
    await resetHandler.until('closed')
    expect(resetHandler.calls).toEqual(['closed'])
    expect(isNetworkError(resetHandler.errors[0], 'reset')).toBe(true)

    const { client } = await connectedPair()
    const handler = recorded(client)
    const reason = new Error('no use')
    client.destroy(reason)
    client.destroy(new Error('again'))
    await handler.until('closed')
    expect(handler.errors).toEqual([reason])
  })

  it('tells a handler that comes after the end', async () => {
    const { client, server } = await connectedPair()
    const reason = new Error('gone before')
    const other = recorded(server)
    client.destroy(reason)
    await other.until('closed')
    const handler = recorded(client)
    expect(handler.calls).toEqual([])
    await handler.until('closed')
    expect(handler.errors).toEqual([reason])
  })
})

describe('connecting on this machine', () => {
  it('says who refused', async () => {
    const { listener } = await connectedPair()
    const { port } = listener.local
    await listener.close()
    const connecting = nodeNetwork.connect({ host: '127.0.0.1', port, timeoutMs: 5_000 })
    await expect(connecting).rejects.toMatchObject({
      reason: 'refused',
      message: `cannot connect to 127.0.0.1:${port}: nobody listens there`,
    })
  })

  it('gives up at its timeout', async () => {
    // TLS to a server that never answers: the handshake waits.
    const { listener } = await connectedPair()
    const tls = { serverName: 'localhost' }
    const connecting = nodeNetwork.connect({ ...listener.local, tls, timeoutMs: 20 })
    await expect(connecting).rejects.toMatchObject({ reason: 'timeout' })
  })

  it('stops with the reason of its signal, before and during', async () => {
    const { listener } = await connectedPair()
    const reason = new Error('never mind')
    const base = { ...listener.local, tls: { serverName: 'localhost' }, timeoutMs: 60_000 }
    const aborted = nodeNetwork.connect({ ...base, signal: AbortSignal.abort(reason) })
    await expect(aborted).rejects.toBe(reason)
    const controller = new AbortController()
    const connecting = nodeNetwork.connect({ ...base, signal: controller.signal })
    controller.abort(reason)
    await expect(connecting).rejects.toBe(reason)
  })

  it('refuses what is no port', async () => {
    const connecting = nodeNetwork.connect({ host: '127.0.0.1', port: 99_999, timeoutMs: 1_000 })
    await expect(connecting).rejects.toThrow('cannot connect to 127.0.0.1:99999: ')
  })
})

describe('listening on this machine', () => {
  it('says that the address is taken, or not ours', async () => {
    const { listener } = await connectedPair()
    const { host, port } = listener.local
    const accept = ignore
    await expect(nodeNetwork.listen({ host, port, accept })).rejects.toMatchObject({
      reason: 'address-in-use',
      message: `cannot listen on ${host}:${port}: another process listens there`,
    })
    // An address of the block kept for documentation: no machine has it.
    await expect(nodeNetwork.listen({ host: '192.0.2.1', port: 0, accept })).rejects.toMatchObject({
      reason: 'address-not-available',
    })
  })

  it('goes on when the system cannot hand over a connection', async () => {
    const create = vi.spyOn(net, 'createServer')
    const refused: Error[] = []
    const listener = await nodeNetwork.listen({
      ...loopback,
      accept: ignore,
      refused: (_remote, error) => refused.push(error),
    })
    open.push(() => listener.close())
    const server = create.mock.results[0]?.value as net.Server
    server.emit('error', Object.assign(new Error('accept ENFILE'), { code: 'ENFILE' }))
    expect(refused.map(({ message }) => message)).toEqual([
      'cannot accept a connection: accept ENFILE',
    ])
    expect(server.listening).toBe(true)
  })

  it('frees the address when it closes, and leaves accepted sockets open', async () => {
    const { listener, client, server } = await connectedPair()
    await listener.close()
    const again = await nodeNetwork.listen({ ...listener.local, accept: ignore })
    open.push(() => again.close())
    const handler = recorded(server)
    client.write([Buffer.from('still here')])
    await handler.untilReceived(10)
  })

  it('writes an IPv4 address as such when it came in by IPv6', async () => {
    const hosts: string[] = []
    const listener = await nodeNetwork.listen({
      host: '::ffff:127.0.0.1',
      port: 0,
      accept: (socket) => {
        hosts.push(socket.remote.host)
        socket.destroy()
      },
    })
    open.push(() => listener.close())
    const { port } = listener.local
    const client = await nodeNetwork.connect({ host: '127.0.0.1', port, timeoutMs: 5_000 })
    await recorded(client).until('closed')
    expect(hosts).toEqual(['127.0.0.1'])
  })
})
