/** Members that commit what they have handled: each record at least once, and none passed over. */
import { isMillraceError } from '../../../src/errors.ts'
import type { PolledRecord } from '../../../src/testing/index.ts'
import { runGroupClient } from './group-client.ts'
import type { GroupClientOptions } from './group-client.ts'

export async function runCommittingMember(options: GroupClientOptions): Promise<void> {
  const { history, tally, name: process, group, cluster } = options
  await runGroupClient(options, async ({ consumer, records }) => {
    const { clock, random } = cluster.platform
    for (const { topic, partition, offset } of records) {
      const handling = { topic, partition, offset, group, key: null }
      history.begin({ kind: 'handler', process, ...handling }).ok()
    }
    if (options.consumer.autoCommit !== undefined) return
    await clock.sleep(random.integer(20))
    const offsets = offsetsBehind(records)
    const commit = history.begin({ kind: 'commit', process, group, offsets })
    try {
      await consumer.commit(offsets)
      commit.ok()
    } catch (error) {
      // Partitions that were taken away meanwhile, or no answer: their records are handled again.
      if (!isMillraceError(error)) throw error
      commit.unknown(error)
      tally.count('groups', `commits that failed with ${error.code}`)
    }
  })
}

/** The next offsets to be read after records, of each partition among them. */
export function offsetsBehind(
  records: readonly PolledRecord[],
): { topic: string; partition: number; offset: number }[] {
  const last = new Map(records.map((record) => [`${record.topic} ${record.partition}`, record]))
  return [...last.values()].map(({ topic, partition, offset }) => ({
    ...{ topic, partition, offset: offset + 1 },
  }))
}
