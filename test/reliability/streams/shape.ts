import { SeededRandom } from '../../../src/testing/index.ts'
import type { FaultPlan } from '../../../src/testing/index.ts'
import type { ShopOptions } from './shop-flow.ts'
import type { SourceShape } from './shop-records.ts'

/** What a world of streams is made of; all of it follows from its seed. */
export interface StreamShape {
  readonly shop: ShopOptions
  readonly source: SourceShape
  readonly nodes: 1 | 3
  readonly workers: number
  /** What is left of the local state when a process comes back. */
  readonly stores: 'none' | 'kept' | 'unreliable'
  readonly commitIntervalMs: number
  readonly isStatic: boolean
  /** The largest record that the changelog takes. */
  readonly changelogBytesMax: number
  /** Whether the broker can die. */
  readonly brokerDies: boolean
}

export const partitions = 3
/** How likely a worker dies at a call through its platform. */
export const deathProbability = 0.0003
const faultsLastMs = 6_000

export function streamShapeOf(seed: number): StreamShape {
  const random = new SeededRandom(seed, 'shape of streams')
  const pick = <Item>(...items: Item[]) => random.pick(items) as Item
  const graceMs = pick(0, 300, 1_000)
  const withinMs = pick(500, 2_000, 5_000)
  return {
    shop: {
      ...{ withinMs, graceMs },
      idleAfterMs: pick(400, 1_500, 5_000),
      type: pick('inner', 'left', 'outer'),
      unique: pick(undefined, 'left', 'right', 'both'),
      isRekeyed: random.integer(4) === 0,
      leftOvers: pick('letters', 'events'),
      windowMs: pick(400, 1_500),
      everyMs: pick(undefined, 200),
      hasSessions: new SeededRandom(seed, 'sessions').integer(4) === 0,
      emit: pick('update', 'close'),
      tableGraceMs: pick(0, 500, 8_000),
    },
    source: {
      ...{ withinMs, graceMs },
      orders: 40 + random.integer(120),
      keys: pick(4, 20, 80),
      lastMs: faultsLastMs,
      disorder: pick('below', 'beyond'),
      badOneIn: pick(20, 60, 1_000),
    },
    nodes: pick(1, 3),
    workers: 1 + random.integer(3),
    stores: pick('none', 'kept', 'unreliable', 'unreliable'),
    commitIntervalMs: pick(5, 50, 200),
    isStatic: random.integer(3) === 0,
    changelogBytesMax: pick(1_200, 1_200, 1_000_000),
    brokerDies: random.integer(3) === 0,
  }
}

/** What befalls the workers, and the broker where it can die. */
export function streamFaults({ brokerDies }: StreamShape): Omit<FaultPlan, 'onFault'> {
  const isMeant = ({ name }: { readonly name: string }) =>
    name.startsWith('worker') || (brokerDies && name === 'broker')
  return {
    ...{ durationMs: faultsLastMs, targets: isMeant, hosts: isMeant },
    everyMs: { min: 60, max: 700 },
    lastMs: { min: 30, max: 2_500 },
    weights: {
      ...{ kill: 4, pause: 5, reset: 3, vanish: 2, partition: 2, 'slow-network': 1 },
      ...(brokerDies && { 'power-loss': 1 }),
    },
  }
}
