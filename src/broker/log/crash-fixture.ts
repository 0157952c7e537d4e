import type { Platform } from '../../platform/index.ts'
import { createSimulation } from '../../testing/simulation/index.ts'
import type { SeededRandom } from '../../testing/simulation/index.ts'

/** What a broker's lives have come to. */
export interface CrashReport {
  readonly lives: number
  readonly powerLosses: number
}

export interface CrashOptions {
  readonly seed: number
  readonly lives: number
  /** How many calls through the seam a life lasts at most. */
  readonly callsMax: number
  /** One life of the broker. It ends by itself, or is ended at any call. */
  readonly live: (platform: Platform, random: SeededRandom, life: number) => Promise<void>
  /** Called in a last life, in which nothing goes wrong. */
  readonly last: (platform: Platform) => Promise<void>
  readonly isOver: () => boolean
}

/**
 * Lets a broker live several times on one machine. Each life is ended by a kill at a call that is
 * left to chance, and most of them by a power failure at that moment.
 */
export async function liveAndDie(options: CrashOptions): Promise<CrashReport> {
  const { seed, live, last } = options
  const simulation = createSimulation({ seed })
  const { random } = simulation
  const host = simulation.host('broker')
  let lives = 0
  let powerLosses = 0
  while (lives < options.lives && !options.isOver()) {
    const life = lives
    const lastCall = random.integer(options.callsMax)
    simulation.changeCallFaults({
      onCall: ({ index }) => (index === lastCall ? 'kill' : undefined),
    })
    const process = host.start('broker', (platform) => live(platform, random, life))
    await simulation.runUntil(() => process.isOver, { withinMs: 3_600_000 })
    lives += 1
    if (random.chance(0.3)) continue
    host.powerLoss()
    host.boot()
    powerLosses += 1
  }
  simulation.calm()
  await simulation.runProcess('broker', 'last', last, { withinMs: 3_600_000 })
  return { lives, powerLosses }
}
