import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { createNodePlatform } from '../../platform/index.ts'
import { createAclsApi, deleteAclsApi, describeAclsApi } from '../../protocol/index.ts'
import { startBroker, WireClient } from '../../testing/index.ts'

/* What a client was told is an entry is one after every start, and what was deleted never is again. */

const any = {
  resourceTypeFilter: 1,
  resourceNameFilter: null,
  patternTypeFilter: 1,
  principalFilter: null,
  hostFilter: null,
  operation: 1,
  permissionType: 1,
}

const entry = (resourceName: string) => ({
  resourceType: 2,
  resourceName,
  resourcePatternType: 3,
  principal: 'User:alice',
  host: '*',
  operation: 3,
  permissionType: 3,
})

async function withBroker<Result>(
  data: string,
  use: (client: WireClient) => Promise<Result>,
): Promise<Result> {
  await using broker = await startBroker({
    data,
    authorizer: { superUsers: ['User:ANONYMOUS'] },
  })
  const port = Number(broker.bootstrap.split(':').at(-1))
  const platform = createNodePlatform()
  await using client = await WireClient.connect({ platform, host: '127.0.0.1', port })
  return await use(client)
}

async function topicsWithEntries(client: WireClient): Promise<string[]> {
  const { resources } = await client.request(describeAclsApi, 3, any)
  return resources.map(({ resourceName }) => resourceName).sort()
}

it('keeps entries over restarts, and forgets what was deleted', async () => {
  const data = mkdtempSync(join(tmpdir(), 'millrace-acl-'))
  try {
    await withBroker(data, async (client) => {
      await client.request(createAclsApi, 3, { creations: [entry('kept'), entry('deleted')] })
    })
    await withBroker(data, async (client) => {
      expect(await topicsWithEntries(client)).toEqual(['deleted', 'kept'])
      await client.request(deleteAclsApi, 3, {
        filters: [{ ...any, resourceNameFilter: 'deleted' }],
      })
    })
    expect(await withBroker(data, topicsWithEntries)).toEqual(['kept'])
  } finally {
    rmSync(data, { recursive: true, force: true })
  }
})
