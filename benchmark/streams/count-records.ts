import { createNativeDriver } from '../../src/driver/index.ts'
import { partitionCount } from './task.ts'

/** How many committed records a topic has. */
export async function countRecords(bootstrap: string, topic: string): Promise<number> {
  await using driver = createNativeDriver({ brokers: bootstrap, log: () => undefined })
  const partitions = Array.from({ length: partitionCount }, (_, partition) => ({
    topic,
    partition,
  }))
  const reader = driver.reader({ offsetReset: 'earliest' })
  const ends = await reader.endOffsets(partitions)
  reader.assign(partitions)
  let count = 0
  const isAtEnd = () => ends.every((end) => (reader.position(end) ?? 0) >= end.offset)
  while (!isAtEnd()) {
    for (const { recordCount } of await reader.poll({ timeoutMs: 100 })) count += recordCount
  }
  await reader.close()
  return count
}
