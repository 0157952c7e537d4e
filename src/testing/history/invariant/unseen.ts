import { findRead } from '../history-index.ts'
import type { Judgement } from './invariant.ts'

/**
 * J9: the final phase reads everything from the beginning to the end, so every acknowledged record
 * was read by then, and every record that was ever read is read there once more.
 */
export function judgeUnseen({ index, findings, narrator }: Judgement): void {
  const { values, reads, operations, writes, finalEvent } = index
  if (finalEvent === undefined) return
  const isInFinal = new Uint8Array(values.length)
  for (let read = 0; read < reads.value.length; read += 1) {
    if (reads.event.get(read) < finalEvent) continue
    if (operations.outcome(reads.operation.get(read)) !== 'ok') continue
    isInFinal[reads.value.get(read)] = 1
  }
  for (let value = 0; value < values.length; value += 1) {
    if (isInFinal[value] === 1) continue
    const write = values.write(value)
    if (values.isRead(value)) {
      // That an aborted record is gone in the end is as it should be; that it was read is J3.
      if (values.isAborted(value)) continue
      findings.add('vanished', () => {
        const read = findRead(index, (row) => isOkReadOf(index, row, value))
        return narrator.story(`${narrator.valueOf(value)} was read once and is gone in the end`, [
          ...narrator.writeOf(value),
          ...(read === undefined ? [] : [narrator.read(read)]),
          { event: finalEvent, text: 'the final phase begins, in which nobody reads it' },
        ])
      })
    } else if (write !== undefined && operations.outcome(writes.operation.get(write)) === 'ok') {
      findings.add('unseen', () =>
        narrator.story(`${narrator.valueOf(value)} was acknowledged and nobody ever read it`, [
          ...narrator.write(write),
          { event: finalEvent, text: 'the final phase begins, in which nobody reads it' },
        ]),
      )
    }
  }
}

function isOkReadOf(
  { reads, operations }: Judgement['index'],
  read: number,
  value: number,
): boolean {
  return reads.value.get(read) === value && operations.outcome(reads.operation.get(read)) === 'ok'
}
