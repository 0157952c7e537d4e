import { kafkaError, updateFeaturesApi } from '../../protocol/index.ts'
import type { RequestOf } from '../../protocol/index.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { refuse } from '../refusal.ts'
import type { Refusal } from '../refusal.ts'
import { inAdministrationTurn } from './administration-turn.ts'
import { finalizedLevel, setFinalizedLevels } from './features.ts'
import type { Feature } from './features.ts'
import { defineHandler } from './handler.ts'
import { refusalFields } from './refusal-fields.ts'

type Request = RequestOf<typeof updateFeaturesApi>
type FeatureUpdate = Request['featureUpdates'][number]

const upgrade = 1
const downgrades: readonly number[] = [2, 3]
const firstVersionWithUpgradeType = 1

/**
 * UpdateFeatures 0-2: gives features another level, all of those named or none. Only
 * `transaction.version` and `share.version` have more than one level that this broker can serve; an
 * update to the level that a feature has is always granted.
 *
 * Not implemented: the difference between safe and unsafe downgrades (nothing is lost by either).
 */
export const updateFeatures = defineHandler({
  api: updateFeaturesApi,
  versions: [0, 2],
  async handle({ featureUpdates, validateOnly }, { broker: { cluster, features }, header }) {
    const mayDowngrade = ({ allowDowngrade, upgradeType }: FeatureUpdate) =>
      header.version < firstVersionWithUpgradeType
        ? allowDowngrade
        : downgrades.includes(upgradeType)
    const refusal = await inAdministrationTurn(cluster, async () => {
      for (const update of featureUpdates) {
        const wrong = refuseUpdate(update, mayDowngrade(update), cluster, features)
        if (wrong !== undefined) return wrong
      }
      const changed = featureUpdates.filter(
        (update) => levelOf(update.feature, cluster, features) !== update.maxVersionLevel,
      )
      if (!validateOnly && changed.length > 0) {
        const levels = changed.map((update) => [update.feature, update.maxVersionLevel] as const)
        await setFinalizedLevels(cluster, new Map(levels))
      }
      return undefined
    })
    const granted = refusal === undefined ? featureUpdates : []
    return {
      throttleTimeMs: 0,
      ...refusalFields(refusal),
      results: granted.map(({ feature }) => ({
        feature,
        errorCode: kafkaError.NONE,
        errorMessage: null,
      })),
    }
  },
})

function levelOf(name: string, cluster: Cluster, features: readonly Feature[]): number | undefined {
  const feature = features.find((known) => known.name === name)
  return feature && finalizedLevel(cluster, feature)
}

function refuseUpdate(
  { feature: name, maxVersionLevel: level, upgradeType }: FeatureUpdate,
  mayDowngrade: boolean,
  cluster: Cluster,
  features: readonly Feature[],
): Refusal | undefined {
  const feature = features.find((known) => known.name === name)
  if (feature === undefined) {
    const known = features.map((each) => each.name).join(', ')
    return refuse('INVALID_UPDATE_VERSION', `feature '${name}' must be one of ${known}`)
  }
  const current = finalizedLevel(cluster, feature)
  const { levelMin, levelMax } = feature
  if (level < levelMin || level > levelMax) {
    return refuse(
      'INVALID_UPDATE_VERSION',
      `level (${level}) of ${name} must be from ${levelMin} to ${levelMax}`,
    )
  }
  if (upgradeType !== upgrade && !downgrades.includes(upgradeType)) {
    return refuse('INVALID_UPDATE_VERSION', `upgradeType (${upgradeType}) must be 1, 2 or 3`)
  }
  if (level === current) return undefined
  if (!feature.changes) {
    return refuse(
      'INVALID_UPDATE_VERSION',
      `level (${level}) of ${name} can only be ${current} here`,
    )
  }
  if (level < current && !mayDowngrade) {
    return refuse(
      'INVALID_UPDATE_VERSION',
      `level (${level}) of ${name} is below the present ${current}, and no downgrade was asked for`,
    )
  }
  return undefined
}
