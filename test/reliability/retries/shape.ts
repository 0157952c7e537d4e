import { RetryTopics } from '../../../src/runtime/retry/retry-topics.ts'
import { SeededRandom } from '../../../src/testing/index.ts'
import type { FaultPlan } from '../../../src/testing/index.ts'
import { chainFaults } from '../exactly-once/shape.ts'

/** What a world with retry topics is made of; all of it follows from its seed. */
export interface RetryShape {
  /** Members come and go in order, and nothing else happens; or everything goes wrong at once. */
  readonly isCalm: boolean
  readonly workers: number
  readonly records: number
  readonly keys: number
  readonly protocol: 'classic' | 'consumer'
  readonly concurrency: number
  /** In each topic. */
  readonly attempts: number
  readonly commitIntervalMs: number
}

export const topic = 'orders'
export const group = 'workers'
export const partitions = 2
export const retryTopics = new RetryTopics(
  group,
  [topic],
  [
    { name: '1s', delayMs: 1_000 },
    { name: '3s', delayMs: 3_000 },
  ],
)
/** Where a record may run, one after the other; and how long it waits for each. */
export const places = [{ name: topic, delayMs: 0 }, ...retryTopics.all]

export function retryShapeOf(seed: number): RetryShape {
  const random = new SeededRandom(seed, 'shape of retries')
  const pick = <Item>(...items: Item[]) => random.pick(items) as Item
  return {
    isCalm: seed % 3 === 0,
    workers: 1 + random.integer(3),
    records: 40 + random.integer(60),
    keys: pick(3, 12, 60),
    protocol: pick('classic', 'consumer'),
    concurrency: pick(1, 8, 64),
    attempts: pick(1, 2, 3),
    commitIntervalMs: pick(5, 50, 200),
  }
}

export function retryFaults({ isCalm }: RetryShape): Omit<FaultPlan, 'onFault'> {
  return isCalm ? { ...chainFaults(), weights: {} } : chainFaults()
}
