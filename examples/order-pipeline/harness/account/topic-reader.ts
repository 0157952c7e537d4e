import type { Client } from 'millrace/client'

/** A record as somebody reads it who knows nothing of contracts. */
export interface Found {
  /** Where it lies: `partition@offset`. */
  readonly place: string
  readonly key: string
  /** What its value holds, if that is an event. */
  readonly event:
    { readonly id: string; readonly timestamp: number; readonly data: Data } | undefined
  /** Of a dead letter: where its record was first, and why it is one. */
  readonly source: string | undefined
  readonly reason: string | undefined
}

export type Data = Readonly<Record<string, string | number>>

/** All committed records of a topic, partition by partition. */
export async function readAll(client: Client, topic: string): Promise<Found[]> {
  const { partitions } = await client.admin().topics.describe(topic)
  const all = partitions.map(({ partition }) => ({ topic, partition }))
  await using consumer = client.consumer({ offsetReset: 'earliest' })
  consumer.assign(all)
  const ends = await consumer.endOffsets(all)
  const found: Found[] = []
  // By position: behind the last record there may be markers of transactions, and nothing that is handed out.
  while (ends.some((end) => (consumer.position(end) ?? 0) < end.offset)) {
    for (const batch of await consumer.poll({ timeoutMs: 200 })) {
      for (const record of batch) {
        const text = (name: string) => record.header(name)?.toString()
        const isLetter = text('dlq-timestamp') !== undefined
        const source = `${text('original-partition')}@${text('original-offset')}`
        found.push({
          place: `${batch.partition}@${record.offset}`,
          key: String(record.key),
          event: eventIn(String(record.value)),
          source: isLetter ? source : undefined,
          reason: isLetter ? text('error-class') : undefined,
        })
      }
    }
  }
  return found
}

function eventIn(value: string): Found['event'] {
  try {
    const event = JSON.parse(value) as Partial<NonNullable<Found['event']>>
    return event.data === undefined || event.id === undefined
      ? undefined
      : (event as Found['event'])
  } catch {
    return undefined
  }
}
