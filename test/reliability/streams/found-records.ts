import type { Client } from '../../../src/client/index.ts'
import { decodeRecord } from '../../../src/contract/index.ts'
import type { Event, TopicContract } from '../../../src/contract/index.ts'
import { makeRecord } from '../../../src/protocol/records/index.ts'

/** A record as whoever reads committed records finds it. */
export interface FoundRecord {
  readonly partition: number
  readonly offset: number
  readonly timestamp: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: readonly { readonly key: string; readonly value: Buffer | null }[]
}

/** Everything that is committed, by topic and partition. */
export type FoundTopics = ReadonlyMap<string, readonly (readonly FoundRecord[])[]>

/** Reads all that is committed. What is open in a topic is waited for: it must be decided one day. */
export async function readCommitted(
  client: Client,
  topics: readonly string[],
): Promise<FoundTopics> {
  const found = new Map<string, FoundRecord[][]>()
  for (const topic of topics) {
    const { partitions } = await client.admin().topics.describe(topic)
    const places = partitions.map(({ partition }) => ({ topic, partition }))
    await using ends = client.consumer({ offsetReset: 'none', isolation: 'read_uncommitted' })
    await using consumer = client.consumer({ offsetReset: 'earliest' })
    consumer.assign(places)
    const wanted = await ends.endOffsets(places)
    const records: FoundRecord[][] = places.map(() => [])
    const isRead = (place: (typeof wanted)[number]) =>
      (consumer.position(place) ?? 0) >= place.offset
    while (!wanted.every(isRead)) {
      for (const batch of await consumer.poll({ timeoutMs: 200 })) {
        const { partition } = batch
        for (const { offset, timestamp, key, value, headers } of batch) {
          const copied = headers.map((header) => ({ key: header.key, value: copyOf(header.value) }))
          records[partition]?.push({
            ...{ partition, offset, timestamp, key: copyOf(key), value: copyOf(value) },
            headers: copied,
          })
        }
      }
    }
    found.set(topic, records)
  }
  return found
}

function copyOf(bytes: Buffer | null): Buffer | null {
  return bytes === null ? null : Buffer.from(bytes)
}

export function headerOf({ headers }: FoundRecord, name: string): string | undefined {
  return headers.findLast(({ key }) => key === name)?.value?.toString()
}

/** The event in a record; throws what is wrong with it. */
export function eventIn(topic: TopicContract, record: FoundRecord): Event {
  const decoded = decodeRecord(topic, makeRecord(record))
  if (decoded instanceof Promise || decoded.kind !== 'event') {
    throw new Error(`offset ${record.offset} of ${topic.name} has no event`)
  }
  return decoded.event
}
