import type { LoggedEvent, OracleAnswer } from '../../../src/stream/fixture/join-oracle.ts'
import type { ShopOptions } from './shop-flow.ts'

/** What must have come of the table: `key@start: cents`. */
export interface OracleTotals {
  readonly updates: readonly string[]
  /** Of windows that have closed. */
  readonly closed: readonly string[]
  /** Of all windows. */
  readonly all: readonly string[]
  /** Pairs that came when all their windows had closed: `left+right`. */
  readonly late: readonly string[]
}

/** The sums by window, by the rules alone: every window is tried with every pair. */
export function totalsOf({ happened, joinTime }: OracleAnswer, shop: ShopOptions): OracleTotals {
  const { windowMs, everyMs = windowMs, tableGraceMs, type } = shop
  const sums = new Map<string, { readonly end: number; cents: number }>()
  const updates: string[] = []
  const late: string[] = []
  for (const { what, left, right, joinTime: nowMs } of happened) {
    const isResult = type === 'outer' || (type === 'left' && left !== undefined)
    if (what !== 'matched' && !(what === 'unmatched' && isResult)) continue
    const event = (left ?? right) as LoggedEvent & { readonly cents: number }
    const time = Math.max(left?.time ?? 0, right?.time ?? 0)
    let isLate = true
    const first = Math.floor(time / everyMs) * everyMs
    for (let start = first; start > time - windowMs; start -= everyMs) {
      const end = start + windowMs
      if (end + tableGraceMs < nowMs) continue
      isLate = false
      const place = `${event.key}@${start}`
      const sum = sums.get(place) ?? { end, cents: 0 }
      sum.cents += event.cents
      sums.set(place, sum)
      updates.push(`${place}: ${sum.cents}`)
    }
    if (isLate) late.push(`${left?.id ?? null}+${right?.id ?? null}`)
  }
  const told = ([place, { cents }]: [string, { readonly cents: number }]) => `${place}: ${cents}`
  const closed = [...sums].filter(([, { end }]) => end + tableGraceMs < joinTime)
  return { updates, late, closed: closed.map(told), all: [...sums].map(told) }
}
