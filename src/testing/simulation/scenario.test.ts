import { describe, expect, it } from 'vitest'
import type { Platform } from '../../platform/index.ts'
import { callEcho, never, serveEcho } from './fixture/echo.ts'
import type { FaultPlan } from './fault-injector.ts'
import { runScenario, type ScenarioOptions } from './scenario.ts'
import type { Simulation } from './simulation.ts'

const anywhere = { host: '0.0.0.0', port: 9092 }
const server = { host: 'server', port: 9092 }

const everything: FaultPlan = {
  durationMs: 600_000,
  everyMs: { min: 500, max: 10_000 },
  lastMs: { min: 100, max: 20_000 },
  weights: {
    kill: 2,
    pause: 2,
    'power-loss': 2,
    partition: 2,
    'one-way-partition': 1,
    reset: 1,
    vanish: 1,
    'slow-network': 1,
    'slow-disk': 1,
    'failing-disk': 1,
    'full-disk': 1,
    'clock-step': 1,
  },
  killProbability: 0.000_5,
  pauseProbability: 0.000_5,
}

/** Writes numbers to a file, one sync each, and remembers which were synced. */
function counter(synced: Set<number>): (platform: Platform) => Promise<void> {
  return async ({ disk, clock }) => {
    disk.makeDirectory('/data')
    await disk.syncDirectory('/')
    const file = disk.open('/data/numbers', 'create')
    await disk.syncDirectory('/data')
    let position = Math.floor(file.size() / 4) * 4
    for (;;) {
      const number = Buffer.alloc(4)
      number.writeUInt32BE(position / 4)
      file.write([number], position)
      await file.sync()
      synced.add(position / 4)
      position += 4
      await clock.sleep(1_000)
    }
  }
}

async function callForEver(platform: Platform, done: () => void): Promise<void> {
  for (;;) {
    try {
      await callEcho(platform, server, [Buffer.from('hello')], 2_000)
      done()
    } catch {
      await platform.clock.sleep(100)
    }
    await platform.clock.sleep(1_000)
  }
}

function echoScenario(seed: number, faults = everything): ScenarioOptions {
  const answered = { count: 0, atHealing: 0 }
  const synced = new Set<number>()
  return {
    seed,
    faults,
    setup: (simulation) => {
      const mayFail = { mayFail: true }
      const serve = (platform: Platform): Promise<void> => serveEcho(platform, anywhere)
      simulation.host('server').start('server', serve, mayFail)
      simulation
        .host('client')
        .start('client', (platform) => callForEver(platform, () => (answered.count += 1)))
      simulation.host('store').start('store', counter(synced), mayFail)
      simulation.after(faults.durationMs, () => (answered.atHealing = answered.count))
    },
    healing: { withinMs: 120_000 },
    progress: () => answered.count > answered.atHealing + 3,
    verify: (simulation) => {
      const numbers = simulation.host('store').disk.files().get('/data/numbers')
      for (const number of synced) expect(numbers?.readUInt32BE(number * 4)).toBe(number)
    },
  }
}

describe('a scenario', () => {
  it('survives every fault, makes progress once they are over, and can be seen again', async () => {
    const seen = new Map<string, number>()
    for (let seed = 1; seed <= 6; seed += 1) {
      const result = await runScenario(echoScenario(seed))
      expect(result.virtualMs).toBeGreaterThan(600_000)
      expect(result.recoveryMs).toBeLessThan(120_000)
      expect(await runScenario(echoScenario(seed))).toEqual(result)
      for (const [kind, count] of Object.entries(result.faults)) {
        seen.set(kind, (seen.get(kind) ?? 0) + count)
      }
    }
    expect([...seen.keys()].sort()).toEqual(Object.keys(everything.weights).sort())
  })

  it('leaves nothing broken when the faults are over', async () => {
    const check = (simulation: Simulation): void => {
      for (const host of simulation.hosts)
        expect([host.isUp, host.clockOffsetMs]).toEqual([true, 0])
      for (const { state } of simulation.processes) expect(state).toBe('running')
    }
    for (const kind of Object.keys(everything.weights)) {
      const lasting = {
        durationMs: 5_000,
        everyMs: { min: 400, max: 1_000 },
        lastMs: { min: 1e9, max: 1e9 },
        weights: { [kind]: 1 },
      }
      const result = await runScenario({ ...echoScenario(21, lasting), verify: check })
      expect(Object.keys(result.faults)).toEqual([kind])
    }
  })

  it('starts again what a fault lets fail only when the faults are over', async () => {
    const faults = { ...everything, durationMs: 5_000, weights: {} }
    const base = echoScenario(31, faults)
    let lives = 0
    const late: ScenarioOptions = {
      ...base,
      setup: async (simulation) => {
        await base.setup(simulation)
        const failLate = async ({ clock }: Platform): Promise<void> => {
          lives += 1
          if (lives > 2) return never()
          await clock.sleep(faults.durationMs)
          throw new Error('a sync that began before has failed')
        }
        simulation.host('late').start('late', failLate, { mayFail: true })
      },
      progress: () => lives === 3,
    }
    await runScenario(late)
    expect(lives).toBe(3)
  })

  it('fails with the seed and a command when there is no progress', async () => {
    const stuck: ScenarioOptions = {
      ...echoScenario(11),
      setup: (simulation) => void simulation.host('server').start('stuck', never),
      progress: () => false,
      verify: () => undefined,
      replayCommand: (seed) => `npm run stuck -- --seed ${seed}`,
    }
    await expect(runScenario(stuck)).rejects.toThrow(
      /^seed 11, after .* virtual ms: the condition did not hold(.|\n)*replay: npm run stuck -- --seed 11$/,
    )
  })

  it('fails with the seed and a command when something does not hold in the end', async () => {
    const wrong = { ...echoScenario(12), verify: () => expect(1).toBe(2) }
    await expect(runScenario(wrong)).rejects.toThrow(
      /^seed 12, .*: what must hold in the end does not: (.|\n)*--seed 12$/,
    )
  })

  it('fails when a process does that must not', async () => {
    const broken: ScenarioOptions = {
      ...echoScenario(13, { ...everything, weights: { kill: 1 } }),
      setup: (simulation) => {
        simulation.host('server').start('broken', async ({ clock }) => {
          await clock.sleep(400)
          throw new Error('broken by itself')
        })
      },
    }
    await expect(runScenario(broken)).rejects.toThrow('broken by itself')
  })
})
