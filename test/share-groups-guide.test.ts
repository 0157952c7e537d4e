import { readFileSync } from 'node:fs'
// #region group
import { createClient } from '../src/client/index.ts'
import { startBroker } from '../src/testing/index.ts'
import { expect, it } from 'vitest'

it('is a group that begins with the first record and holds each for two seconds', async () => {
  await using kafka = await startBroker({
    properties: {
      // How short the lock of a group may be, and how often a record is tried.
      'group.share.min.record.lock.duration.ms': '1000',
      'group.share.delivery.count.limit': '3',
    },
  })
  await using client = createClient({ brokers: kafka.bootstrap })
  const group = { type: 'group', name: 'workers' } as const
  const set = { 'share.auto.offset.reset': 'earliest', 'share.record.lock.duration.ms': 2_000 }
  await client.admin().configs.alter({ ...group, set })
  const { entries } = await client.admin().configs.describe(group)
  expect(entries.get('share.auto.offset.reset')?.value).toBe('earliest')
})
// #endregion

it('is what the guide shows', () => {
  const read = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8')
  const [, region = ''] =
    /^\/\/ #region group\n(.*?)^\/\/ #endregion$/ms.exec(read('share-groups-guide.test.ts')) ?? []
  const shown = region
    .replace("'../src/client/index.ts'", "'millrace/client'")
    .replace("'../src/testing/index.ts'", "'millrace/testing'")
  expect(read('../docs/guides/share-groups.md')).toContain(shown)
})
