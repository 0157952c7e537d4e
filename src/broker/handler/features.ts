import type { Cluster } from '../cluster/cluster.ts'
import type { BrokerConfig } from '../config/index.ts'
import type { TransactionVersion } from '../transaction/transaction-metadata.ts'

/** A feature of the cluster that clients are told of, and the levels that are supported (KIP-584). */
export interface Feature {
  readonly name: string
  readonly levelMin: number
  readonly levelMax: number
  /** The level of a new cluster. */
  readonly level: number
  /** Whether the level can be another one. */
  readonly changes: boolean
}

const transactionFeature: Feature = {
  name: 'transaction.version',
  levelMin: 0,
  levelMax: 2,
  level: 2,
  changes: true,
}

const shareFeature: Feature = {
  name: 'share.version',
  levelMin: 0,
  levelMax: 1,
  level: 1,
  changes: true,
}

/**
 * What of Kafka's features the broker has: groups of the next-generation protocol, share groups
 * (KIP-932) and transactions of the second version (KIP-890). `metadata.version` is that of Kafka 4.1,
 * in which share groups are a preview and off at first; here they are on, as there is no cluster of an
 * older release that they could endanger.
 */
export const features: readonly Feature[] = [
  { name: 'group.version', levelMin: 0, levelMax: 1, level: 1, changes: false },
  { name: 'metadata.version', levelMin: 7, levelMax: 27, level: 27, changes: false },
  shareFeature,
  transactionFeature,
]

const levelSetting = 'level'
/** Not a feature's name: it counts the changes, so that clients take the newest word. */
const epochName = ''

type Settings = Pick<Cluster, 'dynamicSettings'>

/** The level of a feature that applies. */
export function finalizedLevel(cluster: Settings, { name, level }: Feature): number {
  return Number(cluster.dynamicSettings('feature', name).get(levelSetting) ?? level)
}

/** The level of transactions (KIP-890): 2 raises the producer's epoch with each of them. */
export function transactionVersionOf(
  cluster: Settings,
  known: readonly Feature[] = features,
): TransactionVersion {
  const feature = known.find(({ name }) => name === transactionFeature.name)
  return feature === undefined ? 0 : (finalizedLevel(cluster, feature) as TransactionVersion)
}

/** Whether there are share groups: by their feature, or as Kafka's `group.share.enable` has it. */
export function sharesAreServed(
  cluster: Settings,
  { groupShareEnable }: Pick<BrokerConfig, 'groupShareEnable'>,
  known: readonly Feature[] = features,
): boolean {
  const feature = known.find(({ name }) => name === shareFeature.name)
  return feature !== undefined && (groupShareEnable || finalizedLevel(cluster, feature) > 0)
}

/** Goes up with each change of a level. */
export function featuresEpoch(cluster: Settings): number {
  return Number(cluster.dynamicSettings('feature', epochName).get(levelSetting) ?? 0)
}

/** Gives features other levels. */
export async function setFinalizedLevels(
  cluster: Cluster,
  levels: ReadonlyMap<string, number>,
): Promise<void> {
  for (const [name, level] of levels) {
    await cluster.setDynamicSettings('feature', name, new Map([[levelSetting, String(level)]]))
  }
  const epoch = featuresEpoch(cluster) + 1
  await cluster.setDynamicSettings('feature', epochName, new Map([[levelSetting, String(epoch)]]))
}
