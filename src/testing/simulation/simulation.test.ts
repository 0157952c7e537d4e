import { describe, expect, it } from 'vitest'
import type { Platform, Socket } from '../../platform/index.ts'
import { callEcho, handler, never, serveEcho } from './fixture/echo.ts'
import { createSimulation, type Simulation, type SimulationOptions } from './simulation.ts'

const anywhere = { host: '0.0.0.0', port: 9092 }
const broker = { host: 'broker', port: 9092 }
const quick = { withinMs: 60_000 }

/** A member of a group as the network sees it: a heartbeat every three seconds, for ever. */
async function beat(platform: Platform): Promise<void> {
  for (;;) {
    try {
      const socket = await platform.network.connect({ ...broker, timeoutMs: 5_000 })
      await beatOn(platform, socket)
    } catch {
      await platform.clock.sleep(500 + platform.random.integer(500))
    }
  }
}

function beatOn({ clock }: Platform, socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const next = (): void => {
      socket.write([Buffer.alloc(40)])
      timer = clock.setTimer(3_000, next)
    }
    let timer = clock.setTimer(0, next)
    socket.start(
      handler({
        closed: () => {
          timer.cancel()
          resolve()
        },
      }),
    )
  })
}

function idleGroup(options: SimulationOptions, members = 4): Simulation {
  const simulation = createSimulation(options)
  simulation.host('broker').start('broker', (platform) => serveEcho(platform, anywhere))
  for (let member = 0; member < members; member += 1) {
    simulation.host(`member-${member}`).start('member', beat)
  }
  return simulation
}

async function hashOf(options: SimulationOptions): Promise<string> {
  const faults = { resetProbability: 0.02, vanishProbability: 0.01, slowProbability: 0.1 }
  const simulation = idleGroup({ network: faults, ...options })
  const fault = (): void => {
    const member = simulation.random.integer(4)
    const [host, process] = [`member-${member}`, simulation.host(`member-${member}`)]
    if (simulation.random.chance(0.5)) simulation.network.partition([host], ['broker'])
    else if (process.isUp) process.powerLoss()
    else process.boot()
    if (simulation.random.chance(0.5)) simulation.network.heal()
    simulation.after(20_000, fault)
  }
  simulation.after(5_000, fault)
  await simulation.runFor(300_000)
  simulation.trace('end', { eventCount: simulation.eventCount })
  return simulation.traceHash
}

describe('a simulation', () => {
  it('runs the same for the same seed, and differently for others', async () => {
    const hashes = new Map<number, string>()
    for (let seed = 0; seed < 12; seed += 1) hashes.set(seed, await hashOf({ seed }))
    for (const [seed, hash] of hashes) expect(await hashOf({ seed })).toBe(hash)
    expect(new Set(hashes.values()).size).toBe(12)
  })

  it('runs the same on every version of Node', async () => {
    expect(await hashOf({ seed: 1 })).toMatchInlineSnapshot(`"8720cbde02941154"`)
  })

  it('puts into the trace what the caller decodes, and lengths only where they are wanted', async () => {
    const run = async (message: string, options: SimulationOptions['trace']): Promise<string> => {
      const network = { splitProbability: 0, mergeProbability: 0 }
      const simulation = createSimulation({ seed: 1, network, trace: options ?? {} })
      simulation.host('broker').start('broker', (platform) => serveEcho(platform, anywhere))
      const call = (platform: Platform): Promise<Buffer> =>
        callEcho(platform, broker, [Buffer.from(message)])
      await simulation.runProcess('client', 'client', call, quick)
      return simulation.traceHash
    }
    expect(await run('abc', {})).toBe(await run('xyz', {}))
    expect(await run('abc', {})).not.toBe(await run('abcd', {}))
    const blind = { lengths: false }
    expect(await run('abc', blind)).toBe(await run('abcd', blind))
    const writes: unknown[] = []
    const seeing: SimulationOptions['trace'] = {
      lengths: false,
      describe: ({ chunks, ...rest }) => {
        writes.push(rest)
        return Buffer.concat(chunks).toString()
      },
    }
    expect(await run('abc', seeing)).toBe(await run('abc', seeing))
    expect(await run('abc', seeing)).not.toBe(await run('xyz', seeing))
    expect(writes.slice(0, 2)).toEqual([
      { from: 'client', to: 'broker', port: 9092, isFromClient: true },
      { from: 'broker', to: 'client', port: 9092, isFromClient: false },
    ])
  })

  it('shows every event to whoever looks for the place where two runs part', async () => {
    const kinds: string[] = []
    const simulation = createSimulation({
      seed: 1,
      trace: { onEvent: ({ kind }) => kinds.push(kind) },
    })
    await simulation.runProcess('host', 'program', ({ clock }) => clock.sleep(5), quick)
    expect(kinds).toEqual(['process.start', 'clock.timer'])
    expect(simulation.eventCount).toBe(2)
  })

  it('runs an idle group far more than a thousand times as fast as real time', async () => {
    const clock = performance
    const simulation = idleGroup({ seed: 1 })
    await simulation.runFor(60_000)
    const startMs = clock.now()
    const virtualMs = 4 * 3_600_000
    await simulation.runFor(virtualMs)
    expect(simulation.eventCount).toBeGreaterThan(30_000)
    expect(virtualMs / (clock.now() - startMs)).toBeGreaterThan(1_000)
  })

  it('stops at the time it was given, and when nothing more will happen', async () => {
    const simulation = createSimulation({ seed: 1 })
    const seen: number[] = []
    for (const atMs of [10, 20, 30]) simulation.after(atMs, () => seen.push(simulation.nowMs))
    simulation.after(15, () => seen.push(0)).cancel()
    await simulation.runFor(20)
    expect([simulation.nowMs, seen]).toEqual([20, [10, 20]])
    await simulation.runFor(5)
    expect(simulation.nowMs).toBe(25)
    await simulation.runUntilIdle({ withinMs: 1_000 })
    expect([simulation.nowMs, seen]).toEqual([30, [10, 20, 30]])
  })

  it('says so when a condition does not come true in time', async () => {
    const command = { replayCommand: (seed: number) => `replay ${seed}` }
    const busy = idleGroup({ seed: 7, ...command })
    await expect(busy.runUntil(() => false, { withinMs: 500 })).rejects.toThrow(
      /^seed 7, after \d.* virtual ms: the condition did not hold within 500 ms\nreplay: replay 7$/,
    )
    const idle = createSimulation({ seed: 8 })
    await expect(idle.runUntil(() => false, { withinMs: 500 })).rejects.toThrow(
      'did not hold within 500 ms; nothing more will happen\nreplay: npm run simulate -- --seed 8',
    )
    await expect(busy.runUntilIdle({ withinMs: 500 })).rejects.toThrow('did not hold')
  })

  it('reports a step of the scenario that throws', async () => {
    const simulation = createSimulation({ seed: 1 })
    simulation.after(1, () => {
      throw new Error('wrong script')
    })
    await expect(simulation.runFor(10)).rejects.toMatchObject({
      message: expect.stringContaining('seed 1') as string,
      cause: new Error('wrong script'),
    })
  })

  it('refuses to run twice at a time', async () => {
    const simulation = createSimulation({ seed: 1 })
    const running = simulation.runFor(10)
    await expect(createSimulation({ seed: 2 }).runFor(10)).rejects.toThrow('await it first')
    await running
    await simulation.runFor(10)
  })

  it('does without the program of a process that was killed', async () => {
    const simulation = createSimulation({ seed: 1 })
    simulation.after(5, () => simulation.host('host').process('program')?.kill())
    const result = simulation.runProcess('host', 'program', never, quick)
    await expect(result).rejects.toThrow('program was killed')
  })
})
