import type { LoggedEvent, OracleAnswer } from '../../../src/stream/fixture/join-oracle.ts'
import type { ShopOptions } from './shop-flow.ts'

/** What must have come of the table: `key@start: cents`. */
export interface OracleTotals {
  readonly updates: readonly string[]
  /** Of windows that have closed. */
  readonly closed: readonly string[]
  /** Pairs that came when all their windows had closed: `left+right`. */
  readonly late: readonly string[]
}

/** A window with values in it. */
interface OracleWindow {
  readonly key: string
  start: number
  end: number
  cents: number
}

type Valued = LoggedEvent & { readonly cents: number }

/** The sums by window, by the rules alone: every window is tried with every pair. */
export function totalsOf({ happened, joinTime }: OracleAnswer, shop: ShopOptions): OracleTotals {
  const { tableGraceMs, type } = shop
  let open: OracleWindow[] = []
  const updates: string[] = []
  const late: string[] = []
  const closed: string[] = []
  const told = ({ key, start, cents }: OracleWindow) => `${key}@${start}: ${cents}`
  const isOver = ({ end }: { readonly end: number }, nowMs: number) => end + tableGraceMs < nowMs
  const close = (nowMs: number) => {
    closed.push(...open.filter((window) => isOver(window, nowMs)).map(told))
    open = open.filter((window) => !isOver(window, nowMs))
  }
  for (const { what, left, right, joinTime: nowMs } of happened) {
    close(nowMs)
    const isResult = type === 'outer' || (type === 'left' && left !== undefined)
    if (what !== 'matched' && !(what === 'unmatched' && isResult)) continue
    const event = (left ?? right) as Valued
    const time = Math.max(left?.time ?? 0, right?.time ?? 0)
    const windows = shop.hasSessions
      ? sessionOf(open, event, time, shop.windowMs)
      : windowsOf(open, event, time, shop)
    const taking = windows.filter((window) => !isOver(window, nowMs))
    for (const window of taking) {
      window.cents += event.cents
      updates.push(told(window))
    }
    open = [...new Set([...open, ...taking])]
    if (taking.length === 0) late.push(`${left?.id ?? null}+${right?.id ?? null}`)
  }
  close(joinTime)
  return { updates, late, closed }
}

/** Those of this time, as they are or new. */
function windowsOf(
  open: readonly OracleWindow[],
  { key }: Valued,
  time: number,
  { windowMs, everyMs = windowMs }: ShopOptions,
): OracleWindow[] {
  const windows: OracleWindow[] = []
  const first = Math.floor(time / everyMs) * everyMs
  for (let start = first; start > time - windowMs; start -= everyMs) {
    const known = open.find((window) => window.key === key && window.start === start)
    windows.push(known ?? { key, start, end: start + windowMs, cents: 0 })
  }
  return windows
}

/** The session that the event makes or goes on, of all that it touches: these are taken out of `open`. */
function sessionOf(
  open: OracleWindow[],
  { key }: Valued,
  time: number,
  gapMs: number,
): OracleWindow[] {
  const touching = open.filter(
    (window) => window.key === key && window.end >= time && window.start <= time + gapMs,
  )
  const session = { key, start: time, end: time + gapMs, cents: 0 }
  for (const window of touching) {
    session.start = Math.min(session.start, window.start)
    session.end = Math.max(session.end, window.end)
    session.cents += window.cents
    open.splice(open.indexOf(window), 1)
  }
  return [session]
}
