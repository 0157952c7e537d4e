import { SeededRandom } from '../../../src/testing/index.ts'
import type { FaultPlan } from '../../../src/testing/index.ts'
import type { BatchWindow } from '../../../src/runtime/batch/batcher.ts'
import type { RecordOrder } from '../../../src/runtime/lanes/record-order.ts'

/**
 * What happens to a world: members come and go in order; everything goes wrong at once; processes are killed, but
 * rarely; a record kills whoever runs it; what handlers need is away for five minutes.
 */
export type Weather = 'calm' | 'faulty' | 'kills' | 'killer' | 'outage'

/** What a world of the consumer runtime is made of; all of it follows from its seed. */
export interface RuntimeShape {
  readonly weather: Weather
  readonly workers: number
  readonly records: number
  readonly keys: number
  readonly order: RecordOrder
  readonly concurrency: number
  readonly protocol: 'classic' | 'consumer'
  readonly window: number
  readonly waitingMax: number
  readonly attempts: number
  readonly commitIntervalMs: number
  readonly handlerTimeoutMs: number | undefined
  /** The longest that a handler takes which is not told to end. */
  readonly longestMs: number
  /** One of so many runs takes longer than a drain waits. */
  readonly slowOneIn: number
  /** Whether such a run goes on though its signal has aborted. */
  readonly isStubborn: boolean
  /** One of so many runs fails for once. */
  readonly failsOneIn: number
  /** Undefined where records are handled one by one. */
  readonly batch: BatchWindow | undefined
}

const weathers: readonly Weather[] = [
  'calm',
  'faulty',
  'kills',
  'faulty',
  'killer',
  'faulty',
  'outage',
  'calm',
  'faulty',
]

/** How many seeds in a row meet every weather. */
export const weatherCount = weathers.length

/** How long what runs may take when its partition is given up. */
export const drainMs = 600

export function shapeOf(seed: number): RuntimeShape {
  const random = new SeededRandom(seed, 'shape of a runtime')
  const pick = <Item>(...items: Item[]) => random.pick(items) as Item
  const weather = weathers[seed % weathers.length] as Weather
  const isFaulty = weather === 'faulty'
  const shape = {
    weather,
    // Each has to come by enough records that fail: else it cannot tell an outage.
    workers: 1 + random.integer(weather === 'outage' ? 2 : 3),
    records: weather === 'outage' ? 400 : 80 + random.integer(200),
    keys: pick(3, 12, 60, 400),
    order: pick('key', 'key', 'key', 'key', 'partition', 'none'),
    concurrency: pick(1, 4, 16, 128),
    protocol: pick('classic', 'consumer'),
    window: pick(2, 16, 100, 16_384),
    waitingMax: pick(4, 32, 4_096),
    attempts: 2 + random.integer(3),
    commitIntervalMs: pick(5, 50, 400),
    handlerTimeoutMs: isFaulty ? pick(undefined, 400) : undefined,
    longestMs: weather === 'kills' ? 60 : pick(3, 40, 300),
    slowOneIn: isFaulty ? pick(0, 15, 40) : 0,
    isStubborn: isFaulty && random.integer(2) === 0,
    failsOneIn: weather === 'killer' || weather === 'outage' ? 0 : pick(0, 8, 20, 40),
    batch:
      random.integer(3) > 0 ? undefined : { recordsMax: pick(2, 5, 50), windowMs: pick(0, 5, 60) },
  } satisfies RuntimeShape
  return weather === 'outage' ? { ...shape, ...underLoad } : shape
}

/** Records of many keys run beside each other: only so can an outage be told from bad records. */
const underLoad = { order: 'key', keys: 400, concurrency: 64, window: 1_000, attempts: 5 } as const

/** How likely a worker dies at a call through its platform, while everything goes wrong. */
export const deathProbability = 0.0004

const worksMs = { calm: 6_000, faulty: 6_000, kills: 20_000, killer: 2_000, outage: 310_000 }

/** What befalls the workers, and for how long. */
export function faultsOf(shape: RuntimeShape): Omit<FaultPlan, 'onFault'> {
  const { weather } = shape
  const isWorker = ({ name }: { readonly name: string }) => name.startsWith('worker')
  const common = { durationMs: worksMs[weather], targets: isWorker, hosts: isWorker }
  if (weather === 'faulty') {
    return {
      ...common,
      everyMs: { min: 60, max: 700 },
      lastMs: { min: 30, max: 2_500 },
      weights: { kill: 4, pause: 5, reset: 3, vanish: 2, partition: 2, 'slow-network': 1 },
    }
  }
  if (weather === 'kills') {
    // More than ten times the longest handler lies between two.
    const everyMs = { min: 2_000, max: 5_000 }
    return { ...common, everyMs, lastMs: { min: 100, max: 600 }, weights: { kill: 1 } }
  }
  const never = { min: 500, max: 2_000 }
  return { ...common, everyMs: never, lastMs: { min: 20, max: 300 }, weights: {} }
}
