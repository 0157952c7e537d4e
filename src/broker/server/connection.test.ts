import { describe, expect, it } from 'vitest'
import type { Socket, SocketHandler } from '../../platform/index.ts'
import { silentLog } from '../../observe/index.ts'
import { Connection } from './connection.ts'
import { BrokerBuffers } from '../reused-buffers.ts'
import type { ConnectionLimits, Reply, RequestReceiver } from './connection.ts'

const limits: ConnectionLimits = {
  requestBytesMax: 1000,
  requestsInFlightMax: 4,
  bytesInFlightMax: 500,
  idleMs: 1000,
}

class FakeSocket implements Socket {
  readonly local = { host: '127.0.0.1', port: 1 }
  readonly remote = { host: '127.0.0.1', port: 2 }
  readonly peerName = undefined
  readonly encrypted = false
  readonly queuedBytes = 0
  readonly sent: string[] = []
  writes = 0
  /** Says that the system has taken what was written last. */
  allSent: (() => void) | undefined
  handler: SocketHandler | undefined
  accepts = true
  paused = false
  state: 'open' | 'ended' | 'destroyed' = 'open'

  start(handler: SocketHandler): void {
    this.handler = handler
  }
  write(chunks: readonly Uint8Array[], sent?: () => void): boolean {
    this.writes += 1
    this.allSent = sent
    this.sent.push(...chunks.map((chunk) => Buffer.from(chunk).toString()))
    return this.accepts
  }
  pause(): void {
    this.paused = true
  }
  resume(): void {
    this.paused = false
  }
  end(): void {
    this.state = 'ended'
  }
  destroy(): void {
    this.state = 'destroyed'
  }
  receive(...frames: string[]): void {
    const bytes = frames.map((text) => {
      const size = Buffer.alloc(4)
      size.writeInt32BE(text.length)
      return Buffer.concat([size, Buffer.from(text)])
    })
    this.handler?.data(Buffer.concat(bytes))
  }
}

function open(receive: RequestReceiver, buffers?: BrokerBuffers, bounds = limits) {
  const socket = new FakeSocket()
  let now = 0
  const clock = {
    now: () => now,
    elapsedMs: () => now,
    setTimer: () => ({ cancel: () => undefined }),
    sleep: () => Promise.resolve(),
    defer: () => undefined,
  }
  const connection = new Connection({
    socket,
    clock,
    log: silentLog,
    limits: bounds,
    receive,
    buffers,
    closed: () => undefined,
  })
  connection.start()
  const advance = (ms: number) => {
    now += ms
  }
  return { socket, connection, advance }
}

/** Requests that are answered when the test says so. */
function heldRequests() {
  const held = new Map<string, { proceed: () => void; answer: (reply: Reply) => Promise<void> }>()
  const receive: RequestReceiver = (frame, proceed) =>
    new Promise((resolve) => {
      const answer = async (reply: Reply) => {
        resolve(reply)
        await Promise.resolve()
        await Promise.resolve()
      }
      held.set(frame.toString(), { proceed, answer })
    })
  return { held, receive }
}

const reply = (text: string): Reply => [Buffer.from(text)]

describe('a connection', () => {
  it('begins a request when the one before it was answered', async () => {
    const { held, receive } = heldRequests()
    const { socket } = open(receive)
    socket.receive('a', 'b')
    expect([...held.keys()]).toEqual(['a'])
    await held.get('a')?.answer(reply('A'))
    expect(socket.sent).toEqual(['A'])
    expect([...held.keys()]).toEqual(['a', 'b'])
  })

  it('sends answers that wait for the same thing in one write', async () => {
    let synced: () => void = () => undefined
    const sync = new Promise<void>((resolve) => (synced = resolve))
    const { socket } = open((frame, proceed) => {
      queueMicrotask(proceed)
      return sync.then(() => reply(frame.toString().toUpperCase()))
    })
    socket.receive('a', 'b', 'c')
    // A macrotask, by when all three have begun.
    await new Promise((resolve) => setImmediate(resolve))
    synced()
    await new Promise((resolve) => setImmediate(resolve))
    expect({ sent: socket.sent, writes: socket.writes }).toEqual({
      sent: ['A', 'B', 'C'],
      writes: 1,
    })
  })

  it('answers in the order of requests although later ones finish first', async () => {
    const { held, receive } = heldRequests()
    const { socket } = open(receive)
    socket.receive('a', 'b', 'c')
    held.get('a')?.proceed()
    held.get('b')?.proceed()
    await held.get('c')?.answer(reply('C'))
    await held.get('b')?.answer('nothing')
    expect(socket.sent).toEqual([])
    await held.get('a')?.answer(reply('A'))
    expect(socket.sent).toEqual(['A', 'C'])
  })

  it('stops reading while too much is in flight, and begins again', async () => {
    const { held, receive } = heldRequests()
    const { socket } = open(receive)
    socket.receive('a', 'b', 'c', 'd')
    expect(socket.paused).toBe(true)
    await held.get('a')?.answer(reply('A'))
    expect(socket.paused).toBe(false)
  })

  it('begins nothing while the client does not read its responses', () => {
    const begun: string[] = []
    const { socket } = open((frame) => {
      begun.push(frame.toString())
      return reply('x')
    })
    socket.accepts = false
    socket.receive('a')
    socket.receive('b')
    expect(begun).toEqual(['a'])
    expect(socket.paused).toBe(true)
    socket.accepts = true
    socket.handler?.drained()
    expect(begun).toEqual(['a', 'b'])
    expect(socket.paused).toBe(false)
  })

  it('answers what it has received when the client has said its last word', async () => {
    const { held, receive } = heldRequests()
    const { socket } = open(receive)
    socket.receive('a')
    socket.handler?.ended()
    expect(socket.state).toBe('open')
    await held.get('a')?.answer(reply('A'))
    expect(socket.sent).toEqual(['A'])
    expect(socket.state).toBe('ended')
  })

  it('sends what was due before a request that ends it, and nothing after', async () => {
    const { held, receive } = heldRequests()
    const { socket } = open(receive)
    socket.receive('a', 'b')
    held.get('a')?.proceed()
    await held.get('b')?.answer('close')
    await held.get('a')?.answer(reply('A'))
    expect(socket.sent).toEqual(['A'])
    expect(socket.state).toBe('ended')
  })

  it('sends a last answer, and drops what came behind its request', async () => {
    const { held, receive } = heldRequests()
    const { socket } = open(receive)
    socket.receive('a', 'b', 'c', 'd')
    held.get('a')?.proceed()
    held.get('b')?.proceed()
    await held.get('b')?.answer({ last: [Buffer.from('B')] })
    socket.receive('e')
    await held.get('a')?.answer(reply('A'))
    await held.get('c')?.answer(reply('C'))
    expect(socket.sent).toEqual(['A', 'B'])
    expect(socket.state).toBe('ended')
    expect([...held.keys()]).toEqual(['a', 'b', 'c'])
  })

  it('shows nobody the requests behind one that ends it, however many came', () => {
    const seen: string[] = []
    const { socket } = open((frame) => {
      seen.push(frame.toString())
      return 'close'
    })
    socket.receive(...Array.from({ length: 100 }, (_, index) => `request ${index}`))
    for (let index = 100; index < 200; index++) socket.receive(`request ${index}`)
    expect(seen).toEqual(['request 0'])
    expect(socket.state).toBe('ended')
  })

  it('is destroyed by bytes that are no request', () => {
    const { socket } = open(() => 'nothing')
    socket.handler?.data(Buffer.from('GET / HTTP/1.1\r\n\r\n'))
    expect(socket.state).toBe('destroyed')
  })

  it('is closed when it was silent for too long, but not while it waits for an answer', async () => {
    const { held, receive } = heldRequests()
    const { socket, connection, advance } = open(receive)
    socket.receive('a')
    advance(2000)
    connection.closeIfIdle()
    expect(socket.state).toBe('open')
    await held.get('a')?.answer(reply('A'))
    advance(999)
    connection.closeIfIdle()
    expect(socket.state).toBe('open')
    advance(1)
    connection.closeIfIdle()
    expect(socket.state).toBe('destroyed')
  })
})

describe('a connection with buffers that are used again', () => {
  const requestBytes = 300_000
  const roomy: ConnectionLimits = { ...limits, requestBytesMax: 1_000_000, bytesInFlightMax: 1e9 }

  /** A request that comes in three pieces. */
  function receiveLarge(socket: FakeSocket): void {
    const bytes = Buffer.alloc(4 + requestBytes, 'r')
    bytes.writeInt32BE(requestBytes)
    for (const [from, to] of [
      [0, 100_000],
      [100_000, 200_000],
    ]) {
      socket.handler?.data(bytes.subarray(from, to))
    }
    socket.handler?.data(bytes.subarray(200_000))
  }

  it.each([
    { kept: 'nothing', again: true },
    { kept: 'something', again: false },
  ])('reads into the bytes of an answered request of which $kept was kept', async ({ again }) => {
    const frames: Buffer[] = []
    let answer: ((reply: Reply) => void) | undefined
    const receive: RequestReceiver = (frame, proceed, keptNothing) => {
      frames.push(frame)
      if (again) keptNothing()
      proceed()
      return new Promise((resolve) => {
        answer = resolve
      })
    }
    const { socket } = open(receive, new BrokerBuffers(), roomy)
    receiveLarge(socket)
    receiveLarge(socket)
    answer?.(reply('second'))
    await Promise.resolve()
    receiveLarge(socket)
    const [first, second, third] = frames.map(({ buffer }) => buffer)
    expect(second).not.toBe(first)
    expect(third === second).toBe(again)
  })

  it('gives back what was read for a response when the system has taken it', () => {
    const buffers = new BrokerBuffers()
    const read = buffers.reads.take(100_000)
    const { socket } = open(() => [read], buffers)
    socket.receive('fetch')
    expect(buffers.reads.take(100_000).buffer).not.toBe(read.buffer)
    socket.allSent?.()
    expect(buffers.reads.take(100_000).buffer).toBe(read.buffer)
  })

  it('gives back no request that a response passes on', () => {
    const buffers = new BrokerBuffers()
    const kept = buffers.requests.take(100_000)
    const { socket } = open(() => [kept], buffers)
    socket.receive('sync group')
    socket.allSent?.()
    expect(buffers.requests.take(100_000).buffer).not.toBe(kept.buffer)
  })
})
