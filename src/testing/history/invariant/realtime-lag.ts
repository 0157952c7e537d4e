import { itemAt } from '../column.ts'
import { walkReaders } from '../reader-walk.ts'
import type { HistoryIndex } from '../history-index.ts'
import type { RealtimeLag } from '../report.ts'

/**
 * J11: how long before a poll the oldest record that it could have returned, and did not, had been
 * known to be committed. Kafka promises no bound, so the worst case is reported and not judged.
 */
export function worstRealtimeLag(index: HistoryIndex): RealtimeLag | undefined {
  const supersededAtMs = supersessions(index)
  const lastPollMs = new Array<number>(index.operations.processCount).fill(Number.NaN)
  let worst: { lagMs: number; atMs: number; read: number } | undefined

  /** Lag only grows while a position stands, so it is measured at the last poll before it moves. */
  function measure(process: number, read: number): void {
    const position = index.reads.position.get(read)
    if (position < 0) return
    const key = index.values.key(index.reads.value.get(read))
    const atMs = itemAt(lastPollMs, process)
    const lagMs = atMs - (itemAt(supersededAtMs, key)[position] ?? Infinity)
    if (lagMs > (worst?.lagMs ?? 0)) worst = { lagMs, atMs, read }
  }

  walkReaders(index, {
    read(read, previous) {
      if (previous === undefined) return
      if (index.reads.event.get(previous) === index.reads.event.get(read)) return
      measure(index.operations.process(index.reads.operation.get(read)), previous)
    },
    polled(process, atMs) {
      lastPollMs[process] = atMs
    },
    left: measure,
  })
  return worst === undefined ? undefined : describe(index, worst)
}

function describe(
  { reads, operations, keys, values }: HistoryIndex,
  { lagMs, atMs, read }: { lagMs: number; atMs: number; read: number },
): RealtimeLag {
  return {
    process: operations.processName(reads.operation.get(read)),
    ...keys.at(values.key(reads.value.get(read))),
    offset: reads.offset.get(read),
    atMs,
    lagMs,
  }
}

/** By key and position: the first time at which a later record was known to be committed. */
function supersessions(index: HistoryIndex): Float64Array[] {
  const { orders, values, writes, reads, operations, events } = index
  const knownAtMs = orders.map((order) => new Float64Array(order.length).fill(Infinity))
  const know = (value: number, position: number, event: number): void => {
    const known = itemAt(knownAtMs, values.key(value))
    const atMs = itemAt(events, event).atMs
    if (position >= 0 && atMs < (known[position] ?? 0)) known[position] = atMs
  }
  for (let write = 0; write < writes.value.length; write += 1) {
    const operation = writes.operation.get(write)
    const end = operations.endEvent(operation)
    if (end === undefined || operations.outcome(operation) !== 'ok') continue
    const value = writes.value.get(write)
    know(value, values.firstPosition(value), end)
  }
  for (let read = 0; read < reads.value.length; read += 1) {
    if (operations.outcome(reads.operation.get(read)) !== 'ok') continue
    know(reads.value.get(read), reads.position.get(read), reads.event.get(read))
  }
  for (const known of knownAtMs) {
    let earliestMs = Infinity
    for (let position = known.length - 1; position >= 0; position -= 1) {
      const ownMs = known[position] ?? Infinity
      known[position] = earliestMs
      earliestMs = Math.min(earliestMs, ownMs)
    }
  }
  return knownAtMs
}
