import { itemAt } from '../column.ts'
import type { HistoryIndex } from '../history-index.ts'
import type { Judgement } from './invariant.ts'

/**
 * J8: records that a process sends to a key stand in the log in the order in which it sent them.
 * That others write in between is normal, also inside of a transaction.
 */
export function judgeSendOrder({ index, findings, narrator }: Judgement): void {
  const { writes, operations, values, keys } = index
  const lastWrites = Array.from(
    { length: operations.processCount },
    () => new Map<number, number>(),
  )
  for (let write = 0; write < writes.operation.length; write += 1) {
    const operation = writes.operation.get(write)
    const position = positionOf(index, write)
    if (position < 0 || !operations.isCommitted(operation)) continue
    const key = values.key(writes.value.get(write))
    const memory = itemAt(lastWrites, operations.process(operation))
    const previous = memory.get(key)
    memory.set(key, write)
    if (previous === undefined) continue
    const step = position - positionOf(index, previous)
    const internal = writes.operation.get(previous) === operation
    if (step < 1) {
      findings.add(internal ? 'internal-nonmonotonic-send' : 'nonmonotonic-send', () =>
        narrator.story(
          `${operations.processName(operation)} sent two records to ${keys.name(key)} that stand the other way round`,
          [...narrator.write(previous), ...narrator.write(write)],
        ),
      )
    } else if (step > 1 && internal) {
      const between = itemAt(index.orders, key).valueAt(position - 1)
      findings.add('internal-send-skip', () =>
        narrator.story(`${narrator.valueOf(between)} stands between two of one transaction`, [
          ...narrator.write(previous),
          ...narrator.writeOf(between),
          ...narrator.write(write),
        ]),
      )
    }
  }
}

function positionOf({ writes, values, orders }: HistoryIndex, write: number): number {
  const value = writes.value.get(write)
  const offset = writes.offset.get(write)
  if (offset < 0) return values.firstPosition(value)
  return itemAt(orders, values.key(value)).positionOf(offset)
}
