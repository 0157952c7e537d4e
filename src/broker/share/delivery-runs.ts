/** How far the delivery of a record has come. */
export type Delivery = 'available' | 'acquired' | 'acknowledged' | 'archived'

/** Neighbouring offsets that stand at the same point. Values are shared: nobody changes one. */
export interface Run {
  readonly first: number
  readonly last: number
  readonly delivery: Delivery
  /** How often the records were handed out, this time included. */
  readonly count: number
  /** Who has acquired them; '' for nobody. */
  readonly memberId: string
  /** When they are taken back from who has them, on the clock that never steps back. */
  readonly heldUntilMs: number
}

export type Runs = readonly Run[]

/** Records that nobody has, and that were handed out `count` times. */
export function availableRun(first: number, last: number, count: number): Run {
  return { first, last, delivery: 'available', count, memberId: '', heldUntilMs: 0 }
}

/** Records that are done with: acknowledged, or given up. */
export function finishedRun(
  first: number,
  last: number,
  delivery: 'acknowledged' | 'archived',
  count: number,
): Run {
  return { first, last, delivery, count, memberId: '', heldUntilMs: 0 }
}

export function isFinished({ delivery }: Run): boolean {
  return delivery === 'acknowledged' || delivery === 'archived'
}

/** Changes what lies in a range; runs that reach out of it are split. */
export function changeRange(
  runs: Runs,
  first: number,
  last: number,
  change: (part: Run) => Run,
): Run[] {
  return runs.flatMap((run) => {
    if (run.last < first || run.first > last) return [run]
    const parts: Run[] = []
    if (run.first < first) parts.push({ ...run, last: first - 1 })
    const inside = { first: Math.max(run.first, first), last: Math.min(run.last, last) }
    parts.push(change({ ...run, ...inside }))
    if (run.last > last) parts.push({ ...run, first: last + 1 })
    return parts
  })
}

/** The same with neighbours that stand at the same point as one. */
export function mergeNeighbours(runs: Runs): Run[] {
  const merged: Run[] = []
  for (const run of runs) {
    const before = merged.at(-1)
    if (before !== undefined && standAlike(before, run)) {
      merged[merged.length - 1] = { ...before, last: run.last }
    } else {
      merged.push(run)
    }
  }
  return merged
}

/** How often finished records were handed out does not matter any more. */
function standAlike(a: Run, b: Run): boolean {
  if (a.delivery !== b.delivery) return false
  if (isFinished(a)) return true
  return a.count === b.count && a.memberId === b.memberId && a.heldUntilMs === b.heldUntilMs
}
