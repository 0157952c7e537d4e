import type { FoundTopics, MustBeNone } from './account.ts'
import type { Found } from './topic-reader.ts'

const hourMs = 3_600_000
const withinMs = 24 * hourMs
const keptMs = withinMs + 2 * hourMs
/** Partitions are not all at the same time; what is decided in none of them is left out. */
const partitionsApartMs = 6 * hourMs

/** An event of one side, and what the topics say became of it. */
interface Side {
  readonly time: number
  readonly orderId: string
  readonly amount: number
  readonly fate: 'late' | 'unmatched' | undefined
}

/**
 * The join by its rules alone: who belongs together, who came late, who is left. Lateness is what the letters say, and each has to be
 * justified by the other records; everything else follows.
 */
export function joinAccount(found: FoundTopics, mustBeNone: MustBeNone): readonly string[] {
  const orders = sides(found.source, found.unpaidOrders)
  const payments = sides(found.payments, found.unpaidPayments)
  const pairs = countBy(found.paid.map(({ event }) => String(event?.data['orderId'])))
  const time = Math.min(latest(orders), latest(payments))
  let lost = 0
  let wrong = 0
  let waiting = 0
  for (const id of new Set([...orders.keys(), ...payments.keys()])) {
    const order = orders.get(id)
    const payment = payments.get(id)
    const isPaired = pairs.has(id)
    const belong = order !== undefined && payment !== undefined && mayMeet(order, payment)
    if (isPaired && !belong) wrong++
    if (belong && !isPaired) lost++
    for (const side of [order, payment]) {
      if (side === undefined) continue
      if (isPaired && side.fate !== undefined) wrong++
      if (side.fate !== undefined && !isJustified(side, latest(orders), latest(payments))) wrong++
      if (isPaired || side.fate !== undefined) continue
      if (side.time + keptMs + partitionsApartMs < time) lost++
      else waiting++
    }
  }
  const doubled = [...pairs.values()].filter((count) => count > 1).length
  const letters = [...found.unpaidOrders, ...found.unpaidPayments]
  const count = (reason: string) => letters.filter((letter) => letter.reason === reason).length
  const { total, differences } = revenue(found, payments, time)
  const promised = [
    mustBeNone('lost', lost),
    mustBeNone('duplicated', doubled),
    mustBeNone('mismatches', wrong),
  ]
  return [
    `join         ${pairs.size} orders paid, exactly once: ${promised.join(', ')}; ${count('UnmatchedRecord')} unmatched, ${count('LateRecord')} late, ${waiting} waiting`,
    `revenue      ${total} in ${found.revenue.length} minutes that have closed: ${mustBeNone('minutes that differ', differences)}`,
  ]
}

/** The first event of each order, as the join takes it, and what its letter says. */
function sides(found: readonly Found[], letters: readonly Found[]): Map<string, Side> {
  const fates = new Map(letters.map(({ source, reason }) => [source, reason]))
  const all = new Map<string, Side>()
  for (const { event, place } of found) {
    const orderId = String(event?.data['orderId'])
    if (event === undefined) continue
    const reason = fates.get(place)
    const fate =
      reason === 'LateRecord' ? 'late' : reason === 'UnmatchedRecord' ? 'unmatched' : undefined
    const amount = Number(event.data['amount'] ?? event.data['totalAmount'])
    if (!all.has(orderId)) all.set(orderId, { time: event.timestamp, orderId, amount, fate })
  }
  return all
}

function mayMeet(order: Side, payment: Side): boolean {
  if (order.fate === 'late' || payment.fate === 'late') return false
  return Math.abs(order.time - payment.time) <= withinMs
}

/** Late and left over is only what the time has passed. */
function isJustified({ time }: Side, latestOrder: number, latestPayment: number): boolean {
  return time + keptMs < Math.min(latestOrder, latestPayment)
}

function latest(events: ReadonlyMap<string, Side>): number {
  let time = 0
  for (const side of events.values()) time = Math.max(time, side.time)
  return time
}

/** The minutes that have closed in all partitions must add up to the payments that were matched in them. */
function revenue(
  { revenue: counted, paid }: FoundTopics,
  payments: ReadonlyMap<string, Side>,
  time: number,
) {
  const minutes = new Map<number, number>()
  let total = 0
  for (const { event } of counted) {
    const { minute, amount } = event?.data as { readonly minute: number; readonly amount: number }
    minutes.set(minute, (minutes.get(minute) ?? 0) - amount)
    total += amount
  }
  for (const { event } of paid) {
    const minute = (event?.timestamp ?? 0) - ((event?.timestamp ?? 0) % 60_000)
    const amount = payments.get(String(event?.data['orderId']))?.amount ?? NaN
    minutes.set(minute, (minutes.get(minute) ?? 0) + amount)
  }
  const closed = [...minutes].filter(([minute]) => minute + keptMs + partitionsApartMs < time)
  return { total, differences: closed.filter(([, left]) => left !== 0).length }
}

function countBy(names: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1)
  return counts
}
