import { createClient } from '../../src/client/index.ts'

/** Resolves when a group has committed that it has read so many records. */
export async function committed(
  bootstrap: string,
  groupId: string,
  records: number,
): Promise<void> {
  await using client = createClient({ brokers: bootstrap, log: () => undefined })
  const { groups } = client.admin()
  while ((await committedCount(groups, groupId)) < records) {
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

type Groups = ReturnType<ReturnType<typeof createClient>['admin']>['groups']

async function committedCount(groups: Groups, groupId: string): Promise<number> {
  let count = 0
  for (const each of await groups.offsets(groupId)) {
    if (each.error === undefined) count += each.offset
  }
  return count
}
