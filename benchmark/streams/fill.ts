import { createClient } from '../../src/client/index.ts'
import { createTopic } from '../side-by-side.ts'
import type { ShopRecord } from './shop.ts'
import { partitionCount } from './task.ts'

/** Makes a topic that has so many records. */
export async function fill(
  bootstrap: string,
  topic: string,
  records: number,
  make: (index: number) => ShopRecord,
): Promise<void> {
  await createTopic(bootstrap, topic, partitionCount)
  await using client = createClient({ brokers: bootstrap, log: () => undefined })
  await using producer = client.producer()
  for (let from = 0; from < records; from += 10_000) {
    const count = Math.min(10_000, records - from)
    await producer.send(Array.from({ length: count }, (_, index) => make(from + index)))
  }
}
