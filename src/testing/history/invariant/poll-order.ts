import { itemAt } from '../column.ts'
import { findRead } from '../history-index.ts'
import { walkReaders } from '../reader-walk.ts'
import type { Line } from '../narrator.ts'
import type { Judgement } from './invariant.ts'

/**
 * J6 and J7: a process that goes on reading a key reads the next record there is; it neither skips
 * one nor goes back. J6 within one poll or transaction, J7 from one to the next.
 */
export function judgePollOrder(judgement: Judgement): void {
  const { index, settings } = judgement
  const { reads } = index
  walkReaders(index, {
    read(read, previous, subscribed) {
      if (previous === undefined) return
      const internal = reads.operation.get(previous) === reads.operation.get(read)
      const excused = !internal && subscribed && !settings.rebalancesRecorded
      judgePair(judgement, previous, read, internal, excused)
    },
  })
  judgeUncommitted(judgement)
}

/**
 * Inside of operations that failed or whose outcome is unknown the order holds as well. Each is
 * judged by itself, with what moved its process' positions meanwhile as an excuse.
 */
function judgeUncommitted(judgement: Judgement): void {
  const { reads, operations, values } = judgement.index
  const lastReads = new Map<string, number>()
  for (let read = 0; read < reads.operation.length; read += 1) {
    const operation = reads.operation.get(read)
    if (operations.isCommitted(operation)) continue
    const place = `${operation} ${values.key(reads.value.get(read))}`
    const previous = lastReads.get(place)
    lastReads.set(place, read)
    if (previous === undefined || hasMoved(judgement, previous, read)) continue
    judgePair(judgement, previous, read, true, false)
  }
}

function judgePair(
  judgement: Judgement,
  previous: number,
  read: number,
  internal: boolean,
  excused: boolean,
): void {
  const { index, findings, narrator } = judgement
  const from = index.reads.position.get(previous)
  const to = index.reads.position.get(read)
  // What an aborted record makes of the order is not told twice: its reading is J3.
  if (from < 0 || to < 0 || to === from + 1) return
  const { values, reads, operations, keys } = index
  const key = values.key(reads.value.get(read))
  const who = `${operations.processName(reads.operation.get(read))} reads ${keys.name(key)}`
  const lines = [narrator.read(previous), narrator.read(read)]
  if (to > from) {
    const missed = itemAt(index.orders, key).valueAt(from + 1)
    findings.add(
      internal ? 'internal-poll-skip' : 'poll-skip',
      () =>
        narrator.story(`${who} and misses ${narrator.valueOf(missed)}`, [
          ...lines,
          ...evidence(judgement, missed),
        ]),
      excused,
    )
    return
  }
  findings.add(
    internal ? 'internal-nonmonotonic-poll' : 'nonmonotonic-poll',
    () => narrator.story(`${who} and goes back`, lines),
    excused,
  )
}

/** How the history knows of a record: its writer, or else its first reader. */
function evidence({ index, narrator }: Judgement, value: number): Line[] {
  if (index.values.write(value) !== undefined) return narrator.writeOf(value)
  const read = findRead(index, (row) => index.reads.value.get(row) === value)
  return read === undefined ? [] : [narrator.read(read)]
}

/** Whether the reader's position in the key was moved between two of its reads. */
function hasMoved({ index }: Judgement, previous: number, read: number): boolean {
  const { reads, operations, keys, values, events } = index
  const { topic, partition } = keys.at(values.key(reads.value.get(read)))
  const process = operations.process(reads.operation.get(read))
  for (let at = reads.event.get(previous); at < reads.event.get(read); at += 1) {
    const event = itemAt(events, at)
    if (event.event !== 'begin' || operations.process(event.id) !== process) continue
    if (event.kind === 'assign' || event.kind === 'subscribe') return true
    const moved =
      event.kind === 'rebalance' ? event.partitions : event.kind === 'seek' ? event.offsets : []
    if (moved.some((one) => one.topic === topic && one.partition === partition)) return true
  }
  return false
}
