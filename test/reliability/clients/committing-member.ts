/** Members that commit what they have handled: each record at least once, and none passed over. */
import { isMillraceError } from '../../../src/errors.ts'
import type { PolledRecord } from '../../../src/testing/index.ts'
import { runGroupClient } from './group-client.ts'
import type { GroupClientOptions } from './group-client.ts'

const attemptsMax = 5

export async function runCommittingMember(options: GroupClientOptions): Promise<void> {
  const { history, tally, name: process, group, cluster } = options
  const { clock, random } = cluster.platform
  await runGroupClient(options, async ({ consumer, records, owned }) => {
    for (const { topic, partition, offset } of records) {
      const handling = { topic, partition, offset, group, key: null }
      history.begin({ kind: 'handler', process, ...handling }).ok()
    }
    if (options.consumer.autoCommit !== undefined) return
    const offsets = offsetsBehind(records)
    for (let attempt = 1; attempt <= attemptsMax; attempt++) {
      await clock.sleep(random.integer(20 * attempt))
      const ours = owned()
      const left = offsets.filter(({ partition }) =>
        ours.some((own) => own.partition === partition),
      )
      if (left.length === 0) return
      const commit = history.begin({ kind: 'commit', process, group, offsets: left })
      try {
        await consumer.commit(left)
        commit.ok()
        return
      } catch (error) {
        // One of the partitions was taken away meanwhile, or there was no answer.
        if (!isMillraceError(error)) throw error
        commit.unknown(error)
        tally.count('groups', `commits that failed with ${error.code}`)
      }
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
