import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isNetworkError, type Platform, type Socket } from '../../platform/index.ts'
import { callEcho, echo, handler, never, serveEcho } from './fixture/echo.ts'
import { createSimulation, type Simulation, type SimulationOptions } from './simulation.ts'

const anywhere = { host: '0.0.0.0', port: 9092 }
const server = { host: 'server', port: 9092 }
const quick = { withinMs: 60_000 }

function worldWithEcho(options: Partial<SimulationOptions> = {}): Simulation {
  const simulation = createSimulation({ seed: 1, ...options })
  simulation.host('server').start('echo', (platform) => serveEcho(platform, anywhere))
  return simulation
}

/** Connects and keeps what the socket is told. */
async function connect(platform: Platform, timeoutMs = 30_000): Promise<ConnectedSocket> {
  const socket = await platform.network.connect({ ...server, timeoutMs })
  const seen: ConnectedSocket = { socket, received: '', calls: [], error: undefined }
  socket.start(
    handler({
      data: (chunk) => {
        seen.received += chunk.toString('latin1')
      },
      drained: () => seen.calls.push('drained'),
      ended: () => seen.calls.push('ended'),
      closed: (error) => {
        seen.calls.push('closed')
        seen.error = error
      },
    }),
  )
  return seen
}

interface ConnectedSocket {
  readonly socket: Socket
  received: string
  readonly calls: string[]
  error: Error | undefined
}

/** A client that is connected and stays so. */
async function connectedClient(simulation: Simulation, host = 'client'): Promise<ConnectedSocket> {
  const connected: ConnectedSocket[] = []
  simulation.host(host).start('client', async (platform) => {
    connected.push(await connect(platform))
    await never()
  })
  await simulation.runUntil(() => connected.length === 1, quick)
  return connected[0] as ConnectedSocket
}

describe('a simulated connection', () => {
  it('carries bytes in order, however they are cut, joined and delayed', async () => {
    const message = fc.uint8Array({ maxLength: 3_000 })
    const probability = fc.constantFrom(0, 0.3, 0.9)
    const property = fc.asyncProperty(
      fc.nat(),
      fc.array(message, { minLength: 1, maxLength: 12 }),
      probability,
      probability,
      fc.constantFrom(1, 700, 128 * 1024),
      async (seed, messages, splitProbability, mergeProbability, bufferBytes) => {
        const network = { splitProbability, mergeProbability, bufferBytes: bufferBytes + 50 }
        const simulation = worldWithEcho({ seed, network })
        const whole = Buffer.concat([Buffer.from('!'), ...messages])
        const call = (platform: Platform): Promise<Buffer> =>
          callEcho(platform, server, [Buffer.from('!'), ...messages])
        const limit = { withinMs: 600_000 }
        const received = await simulation.runProcess('client', 'call', call, limit)
        expect(received.equals(whole)).toBe(true)
      },
    )
    await fc.assert(property, { seed: 1, numRuns: 40 })
  })

  it('cuts and joins writes: readers must not count on either', async () => {
    const sizes: number[] = []
    const simulation = createSimulation({ seed: 3, network: { splitProbability: 0.3 } })
    simulation.host('server').start('server', async (platform) => {
      const accept = (socket: Socket): void =>
        socket.start(handler({ data: ({ length }) => sizes.push(length) }))
      await platform.network.listen({ ...anywhere, accept })
      await never()
    })
    await simulation.runProcess(
      'client',
      'client',
      async (platform) => {
        const { socket } = await connect(platform)
        for (let count = 0; count < 200; count += 1) {
          socket.write([Buffer.alloc(100)])
          if (count % 10 === 0) await platform.clock.sleep(1)
        }
        socket.end()
        await platform.clock.sleep(10_000)
      },
      quick,
    )
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(20_000)
    expect(sizes.some((size) => size < 100)).toBe(true)
    expect(sizes.some((size) => size > 100)).toBe(true)
  })

  it('lets the pieces of one write arrive at different times', async () => {
    const gapsMs: number[] = []
    for (let seed = 0; seed < 20; seed += 1) {
      const simulation = worldWithEcho({ seed, network: { splitProbability: 0.5 } })
      const client = await connectedClient(simulation)
      client.socket.write([Buffer.alloc(100)])
      await simulation.runUntil(() => client.received.length > 0, quick)
      const firstAtMs = simulation.nowMs
      await simulation.runUntil(() => client.received.length === 100, quick)
      gapsMs.push(simulation.nowMs - firstAtMs)
    }
    expect(gapsMs.filter((gapMs) => gapMs > 0.1).length).toBeGreaterThan(5)
  })

  it('keeps no order between connections', async () => {
    const firsts = new Set<string>()
    for (let seed = 0; seed < 10; seed += 1) {
      const simulation = createSimulation({ seed })
      const arrived: string[] = []
      simulation.host('server').start('server', async (platform) => {
        const accept = (socket: Socket): void =>
          socket.start(handler({ data: (chunk) => arrived.push(chunk.toString()) }))
        await platform.network.listen({ ...anywhere, accept })
        await never()
      })
      await simulation.runProcess(
        'client',
        'client',
        async (platform) => {
          const one = await connect(platform)
          const other = await connect(platform)
          one.socket.write([Buffer.from('1')])
          other.socket.write([Buffer.from('2')])
          await platform.clock.sleep(1_000)
        },
        quick,
      )
      expect([...arrived].sort()).toEqual(['1', '2'])
      firsts.add(arrived.join())
    }
    expect(firsts).toEqual(new Set(['1,2', '2,1']))
  })

  it('holds no more than its buffer, and tells the writer to wait and to go on', async () => {
    const bufferBytes = 10_000
    const simulation = createSimulation({ seed: 4, network: { bufferBytes } })
    const accepted: Socket[] = []
    let readBytes = 0
    simulation.host('server').start('server', async (platform) => {
      const accept = (socket: Socket): void => {
        accepted.push(socket)
        socket.pause()
        socket.start(handler({ data: ({ length }) => (readBytes += length) }))
      }
      await platform.network.listen({ ...anywhere, accept })
      await never()
    })
    const client = await connectedClient(simulation)
    const bytes = 1_000_000
    expect(client.socket.write([Buffer.alloc(100_000)])).toBe(true)
    expect(client.socket.write([Buffer.alloc(bytes - 100_000)])).toBe(false)
    await simulation.runFor(60_000)
    expect(client.socket.queuedBytes).toBe(bytes - bufferBytes)
    expect([readBytes, client.calls]).toEqual([0, []])
    accepted[0]?.resume()
    await simulation.runUntil(() => readBytes === bytes, quick)
    expect(client.calls).toEqual(['drained'])
    expect(client.socket.queuedBytes).toBe(0)
  })

  it('takes as long as its bandwidth makes it', async () => {
    const network = { bytesPerMs: 100, latencyMs: { min: 5, max: 5 }, slowProbability: 0 }
    const simulation = worldWithEcho({ network })
    const durationMs = await simulation.runProcess(
      'client',
      'call',
      async (platform) => {
        const startMs = platform.clock.elapsedMs()
        await callEcho(platform, server, [Buffer.alloc(50_000)])
        return platform.clock.elapsedMs() - startMs
      },
      quick,
    )
    expect(durationMs).toBeGreaterThan(500)
    expect(durationMs).toBeLessThan(1_200)
  })

  it('ends in order: what was written arrives, then both sides are told once', async () => {
    const simulation = worldWithEcho()
    const client = await connectedClient(simulation)
    client.socket.write([Buffer.from('last words')])
    await simulation.runUntil(() => client.received === 'last words', quick)
    client.socket.end()
    expect(client.socket.write([Buffer.from('dropped')])).toBe(true)
    await simulation.runUntilIdle(quick)
    expect(client.calls).toEqual(['closed'])
    expect(client.error).toBeUndefined()
    expect(simulation.network.openConnections).toBe(0)
  })

  it('is reset at a random byte, for both sides', async () => {
    const lengths = new Set<number>()
    for (let seed = 0; seed < 12; seed += 1) {
      const simulation = worldWithEcho({ seed })
      const client = await connectedClient(simulation)
      for (let count = 0; count < 20; count += 1) {
        simulation.after(count, () => client.socket.write([Buffer.alloc(10)]))
      }
      simulation.after(seed * 2, () => simulation.network.reset('client', 'server'))
      await simulation.runUntilIdle(quick)
      expect(client.calls).toEqual(['closed'])
      expect(isNetworkError(client.error, 'reset')).toBe(true)
      expect(client.received.length).toBeLessThanOrEqual(200)
      lengths.add(client.received.length)
      expect(simulation.network.openConnections).toBe(0)
    }
    expect(lengths.size).toBeGreaterThan(2)
  })

  it('can be gone for one side without the other knowing, until it sends', async () => {
    const simulation = worldWithEcho()
    const client = await connectedClient(simulation)
    simulation.network.vanish('server')
    await simulation.runFor(600_000)
    expect(client.calls).toEqual([])
    client.socket.write([Buffer.from('anybody there?')])
    await simulation.runUntil(() => client.calls.length > 0, quick)
    expect(client.calls).toEqual(['closed'])
    expect(isNetworkError(client.error, 'reset')).toBe(true)
  })

  it('does not notice a reset while it is paused, until it writes', async () => {
    const simulation = worldWithEcho()
    const client = await connectedClient(simulation)
    client.socket.pause()
    simulation.host('server').process('echo')?.kill()
    await simulation.runFor(60_000)
    expect(client.calls).toEqual([])
    client.socket.write([Buffer.from('?')])
    await simulation.runUntil(() => client.calls.length > 0, quick)
    expect(client.calls.at(-1)).toBe('closed')
  })
})

describe('a simulated partition', () => {
  it('holds back what is sent until it heals, and loses nothing', async () => {
    const simulation = worldWithEcho()
    const client = await connectedClient(simulation)
    simulation.network.partition(['client'], ['server'])
    client.socket.write([Buffer.from('held ')])
    await simulation.runFor(30_000)
    client.socket.write([Buffer.from('back')])
    await simulation.runFor(30_000)
    expect(client.received).toBe('')
    simulation.network.heal()
    await simulation.runUntil(() => client.received === 'held back', quick)
    expect(client.calls).toEqual([])
  })

  it('leaves nothing behind when both sides have gone meanwhile', async () => {
    const simulation = worldWithEcho()
    const client = await connectedClient(simulation)
    await simulation.runFor(1_000)
    simulation.network.partition(['client'], ['server'])
    client.socket.write([Buffer.from('lost')])
    await simulation.runFor(1_000)
    client.socket.destroy()
    simulation.host('server').process('echo')?.kill()
    await simulation.runUntilIdle({ withinMs: 10_000 })
    expect(simulation.network.openConnections).toBe(0)
  })

  it('works one way only, and together with others', async () => {
    const simulation = worldWithEcho()
    const client = await connectedClient(simulation)
    const other = await connectedClient(simulation, 'other')
    const endAnswers = simulation.network.partition(['server'], ['client'], { isOneWay: true })
    const endAll = simulation.network.partition(['server'], ['client', 'other'])
    client.socket.write([Buffer.from('a')])
    other.socket.write([Buffer.from('b')])
    endAll()
    endAll()
    await simulation.runUntil(() => other.received === 'b', quick)
    await simulation.runFor(10_000)
    expect(client.received).toBe('')
    endAnswers()
    await simulation.runUntil(() => client.received === 'a', quick)
  })

  it('ends a connection for the side that sent, when it lasts too long', async () => {
    const simulation = worldWithEcho({ network: { retransmissionTimeoutMs: 20_000 } })
    const client = await connectedClient(simulation)
    const silent = await connectedClient(simulation, 'silent')
    simulation.network.partition(['client', 'silent'], ['server'])
    client.socket.write([Buffer.from('lost')])
    await simulation.runUntil(() => client.calls.length > 0, { withinMs: 25_000 })
    expect(isNetworkError(client.error, 'timeout')).toBe(true)
    expect(silent.calls).toEqual([])
    simulation.network.heal()
    silent.socket.write([Buffer.from('fine')])
    await simulation.runUntil(() => silent.received === 'fine', quick)
  })

  it('lets a request to connect through once it has healed', async () => {
    const simulation = worldWithEcho()
    simulation.network.partition(['client'], ['server'])
    simulation.after(5_500, () => simulation.network.heal())
    const connectedAtMs = await simulation.runProcess(
      'client',
      'client',
      async (platform) => {
        await connect(platform)
        return platform.clock.elapsedMs()
      },
      quick,
    )
    // Asked again after 1, 2 and 4 seconds.
    expect(connectedAtMs).toBeGreaterThan(7_000)
    expect(connectedAtMs).toBeLessThan(8_000)
  })
})

describe('connecting in the simulated world', () => {
  async function failureOf(
    simulation: Simulation,
    endpoint: { host: string; port: number },
    signal?: AbortSignal,
  ): Promise<unknown> {
    const options = { ...endpoint, timeoutMs: 5_000, ...(signal && { signal }) }
    return await simulation.runProcess(
      'client',
      'client',
      async ({ network }) => {
        return await network.connect(options).then(
          () => undefined,
          (error: unknown) => error,
        )
      },
      quick,
    )
  }

  it('fails as in the real world: refused, unknown, no answer', async () => {
    const refused = await failureOf(worldWithEcho(), { host: 'server', port: 1 })
    expect(refused).toMatchObject({
      reason: 'refused',
      message: 'cannot connect to server:1: nobody listens there',
    })
    const unknown = await failureOf(worldWithEcho(), { host: 'nowhere', port: 1 })
    expect(unknown).toMatchObject({ reason: 'name-not-found' })
    const down = worldWithEcho()
    down.after(0, () => down.host('server').powerLoss())
    expect(await failureOf(down, server)).toMatchObject({
      reason: 'timeout',
      message: 'cannot connect to server:9092: no answer within 5000 ms',
    })
  })

  it('stops with the reason of its signal', async () => {
    const reason = new Error('never mind')
    expect(await failureOf(worldWithEcho(), server, AbortSignal.abort(reason))).toBe(reason)
    const simulation = worldWithEcho()
    const controller = new AbortController()
    simulation.network.partition(['client'], ['server'])
    simulation.after(100, () => controller.abort(reason))
    expect(await failureOf(simulation, server, controller.signal)).toBe(reason)
  })

  it('waits for a listener that is paused, up to its backlog', async () => {
    const simulation = worldWithEcho({ network: { backlog: 2 } })
    await simulation.runFor(10)
    const process = simulation.host('server').process('echo')
    process?.pause()
    const outcomes: string[] = []
    for (const name of ['a', 'b', 'c']) {
      simulation.host(name).start('client', async (platform) => {
        await connect(platform, 10_000).then(
          () => outcomes.push('connected'),
          () => outcomes.push('no answer'),
        )
        await never()
      })
      await simulation.runFor(100)
    }
    await simulation.runFor(11_000)
    expect(outcomes).toEqual(['connected', 'connected', 'no answer'])
    process?.resume()
    expect(await failureOf(simulation, server)).toBeUndefined()
  })

  it('does not learn that a listener is gone whose host has lost its power', async () => {
    const simulation = worldWithEcho()
    await simulation.runFor(10)
    simulation.host('server').process('echo')?.pause()
    const client = await connectedClient(simulation)
    await simulation.runFor(100)
    simulation.host('server').powerLoss()
    await simulation.runFor(60_000)
    expect(client.calls).toEqual([])
  })

  it('gives each address to one listener, and frees it when the listener closes', async () => {
    const simulation = createSimulation({ seed: 1 })
    await simulation.runProcess(
      'server',
      'server',
      async ({ network }) => {
        const listener = await network.listen({ ...anywhere, accept: echo })
        await expect(network.listen({ ...anywhere, accept: echo })).rejects.toMatchObject({
          reason: 'address-in-use',
          message: 'cannot listen on 0.0.0.0:9092: another process listens there',
        })
        await expect(
          network.listen({ host: 'elsewhere', port: 1, accept: echo }),
        ).rejects.toMatchObject({ reason: 'address-not-available' })
        const free = await network.listen({ host: '127.0.0.1', port: 0, accept: echo })
        expect(free.local.port).toBeGreaterThan(1_023)
        await listener.close()
        await network.listen({ ...anywhere, accept: echo })
      },
      quick,
    )
  })

  it('reaches a listener on loopback from its own host only', async () => {
    const simulation = createSimulation({ seed: 1 })
    const local = { host: '127.0.0.1', port: 9092 }
    simulation.host('client').start('echo', (platform) => serveEcho(platform, local))
    simulation.host('server').start('echo', (platform) => serveEcho(platform, local))
    await simulation.runFor(10)
    expect(await failureOf(simulation, server)).toMatchObject({ reason: 'refused' })
    expect(await failureOf(simulation, local)).toBeUndefined()
  })
})
