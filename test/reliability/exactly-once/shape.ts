import { SeededRandom } from '../../../src/testing/index.ts'
import type { FaultPlan } from '../../../src/testing/index.ts'

/** What a world of chained exactly-once stages is made of; all of it follows from its seed. */
export interface ChainShape {
  /** Each stage reads what the one before has written. */
  readonly stages: number
  readonly workers: number
  readonly records: number
  readonly keys: number
  readonly concurrency: number
  readonly protocol: 'classic' | 'consumer'
  readonly commitIntervalMs: number
  /** The longest that a handler takes. */
  readonly longestMs: number
  /** One of so many runs fails, after it has sent. */
  readonly failsOneIn: number
  /** One of so many records fails each time. */
  readonly badOneIn: number
  /** One of so many answers to requests of transactions is lost. */
  readonly lostOneIn: number
  /** So many bytes may wait for the next commit. */
  readonly stagedBytesMax: number
  readonly batch: number | undefined
}

export const partitions = 3
export const attempts = 3
/** How likely a worker dies at a call through its platform. */
export const deathProbability = 0.0004
const faultsLastMs = 6_000

export function chainShapeOf(seed: number): ChainShape {
  const random = new SeededRandom(seed, 'shape of a chain')
  const pick = <Item>(...items: Item[]) => random.pick(items) as Item
  return {
    stages: pick(1, 2, 3),
    workers: 1 + random.integer(3),
    records: 60 + random.integer(150),
    keys: pick(3, 12, 60),
    concurrency: pick(1, 8, 64),
    protocol: pick('classic', 'consumer'),
    commitIntervalMs: pick(5, 50, 200),
    longestMs: pick(2, 30, 200),
    failsOneIn: pick(0, 8, 40),
    badOneIn: pick(15, 1_000),
    lostOneIn: pick(0, 10, 40),
    stagedBytesMax: pick(400, 1_000_000),
    batch: pick(undefined, undefined, 5),
  }
}

/** What befalls the workers. */
export function chainFaults(): Omit<FaultPlan, 'onFault'> {
  const isWorker = ({ name }: { readonly name: string }) => name.startsWith('worker')
  return {
    ...{ durationMs: faultsLastMs, targets: isWorker, hosts: isWorker },
    everyMs: { min: 60, max: 700 },
    lastMs: { min: 30, max: 2_500 },
    weights: { kill: 4, pause: 5, reset: 3, vanish: 2, partition: 2, 'slow-network': 1 },
  }
}
