import { describe, expect, it } from 'vitest'
import type { Platform, Socket } from '../../platform/index.ts'
import { callEcho, echo, handler, never, serveEcho } from './fixture/echo.ts'
import type { SeamCall } from './process.ts'
import { createSimulation, type Simulation } from './simulation.ts'

const anywhere = { host: '0.0.0.0', port: 9092 }
const server = { host: 'server', port: 9092 }
const quick = { withinMs: 60_000 }

/** Counts in a file how often it got how far: once written, once synced, once answered. */
async function countUp(platform: Platform): Promise<void> {
  const { disk, network, clock, random } = platform
  disk.makeDirectory('/data')
  await disk.syncDirectory('/')
  const file = disk.open('/data/count', 'create')
  await disk.syncDirectory('/data')
  for (let count = 1; count <= 3; count += 1) {
    file.write([Buffer.from(`${count}${random.integer(10)}${clock.now() % 10}`)], (count - 1) * 3)
    await file.sync()
  }
  const answer = await callEcho({ ...platform, network }, server, [Buffer.from('done')])
  file.write([answer], 9)
  await file.sync()
  file.close()
}

function worldWithEcho(seed = 1): Simulation {
  const simulation = createSimulation({ seed })
  simulation.host('server').start('echo', (platform) => serveEcho(platform, anywhere))
  return simulation
}

describe('a simulated process', () => {
  it('can be killed at every call, and leaves what such a death leaves', async () => {
    let callCount = 0
    const names = new Set<string>()
    for (let killAt = 0; killAt === 0 || killAt < callCount; killAt += 1) {
      const simulation = worldWithEcho(killAt)
      const onCall = ({ process, index, name }: SeamCall): 'kill' | undefined => {
        if (process.name !== 'counter') return undefined
        if (index === killAt) names.add(name)
        return index === killAt ? 'kill' : undefined
      }
      simulation.changeCallFaults({ onCall })
      let ended = 0
      const process = simulation.host('counter').start('counter', async (platform) => {
        await countUp(platform)
        ended += 1
      })
      await simulation.runFor(60_000)
      expect([process.state, ended]).toEqual(['killed', 0])
      expect(process.callCount).toBe(killAt + 1)
      simulation.changeCallFaults({ onCall: undefined })
      // The page cache survives: what is there is a beginning of what the program writes.
      const left = simulation.host('counter').disk.files().get('/data/count') ?? Buffer.alloc(0)
      expect(left.toString()).toMatch(
        /^(1?|1\d|1\d\d(2?|2\d|2\d\d(3?|3\d|3\d\d(d|do|don|done)?)))$/,
      )
      const again = simulation.host('counter').restart('counter')
      await simulation.runUntil(() => again.isOver, quick)
      expect([again.state, ended]).toEqual(['ended', 1])
      const whole = simulation.host('counter').disk.files().get('/data/count')
      expect(whole?.toString()).toMatch(/^1\d\d2\d\d3\d\ddone$/)
      callCount = again.callCount
    }
    expect(callCount).toBeGreaterThan(20)
    for (const name of ['disk.write', 'disk.sync', 'network.connect', 'socket.write']) {
      expect(names).toContain(name)
    }
  })

  it('may leave a part of a write when it is killed in the middle of it', async () => {
    const left = new Set<number>()
    for (let seed = 0; seed < 40; seed += 1) {
      const onCall = ({ name }: SeamCall): 'kill' | undefined =>
        name === 'disk.write' ? 'kill' : undefined
      const simulation = createSimulation({ seed, calls: { onCall } })
      simulation.host('host').start('writer', async ({ disk }) => {
        disk.open('/file', 'create').write([Buffer.from('ab'), Buffer.from('c')], 0)
        await never()
      })
      await simulation.runUntilIdle(quick)
      const bytes = simulation.host('host').disk.files().get('/file') ?? Buffer.alloc(0)
      expect('abc'.startsWith(bytes.toString())).toBe(true)
      left.add(bytes.length)
    }
    expect([...left].sort()).toEqual([0, 1, 2, 3])
  })

  it('gets nothing any more once it was killed, and nothing it does has an effect', async () => {
    const simulation = worldWithEcho()
    const seen: string[] = []
    const process = simulation.host('client').start('client', async (platform) => {
      const { clock, disk } = platform
      disk.lock('/lock')
      const file = disk.open('/file', 'create')
      const socket = await platform.network.connect({ ...server, timeoutMs: 1_000 })
      socket.start(handler({ data: () => seen.push('data'), closed: () => seen.push('closed') }))
      socket.write([Buffer.from('hello')])
      clock.setTimer(5, () => seen.push('timer'))
      clock.defer(() => {
        process.kill()
        const refused = [
          () => file.write([Buffer.from('late')], 0),
          () => disk.open('/other', 'create'),
          () => socket.write([Buffer.from('late')]),
          () => clock.now(),
          () => platform.random.fraction(),
        ].filter((call) => {
          try {
            call()
          } catch {
            return true
          }
          return false
        })
        seen.push(`refused ${refused.length}`)
        void clock.sleep(1).then(() => seen.push('slept'))
        void Promise.reject(new Error('of a dead process'))
      })
      await never()
    })
    await simulation.runUntilIdle(quick)
    expect(seen).toEqual(['refused 5'])
    expect([...simulation.host('client').disk.files().keys()]).toEqual(['/file', '/lock'])
    expect(simulation.host('client').disk.files().get('/file')?.length).toBe(0)
    expect(simulation.network.openConnections).toBe(0)
    await simulation.runProcess(
      'client',
      'next',
      ({ disk }) => {
        expect(disk.lock('/lock')).toBeDefined()
        return Promise.resolve()
      },
      quick,
    )
  })

  it('shows its peers an end or a reset when it is killed, by chance', async () => {
    const endings = new Set<string>()
    for (let seed = 0; seed < 20; seed += 1) {
      const simulation = worldWithEcho(seed)
      simulation.host('client').start('client', async (platform) => {
        const socket = await platform.network.connect({ ...server, timeoutMs: 1_000 })
        socket.start(
          handler({ closed: (error) => endings.add(error === undefined ? 'end' : 'reset') }),
        )
        await never()
      })
      await simulation.runFor(1_000)
      simulation.host('server').process('echo')?.kill()
      await simulation.runUntilIdle(quick)
    }
    expect(endings).toEqual(new Set(['end', 'reset']))
  })

  it('leaves its peers in the dark when its host loses power', async () => {
    const simulation = worldWithEcho()
    const calls: string[] = []
    const sockets: Socket[] = []
    simulation.host('client').start('client', async (platform) => {
      const socket = await platform.network.connect({ ...server, timeoutMs: 1_000 })
      socket.start(handler({ closed: (error) => calls.push(String(error)) }))
      sockets.push(socket)
      await never()
    })
    await simulation.runFor(1_000)
    simulation.host('server').powerLoss()
    await simulation.runFor(60_000)
    sockets[0]?.write([Buffer.from('hello?')])
    await simulation.runFor(60_000)
    expect(calls).toEqual([])
    simulation.host('server').boot()
    expect(simulation.host('server').process('echo')?.state).toBe('running')
    await simulation.runUntil(() => calls.length === 1, quick)
    expect(calls[0]).toContain('the other side reset the connection')
  })

  it('does nothing while it is paused, and everything, in order, when it is resumed', async () => {
    const simulation = createSimulation({ seed: 2 })
    const seen: string[] = []
    const process = simulation.host('server').start('server', async (platform) => {
      const { clock } = platform
      const accept = (socket: Socket): void => {
        seen.push('accepted')
        socket.start(handler({ data: (chunk) => seen.push(chunk.toString()) }))
      }
      await platform.network.listen({ ...anywhere, accept })
      const doomed = clock.setTimer(300, () => seen.push('cancelled'))
      clock.setTimer(200, () => {
        seen.push(`timer at ${clock.elapsedMs()}`)
        doomed.cancel()
      })
      await never()
    })
    await simulation.runFor(100)
    process.pause()
    await simulation.runProcess(
      'client',
      'client',
      async (platform) => {
        const socket = await platform.network.connect({ ...server, timeoutMs: 1_000 })
        socket.start(handler({}))
        socket.write([Buffer.from('hello')])
        await platform.clock.sleep(5_000)
        expect(seen).toEqual([])
        expect(process.state).toBe('paused')
      },
      quick,
    )
    const resumedAtMs = simulation.nowMs
    process.resume()
    await simulation.runUntilIdle(quick)
    expect(seen[0]).toBe('accepted')
    expect([...seen].sort()).toEqual(['accepted', 'hello', `timer at ${resumedAtMs}`])
  })

  it('sends nothing of what it does after the call at which it was paused', async () => {
    const simulation = createSimulation({ seed: 1 })
    const received: string[] = []
    simulation.host('server').start('server', async (platform) => {
      const accept = (socket: Socket): void =>
        socket.start(handler({ data: (chunk) => received.push(chunk.toString()) }))
      await platform.network.listen({ ...anywhere, accept })
      await never()
    })
    // The hazard of every lease: the check is passed, then the world goes on without the process.
    let looks = 0
    const onCall = ({ name }: SeamCall): { pauseMs: number } | undefined => {
      if (name === 'clock.now') looks += 1
      return name === 'clock.now' && looks === 2 ? { pauseMs: 30_000 } : undefined
    }
    simulation.changeCallFaults({ onCall })
    let writtenAtMs = 0
    simulation.host('client').start('holder', async ({ network, clock }) => {
      const socket = await network.connect({ ...server, timeoutMs: 1_000 })
      socket.start(handler({}))
      const leaseEndsAtMs = clock.now() + 1_000
      await clock.sleep(10)
      if (clock.now() < leaseEndsAtMs) socket.write([Buffer.from('mine')])
      writtenAtMs = simulation.nowMs
      await never()
    })
    await simulation.runUntil(() => received.length > 0, { withinMs: 120_000 })
    expect(simulation.nowMs - writtenAtMs).toBeGreaterThan(29_000)
    await simulation.runUntil(() => received.join('') === 'mine', quick)
  })

  it('ends the run when it fails, wherever the error comes out', async () => {
    const failures: Record<string, (platform: Platform) => unknown> = {
      thrown: () => {
        throw new Error('it broke')
      },
      'in a timer': ({ clock }) =>
        clock.setTimer(5, () => {
          throw new Error('it broke')
        }),
      'in a promise that nobody awaits': ({ clock }) =>
        void clock.sleep(5).then(() => Promise.reject(new Error('it broke'))),
      'in a microtask': ({ clock }) =>
        clock.setTimer(5, () =>
          queueMicrotask(() => {
            throw new Error('it broke')
          }),
        ),
    }
    for (const fail of Object.values(failures)) {
      const simulation = createSimulation({ seed: 99, replayCommand: (seed) => `again ${seed}` })
      simulation.host('host').start('program', async (platform) => {
        fail(platform)
        await never()
      })
      const running = simulation.runUntilIdle(quick)
      await expect(running).rejects.toThrow(/^seed 99, after \d+ virtual ms: the process program/)
      await expect(running).rejects.toThrow(/it broke(.|\n)*replay: again 99$/)
      expect(simulation.host('host').process('program')?.state).toBe('failed')
      await expect(simulation.runFor(1)).rejects.toThrow('it broke')
    }
  })

  it('may fail where the scenario says so, as often as it is restarted', async () => {
    const simulation = createSimulation({ seed: 1 })
    const host = simulation.host('host')
    const fail = (): Promise<void> => Promise.reject(new Error('as planned'))
    for (let count = 0; count < 3; count += 1) {
      const process =
        count === 0 ? host.start('program', fail, { mayFail: true }) : host.restart('program')
      await simulation.runFor(1_000)
      expect(process.state).toBe('failed')
      expect(process.failure).toMatchObject({ message: 'as planned' })
    }
  })

  it('harms no other when it runs into its end in the turn of that one', async () => {
    const simulation = createSimulation({ seed: 1 })
    let open = (): void => undefined
    const gate = new Promise<void>((resolve) => (open = resolve))
    const killed = simulation.host('a').start('killed', async ({ random }) => {
      void gate.then(() => random.fraction())
      await never()
    })
    const other = simulation.host('b').start('other', async ({ clock }) => {
      await clock.sleep(5)
      killed.kill()
      open()
      await never()
    })
    await simulation.runFor(1_000)
    expect([killed.state, other.state]).toEqual(['killed', 'running'])
  })

  it('gives the listeners of the thread back after a run', async () => {
    const own = (): undefined => undefined
    process.on('unhandledRejection', own)
    const before = process.rawListeners('unhandledRejection')
    const simulation = createSimulation({ seed: 1 })
    await simulation.runProcess(
      'host',
      'look',
      () => {
        expect(process.rawListeners('unhandledRejection')).not.toEqual(before)
        return Promise.resolve()
      },
      quick,
    )
    expect(process.rawListeners('unhandledRejection')).toEqual(before)
    expect(before).toContain(own)
    process.off('unhandledRejection', own)
  })

  it('draws the same whatever other processes draw', async () => {
    const draws = async (otherDraws: number): Promise<number[]> => {
      const simulation = createSimulation({ seed: 5 })
      const drawn: number[] = []
      simulation.host('a').start('other', ({ random }) => {
        for (let count = 0; count < otherDraws; count += 1) random.fraction()
        return Promise.resolve()
      })
      simulation.host('b').start('drawing', ({ random }) => {
        for (let count = 0; count < 5; count += 1) drawn.push(random.integer(1_000))
        return Promise.resolve()
      })
      await simulation.runUntilIdle(quick)
      return drawn
    }
    expect(await draws(0)).toEqual(await draws(100))
  })

  it('listens again where it listened before it was restarted', async () => {
    const simulation = worldWithEcho()
    for (let round = 0; round < 3; round += 1) {
      const received = await simulation.runProcess(
        'client',
        'client',
        (platform) => callEcho(platform, server, [Buffer.from('hi')]),
        quick,
      )
      expect(received.toString()).toBe('hi')
      simulation.host('server').restart('echo')
      await simulation.runFor(10)
    }
    expect(() =>
      simulation.host('server').start('echo', (platform) => serveEcho(platform, anywhere)),
    ).toThrow('the process echo runs on server already')
  })

  it('sees the clock of its host', async () => {
    const startTimeMs = Date.UTC(2030, 0, 1)
    const simulation = createSimulation({ seed: 1, startTimeMs })
    simulation.host('host').clockOffsetMs = -5_000
    await simulation.runProcess(
      'host',
      'look',
      async ({ clock }) => {
        const first = clock.now()
        expect(first).toBe(startTimeMs - 5_000)
        await clock.sleep(1_000)
        expect([clock.now() - first, clock.elapsedMs()]).toEqual([1_000, 1_000])
      },
      quick,
    )
  })

  it('serves others on its own host', async () => {
    const simulation = worldWithEcho()
    simulation.host('server').start('second', async (platform) => {
      await platform.network.listen({ host: 'localhost', port: 1, accept: echo })
      await never()
    })
    await simulation.runFor(1)
    const local = { host: 'localhost', port: 1 }
    const call = (platform: Platform): Promise<Buffer> =>
      callEcho(platform, local, [Buffer.from('hi')])
    expect((await simulation.runProcess('server', 'client', call, quick)).toString()).toBe('hi')
  })
})
