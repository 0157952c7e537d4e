import { apiRanges } from './api-ranges.ts'
import type { Feature } from '../handler/features.ts'

/** The releases of Apache Kafka that the broker can pass for. */
export const releaseNames = ['2.8', '3.9', '4.1'] as const
export type ReleaseName = (typeof releaseNames)[number]

/** First and last version, as a client is told. */
export type VersionSpan = readonly [first: number, last: number]

/** What clients see of a release. */
export interface Release {
  readonly name: ReleaseName
  /** The versions of each API, by its key. An API that is not here was not there yet. */
  readonly apis: ReadonlyMap<number, VersionSpan>
  readonly features: readonly Feature[]
  /** Defaults of that time, by Kafka's names; what the user gives comes before them. */
  readonly defaults: ReadonlyMap<string, string>
}

const unbounded = '9223372036854775807'

/** Before Kafka 4 records could come from any time in the future, and groups were classic ones. */
const defaultsBefore4: ReadonlyMap<string, string> = new Map([
  ['group.coordinator.rebalance.protocols', 'classic'],
  ['log.message.timestamp.after.max.ms', unbounded],
])

const kraftFeature: Feature = {
  name: 'kraft.version',
  levelMin: 0,
  levelMax: 1,
  level: 0,
  changes: false,
}

const metadata = { name: 'metadata.version', changes: false } as const

const others: Readonly<Record<ReleaseName, Pick<Release, 'features' | 'defaults'>>> = {
  // With ZooKeeper: there were features, and none of them had a name yet.
  '2.8': { features: [], defaults: defaultsBefore4 },
  '3.9': {
    features: [kraftFeature, { ...metadata, levelMin: 1, levelMax: 21, level: 21 }],
    defaults: defaultsBefore4,
  },
  '4.1': {
    features: [
      { name: 'group.version', levelMin: 0, levelMax: 1, level: 1, changes: false },
      kraftFeature,
      { ...metadata, levelMin: 7, levelMax: 27, level: 27 },
      { name: 'share.version', levelMin: 0, levelMax: 1, level: 0, changes: true },
      { name: 'transaction.version', levelMin: 0, levelMax: 2, level: 2, changes: true },
      {
        name: 'eligible.leader.replicas.version',
        levelMin: 0,
        levelMax: 1,
        level: 1,
        changes: false,
      },
    ],
    defaults: new Map(),
  },
}

/** What clients see of a release, by its name. */
export function releaseOf(name: ReleaseName): Release {
  return { name, apis: apiRanges(name), ...others[name] }
}
