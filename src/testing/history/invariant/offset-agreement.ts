import { findRead } from '../history-index.ts'
import type { Line } from '../narrator.ts'
import type { Judgement } from './invariant.ts'

/**
 * J1: an offset has one value, for everybody and for ever. J2: a value that was sent once has one
 * offset. Both look at all polls, also of operations that failed: a poll must always be safe.
 */
export function judgeOffsetAgreement(judgement: Judgement): void {
  const { index, findings, narrator } = judgement
  index.orders.forEach((order, key) => {
    for (const [offset, seen] of order.conflicts) {
      const shown = seen.map((value) => narrator.valueOf(value)).join(', ')
      findings.add('inconsistent-offsets', () =>
        narrator.story(
          `offset ${offset} of ${index.keys.name(key)} is ${shown}`,
          seen.flatMap((value) => sightings(judgement, value, offset)),
        ),
      )
    }
  })
  for (const value of index.values.duplicates()) {
    const offsets = index.values.offsets(value)
    findings.add('duplicate', () =>
      narrator.story(`${narrator.valueOf(value)} stands at offsets ${offsets.join(', ')}`, [
        ...narrator.writeOf(value),
        ...offsets.flatMap((offset) => sightings(judgement, value, offset)),
      ]),
    )
  }
}

/** Who says that the value stands at the offset: the first reader, or else the acknowledgement. */
function sightings({ index, narrator }: Judgement, value: number, offset: number): Line[] {
  const { reads, writes } = index
  const read = findRead(
    index,
    (row) => reads.value.get(row) === value && reads.offset.get(row) === offset,
  )
  if (read !== undefined) return [narrator.read(read)]
  const write = index.values.write(value)
  return write !== undefined && writes.offset.get(write) === offset ? narrator.write(write) : []
}
