import { describe, expect, it } from 'vitest'
import type { Socket, SocketHandler } from '../../platform/index.ts'
import { createNodePlatform } from '../../platform/index.ts'
import { encodeResponse, findCoordinatorApi, metadataApi, Reader } from '../../protocol/index.ts'
import { ControlledClock } from '../../testing/index.ts'
import { RequestPipe } from './request-pipe.ts'

/** The other side of a pipe, in the test's hands. */
class FakeSocket implements Socket {
  readonly local = { host: '127.0.0.1', port: 1 }
  readonly remote = { host: '127.0.0.1', port: 2 }
  readonly peerName = undefined
  readonly encrypted = false
  queuedBytes = 0
  isDestroyed = false
  readonly sent: { readonly correlationId: number }[] = []
  #handler: SocketHandler | undefined

  start(handler: SocketHandler): void {
    this.#handler = handler
  }

  write(chunks: readonly Uint8Array[]): boolean {
    const reader = new Reader(Buffer.concat(chunks))
    reader.take(4 + 2 + 2)
    this.sent.push({ correlationId: reader.int32() })
    return true
  }

  pause = (): void => undefined
  resume = (): void => undefined
  end(): void {
    this.destroy()
  }

  destroy(): void {
    this.isDestroyed = true
  }

  receive(bytes: Uint8Array): void {
    this.#handler?.data(Buffer.from(bytes))
  }

  drained(): void {
    this.queuedBytes = 0
    this.#handler?.drained()
  }

  answer(index: number, throttleTimeMs = 0): void {
    const { correlationId } = this.sent[index]!
    const body = { throttleTimeMs, errorCode: 0, nodeId: 7, host: 'h', port: 1, coordinators: [] }
    this.receive(Buffer.concat(encodeResponse(findCoordinatorApi, 2, correlationId, body)))
  }
}

function openPipe(limits: { requestsInFlightMax?: number; bytesInFlightMax?: number } = {}) {
  const socket = new FakeSocket()
  const clock = new ControlledClock(createNodePlatform().clock)
  const closings: Error[] = []
  const pipe = new RequestPipe({
    socket,
    clock,
    name: 'broker 1',
    clientId: 'test',
    requestsInFlightMax: 64,
    bytesInFlightMax: 1024,
    responseBytesMax: 1024,
    closed: (error) => closings.push(error),
    ...limits,
  })
  const ask = (timeoutMs = 1000) =>
    pipe.request(findCoordinatorApi, 2, { key: 'k', keyType: 0 }, timeoutMs)
  return { socket, clock, closings, pipe, ask }
}

describe('RequestPipe', () => {
  it('answers requests in their order', async () => {
    const { socket, ask } = openPipe()
    const asked = [ask(), ask(), ask()]
    expect(socket.sent.length).toBe(3)
    for (const index of [0, 1, 2]) socket.answer(index)
    expect((await Promise.all(asked)).map(({ nodeId }) => nodeId)).toEqual([7, 7, 7])
  })

  it('closes when an answer is for another request', async () => {
    const { socket, ask, closings } = openPipe()
    const asked = [ask(), ask()]
    socket.answer(1)
    await expect(asked[0]).rejects.toMatchObject({ code: 'MILLRACE_PROTOCOL_INVALID' })
    await expect(asked[1]).rejects.toMatchObject({ wasSent: true })
    expect(socket.isDestroyed).toBe(true)
    expect(closings.length).toBe(1)
  })

  it.each([
    ['an answer that nobody asked for', Buffer.from('0000000400000001', 'hex')],
    ['a length above what is allowed', Buffer.from('7fffffff', 'hex')],
    ['what is no answer at all', Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')],
  ])('closes at %s', (_name, bytes) => {
    const { socket, closings } = openPipe()
    socket.receive(bytes)
    expect(socket.isDestroyed).toBe(true)
    expect(closings.length).toBe(1)
  })

  it('sends nothing while the broker throttles', async () => {
    const { socket, ask, clock } = openPipe()
    const first = ask()
    socket.answer(0, 500_000)
    await first
    const second = ask(10_000_000)
    expect(socket.sent.length).toBe(1)
    await clock.advance(400_000)
    expect(socket.sent.length).toBe(1)
    await clock.advance(100_000)
    socket.answer(1)
    await expect(second).resolves.toMatchObject({ nodeId: 7 })
  })

  it('waits while too many bytes are queued', async () => {
    const { socket, ask } = openPipe({ bytesInFlightMax: 10 })
    socket.queuedBytes = 10
    const asked = ask()
    expect(socket.sent.length).toBe(0)
    socket.drained()
    socket.answer(0)
    await expect(asked).resolves.toBeDefined()
  })

  it('closes when an answer is late, and rejects what was behind it as sent', async () => {
    const { ask, clock, closings } = openPipe()
    const outcomes = Promise.allSettled([ask(100), ask(5000)])
    await clock.advance(100)
    for (const outcome of await outcomes) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { wasSent: true } })
    }
    expect(closings.length).toBe(1)
  })

  it('notices a deadline that is before those set earlier', async () => {
    const { ask, clock } = openPipe({ requestsInFlightMax: 1 })
    const first = ask(5000)
    const second = ask(50)
    const outcomes = Promise.allSettled([second, first])
    await clock.advance(50)
    await expect(second).rejects.toMatchObject({ wasSent: false })
    await clock.advance(4950)
    expect((await outcomes)[1]).toMatchObject({ reason: { wasSent: true } })
  })

  it('runs a login alone: after all answers, before what comes later', async () => {
    const { socket, ask, pipe } = openPipe()
    const before = ask()
    const login = pipe.whileIdle(async (request) => {
      await request(findCoordinatorApi, 2, { key: 'login', keyType: 0 }, 1000)
    })
    const after = ask()
    expect(socket.sent.length).toBe(1)
    socket.answer(0)
    await before
    expect(socket.sent.length).toBe(2)
    socket.answer(1)
    await login
    expect(socket.sent.length).toBe(3)
    socket.answer(2)
    await expect(after).resolves.toBeDefined()
  })

  it('rejects a request that cannot be written, and goes on', async () => {
    const { socket, ask, pipe } = openPipe()
    const bad = pipe.request(metadataApi, 1, { topics: [{ name: 'x'.repeat(70_000) }] }, 1000)
    await expect(bad).rejects.toMatchObject({ code: 'MILLRACE_PROTOCOL_INVALID' })
    const good = ask()
    socket.answer(0)
    await expect(good).resolves.toBeDefined()
  })
})
