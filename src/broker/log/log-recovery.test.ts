import { describe, expect, it } from 'vitest'
import type { Platform } from '../../platform/index.ts'
import { RecordBatchBuilder } from '../../protocol/records/index.ts'
import { createSimulation } from '../../testing/simulation/index.ts'
import type { Simulation } from '../../testing/simulation/index.ts'
import { isRefusal } from '../refusal.ts'
import { defaultLogConfig } from './log-config.ts'
import { openLogFolder } from './log-folder.ts'
import type { PartitionLog } from './partition-log.ts'

const withinMs = 60_000
const seeds = Array.from({ length: 12 }, (_, index) => index + 1)

async function openLog(platform: Platform): Promise<PartitionLog> {
  const folder = await openLogFolder({ platform, path: '/data', durability: 'sync' })
  const identity = { topic: 'orders', topicId: 'id', partition: 0 }
  const log = folder.open(identity, () => defaultLogConfig)
  await folder.recovered()
  return log
}

/** Appends one record; resolves when it is durable. */
async function append(log: PartitionLog): Promise<void> {
  const builder = new RecordBatchBuilder()
  builder.append({ key: null, value: Buffer.from('value'), timestamp: 0 })
  const result = log.append(builder.build())
  if (isRefusal(result)) throw new Error(result.message)
  await result.durable
}

/** One life of a broker. */
function live<Result>(
  simulation: Simulation,
  program: (log: PartitionLog) => Promise<Result> | Result,
): Promise<Result> {
  return simulation.runProcess(
    'broker',
    'broker',
    async (platform) => program(await openLog(platform)),
    { withinMs },
  )
}

function losePower(simulation: Simulation): void {
  const host = simulation.host('broker')
  host.powerLoss()
  host.boot()
}

describe('a log that is opened again', () => {
  it('shows nothing that a power failure takes away, after a sync that has failed', async () => {
    for (const seed of seeds) {
      const simulation = createSimulation({ seed })
      await live(simulation, async (log) => {
        await append(log)
        simulation.host('broker').disk.change({ syncFailureProbability: 1 })
        await expect(append(log)).rejects.toThrow('i/o error')
      })
      simulation.calm()
      // The page cache has the second record; no sync will write it by itself.
      const shown = await live(simulation, (log) => log.highWatermark)
      expect(shown).toBe(2)
      losePower(simulation)
      expect(await live(simulation, (log) => log.highWatermark), `seed ${seed}`).toBe(shown)
    }
  })

  it('keeps what it acknowledges, at whatever call its first life has ended', async () => {
    for (const seed of seeds) {
      for (let lastCall = 0; ; lastCall++) {
        const simulation = createSimulation({ seed })
        simulation.changeCallFaults({
          onCall: ({ index }) => (index === lastCall ? 'kill' : undefined),
        })
        const first = simulation.host('broker').start('broker', async (platform) => {
          await append(await openLog(platform))
        })
        await simulation.runUntil(() => first.isOver, { withinMs })
        simulation.calm()
        const acknowledged = await live(simulation, async (log) => {
          await append(log)
          return log.highWatermark
        })
        losePower(simulation)
        const kept = await live(simulation, (log) => log.highWatermark)
        expect(kept, `seed ${seed}, killed at call ${lastCall}`).toBe(acknowledged)
        if (first.end !== 'killed') break
      }
    }
  })
})
