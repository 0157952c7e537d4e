import { describe, expect, it } from 'vitest'
import { apiVersions } from './18-api-versions.ts'
import { updateFeatures } from './57-update-features.ts'
import { createAdministration } from './administration-fixture.ts'
import type { Administration } from './administration-fixture.ts'
import { features, featuresEpoch, transactionVersionOf } from './features.ts'

type Update = readonly [feature: string, level: number, upgradeType?: number]

async function update(
  { ask }: Administration,
  updates: readonly Update[],
  { version = 2, validateOnly = false } = {},
): Promise<number> {
  const { errorCode } = await ask(updateFeatures, version, {
    timeoutMs: 1000,
    featureUpdates: updates.map(([feature, maxVersionLevel, upgradeType = 1]) => ({
      feature,
      maxVersionLevel,
      ...(version === 0 ? { allowDowngrade: upgradeType > 1 } : { upgradeType }),
    })),
    ...(version === 0 ? {} : { validateOnly }),
  })
  return errorCode
}

const safeDowngrade = 2

describe('UpdateFeatures', () => {
  it.each([0, 1, 2])(
    'lowers and raises the version of transactions (version %i)',
    async (version) => {
      const administration = await createAdministration()
      const { cluster } = administration
      expect(transactionVersionOf(cluster)).toBe(2)
      const down: Update = ['transaction.version', 1, safeDowngrade]
      expect(await update(administration, [down], { version })).toBe(0)
      expect(transactionVersionOf(cluster)).toBe(1)
      expect(featuresEpoch(cluster)).toBe(1)
      expect(await update(administration, [['transaction.version', 2]], { version })).toBe(0)
      expect(transactionVersionOf(cluster)).toBe(2)
      expect(featuresEpoch(cluster)).toBe(2)
    },
  )

  it('grants the level that a feature has, and counts no change', async () => {
    const administration = await createAdministration()
    const same = [
      ['group.version', 1],
      ['metadata.version', 27],
    ] as const
    expect(await update(administration, same)).toBe(0)
    expect(featuresEpoch(administration.cluster)).toBe(0)
  })

  it('validates without changing anything', async () => {
    const administration = await createAdministration()
    const down: Update = ['transaction.version', 1, safeDowngrade]
    expect(await update(administration, [down], { validateOnly: true })).toBe(0)
    expect(transactionVersionOf(administration.cluster)).toBe(2)
  })

  it('changes nothing when one of several is refused', async () => {
    const administration = await createAdministration()
    const updates: Update[] = [
      ['transaction.version', 1, safeDowngrade],
      ['nope', 1],
    ]
    expect(await update(administration, updates)).toBe(95)
    expect(transactionVersionOf(administration.cluster)).toBe(2)
  })

  it.each<[string, Update]>([
    ['a feature that nobody knows', ['nope', 1]],
    ['a level above the highest', ['transaction.version', 7]],
    ['a level below the lowest', ['transaction.version', -1]],
    ['a downgrade that is not said to be one', ['transaction.version', 1]],
    ['an upgrade type that nobody knows', ['transaction.version', 2, 9]],
    ['a level that this broker cannot serve', ['group.version', 0, safeDowngrade]],
  ])('refuses %s', async (_what, wanted) => {
    const administration = await createAdministration()
    expect(await update(administration, [wanted])).toBe(95)
  })

  it('is seen by clients that ask for versions', async () => {
    const administration = await createAdministration()
    await update(administration, [['transaction.version', 1, safeDowngrade]])
    const { cluster } = administration
    const broker = { cluster, features, served: [] }
    const context = { broker, header: { version: 4 } }
    const request = { clientSoftwareName: 'test', clientSoftwareVersion: '1' }
    const answer = await apiVersions.handle(request, context as never)
    expect(answer).toMatchObject({ finalizedFeaturesEpoch: 1 })
    expect(answer).toHaveProperty(
      'finalizedFeatures',
      expect.arrayContaining([
        { name: 'transaction.version', minVersionLevel: 1, maxVersionLevel: 1 },
      ]),
    )
  })
})
