import { createClient } from '../../../src/client/index.ts'
import { silentLog } from '../../../src/observe/index.ts'
import type { Platform } from '../../../src/platform/index.ts'

/** The sources of all letters that were written, as readers of the dead-letter topics find them. */
export async function readLetters(
  platform: Platform,
  brokers: string,
  topic: string,
): Promise<ReadonlySet<string>> {
  await using client = createClient({
    ...{ brokers, platform, clientId: 'auditor', allowPlaintext: true, log: silentLog },
  })
  const admin = client.admin()
  const all = await Promise.all(
    [`${topic}.dlq`, `${topic}.dlq-poison`].map(async (name) => {
      const { partitions } = await admin.topics.describe(name)
      return partitions.map(({ partition }) => ({ topic: name, partition }))
    }),
  )
  await using consumer = client.consumer({ offsetReset: 'earliest' })
  consumer.assign(all.flat())
  const ends = await consumer.endOffsets(all.flat())
  const found = new Set<string>()
  let left = ends.reduce((sum, { offset }) => sum + offset, 0)
  while (left > 0) {
    for (const batch of await consumer.poll()) {
      for (const record of batch) {
        const source = record.header('source-partition')?.toString()
        found.add(`${source}@${record.header('source-offset')?.toString()}`)
      }
      left -= batch.recordCount
    }
  }
  return found
}
