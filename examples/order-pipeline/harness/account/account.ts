import { createClient } from 'millrace/client'
import type { ClientOptions } from 'millrace/client'
import {
  enriched,
  lettersOf,
  orders,
  paid,
  payments,
  revenueByMinute,
  shipped,
} from '../../contracts.ts'
import { joinAccount } from './join-account.ts'

import { readAll } from './topic-reader.ts'
import type { Found } from './topic-reader.ts'

/** What became of everything, counted from the topics alone. */
export interface Account {
  readonly lines: readonly string[]
  /** What should be zero and is not. */
  readonly failures: readonly string[]
}

/** Says how often something happened that must not, and remembers it. */
export type MustBeNone = (what: string, count: number) => string

const topics = {
  source: orders.name,
  payments: payments.name,
  enriched: enriched.name,
  shipped: shipped.name,
  paid: paid.name,
  revenue: revenueByMinute.name,
  letters: lettersOf('fulfilment')(orders.name),
  refused: lettersOf('enrichment')(orders.name),
  unpaidOrders: lettersOf('bookkeeping')(orders.name),
  unpaidPayments: lettersOf('bookkeeping')(payments.name),
} as const

export type FoundTopics = Readonly<Record<keyof typeof topics, readonly Found[]>>

/** Reads all topics, and holds what came out against what went in. */
export async function takeAccount(kafka: ClientOptions): Promise<Account> {
  await using client = createClient(kafka)
  const read = Object.entries(topics).map(async ([name, topic]) => [
    name,
    await readAll(client, topic),
  ])
  const found = Object.fromEntries(await Promise.all(read)) as FoundTopics
  const failures: string[] = []
  const mustBeNone: MustBeNone = (what, count) => {
    if (count > 0) failures.push(`${what}: ${count}`)
    return `${what} ${count}`
  }
  const valid = found.source.filter(({ event }) => event !== undefined)
  const malformed = found.source.filter(({ event }) => event === undefined)
  const lines = [
    `orders       ${valid.length} orders and ${malformed.length} malformed records were written`,
    enrichmentLine(valid, found, mustBeNone),
    fulfilmentLine(valid, malformed, found, mustBeNone),
    lettersLine(found.letters),
    ...joinAccount(found, mustBeNone),
  ]
  return { lines, failures }
}

/** Exactly once: for each user the same orders, one for one, in the same order. */
function enrichmentLine(
  valid: readonly Found[],
  { enriched: out, refused }: FoundTopics,
  mustBeNone: MustBeNone,
): string {
  const made = ordersByUser(out)
  let lost = 0
  let duplicated = 0
  let outOfOrder = 0
  for (const [user, wanted] of ordersByUser(valid)) {
    const there = made.get(user) ?? []
    lost += Math.max(0, wanted.length - there.length)
    duplicated += Math.max(0, there.length - wanted.length)
    if (wanted.length === there.length && wanted.join() !== there.join()) outOfOrder++
  }
  const promised = [
    mustBeNone('lost', lost),
    mustBeNone('duplicated', duplicated),
    mustBeNone('users out of order', outOfOrder),
  ]
  return `enrichment   ${out.length} events, exactly once: ${promised.join(', ')}; ${refused.length} dead letters`
}

/** At least once: each order is shipped or a dead letter; what is shipped first is in the order of its user. */
function fulfilmentLine(
  valid: readonly Found[],
  malformed: readonly Found[],
  { shipped: sent, letters }: FoundTopics,
  mustBeNone: MustBeNone,
): string {
  const lettered = new Set(letters.map(({ source }) => source))
  const isShipped = new Set(sent.map(orderOf))
  const missing = valid.filter((each) => !isShipped.has(orderOf(each)) && !lettered.has(each.place))
  const unanswered = malformed.filter(({ place }) => !lettered.has(place))
  const promised = [
    mustBeNone('lost', missing.length + unanswered.length),
    mustBeNone('users out of order', usersOutOfOrder(valid, sent)),
  ]
  return `fulfilment   ${isShipped.size} orders shipped, at least once: ${promised.join(', ')}, ${sent.length - isShipped.size} shipped again`
}

function lettersLine(letters: readonly Found[]): string {
  const counts = new Map<string, number>()
  for (const { reason = 'unknown' } of letters) counts.set(reason, (counts.get(reason) ?? 0) + 1)
  const reasons = [...counts].map(([reason, count]) => `${count} ${reason}`)
  return `dead letters ${letters.length}: ${reasons.join(', ') || 'none'}`
}

function orderOf({ event }: Found): string {
  return String(event?.data['orderId'])
}

function ordersByUser(found: readonly Found[]): Map<string, string[]> {
  const users = new Map<string, string[]>()
  for (const each of found) users.set(each.key, [...(users.get(each.key) ?? []), orderOf(each)])
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
