import { createClient } from 'millrace/client'
import type { Client, ClientOptions } from 'millrace/client'
import { enriched, orders, shipped } from './contracts.ts'
import { enrichmentLetters } from './services.ts'

/** A record as somebody reads it who knows nothing of contracts. */
interface Found {
  readonly place: string
  readonly userId: string
  /** The order's, if the record holds one. */
  readonly orderId: string | undefined
  /** Of a dead letter: where its record was, and why it is one. */
  readonly source: string | undefined
  readonly reason: string | undefined
}

/** What became of everything, counted from the topics alone. */
export interface Account {
  readonly lines: readonly string[]
  /** What should be zero and is not. */
  readonly failures: readonly string[]
}

/** Reads all topics, and holds what came out against what went in. */
export async function takeAccount(kafka: ClientOptions): Promise<Account> {
  await using client = createClient(kafka)
  const [source, out, sent, letters, refused] = (await Promise.all(
    [
      orders.name,
      enriched.name,
      shipped.name,
      `${orders.name}.dlq`,
      enrichmentLetters(orders.name),
    ].map((topic) => readAll(client, topic)),
  )) as [Found[], Found[], Found[], Found[], Found[]]
  const valid = source.filter(({ orderId }) => orderId !== undefined)
  const failures: string[] = []
  const mustBeNone = (what: string, count: number) => {
    if (count > 0) failures.push(`${what}: ${count}`)
    return `${what} ${count}`
  }

  // Exactly once: for each user the same orders, one for one, in the same order.
  const expected = ordersByUser(valid)
  const found = ordersByUser(out)
  let lost = 0
  let duplicated = 0
  let outOfOrder = 0
  for (const [user, wanted] of expected) {
    const there = found.get(user) ?? []
    lost += Math.max(0, wanted.length - there.length)
    duplicated += Math.max(0, there.length - wanted.length)
    if (wanted.length === there.length && wanted.join() !== there.join()) outOfOrder++
  }

  // At least once: each order is shipped or a dead letter; what is shipped first is in the order of its user.
  const lettered = new Set(letters.map(({ source: place }) => place))
  const isShipped = new Set(sent.map(({ orderId }) => orderId))
  const missing = valid.filter((each) => !isShipped.has(each.orderId) && !lettered.has(each.place))
  const malformed = source.filter(({ orderId }) => orderId === undefined)
  const unanswered = malformed.filter(({ place }) => !lettered.has(place)).length
  const counts = new Map<string, number>()
  for (const { reason = 'unknown' } of letters) counts.set(reason, (counts.get(reason) ?? 0) + 1)
  const reasons = [...counts].map(([reason, count]) => `${count} ${reason}`)
  const lines = [
    `orders       ${valid.length} orders and ${malformed.length} malformed records were written`,
    `enrichment   ${out.length} events, exactly once: ${mustBeNone('lost', lost)}, ${mustBeNone('duplicated', duplicated)}, ${mustBeNone('users out of order', outOfOrder)}; ${refused.length} dead letters`,
    `fulfilment   ${isShipped.size} orders shipped, at least once: ${mustBeNone('lost', missing.length + unanswered)}, ${mustBeNone('users out of order', usersOutOfOrder(valid, sent))}, ${sent.length - isShipped.size} shipped again`,
    `dead letters ${letters.length}: ${reasons.join(', ') || 'none'}`,
  ]
  return { lines, failures }
}

function ordersByUser(found: readonly Found[]): Map<string, string[]> {
  const users = new Map<string, string[]>()
  for (const { userId, orderId = '' } of found)
    users.set(userId, [...(users.get(userId) ?? []), orderId])
  return users
}

/** Users whose orders were shipped in another order than they came, repeats aside. */
function usersOutOfOrder(valid: readonly Found[], sent: readonly Found[]): number {
  const wanted = ordersByUser(valid)
  let count = 0
  for (const [user, shippedOrders] of ordersByUser(sent)) {
    const first = [...new Set(shippedOrders)]
    const due = [...new Set(wanted.get(user) ?? [])].filter((order) => first.includes(order))
    if (first.join() !== due.join()) count++
  }
  return count
}

/** All committed records of a topic, partition by partition. */
async function readAll(client: Client, topic: string): Promise<Found[]> {
  const { partitions } = await client.admin().topics.describe(topic)
  const all = partitions.map(({ partition }) => ({ topic, partition }))
  await using consumer = client.consumer({ offsetReset: 'earliest' })
  consumer.assign(all)
  const left = new Map(
    (await consumer.endOffsets(all)).map(({ partition, offset }) => [partition, offset]),
  )
  for (const [partition, end] of left) if (end === 0) left.delete(partition)
  const found: Found[] = []
  while (left.size > 0) {
    for (const batch of await consumer.poll()) {
      for (const record of batch) {
        const text = (name: string) => record.header(name)?.toString()
        const source = `${text('source-partition')}@${text('source-offset')}`
        const isLetter = text('source-offset') !== undefined
        found.push({
          place: `${batch.partition}@${record.offset}`,
          userId: String(record.key),
          orderId: orderIdIn(String(record.value)),
          source: isLetter ? source : undefined,
          reason: isLetter ? `${text('error-class')}` : undefined,
        })
      }
      if (batch.nextOffset >= (left.get(batch.partition) ?? 0)) left.delete(batch.partition)
    }
  }
  return found
}

function orderIdIn(value: string): string | undefined {
  try {
    return (JSON.parse(value) as { data: { orderId: string } }).data.orderId
  } catch {
    return undefined
  }
}
