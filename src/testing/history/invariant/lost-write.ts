import { itemAt } from '../column.ts'
import { findRead } from '../history-index.ts'
import type { Judgement } from './invariant.ts'

/**
 * J4: when somebody has read a later record of a key, every committed record before it was read by
 * somebody. Somebody must have read from the beginning for this to be so.
 */
export function judgeLostWrites(judgement: Judgement): void {
  const { index, findings, narrator } = judgement
  const { values, writes, operations } = index
  const bounds = highestReadPositions(judgement)
  for (let write = 0; write < writes.value.length; write += 1) {
    const value = writes.value.get(write)
    const position = values.lastPosition(value)
    if (position < 0 || position > itemAt(bounds, values.key(value))) continue
    if (values.isRead(value) || !operations.isCommitted(writes.operation.get(write))) continue
    findings.add('lost-write', () => {
      const past = firstReadPast(judgement, values.key(value), position)
      return narrator.story(
        `${narrator.valueOf(value)} was committed and nobody read it, though later records were read`,
        [...narrator.write(write), ...(past === undefined ? [] : [narrator.read(past)])],
      )
    })
  }
}

/** By key: the last position that was surely read; -1 for none. */
function highestReadPositions({ index }: Judgement): number[] {
  const { keys, values } = index
  const highest = new Array<number>(keys.length).fill(-1)
  for (let value = 0; value < values.length; value += 1) {
    if (!values.isRead(value)) continue
    const key = values.key(value)
    highest[key] = Math.max(itemAt(highest, key), values.firstPosition(value))
  }
  return highest
}

function firstReadPast({ index }: Judgement, key: number, position: number): number | undefined {
  const { reads, values, operations } = index
  return findRead(
    index,
    (read) =>
      reads.position.get(read) > position &&
      values.key(reads.value.get(read)) === key &&
      operations.outcome(reads.operation.get(read)) === 'ok',
  )
}
