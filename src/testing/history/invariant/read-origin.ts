import { itemAt } from '../column.ts'
import type { Judgement } from './invariant.ts'

/**
 * J3: what a committed read returns was sent by somebody, and its sender did not fail. J5: a
 * transaction does not see what it sends itself, for that is not committed yet.
 *
 * What nobody sent is only judged in topic-partitions that the history has senders for: elsewhere
 * the senders were not recorded.
 */
export function judgeReadOrigin({ index, findings, narrator }: Judgement): void {
  const { reads, values, operations, writes } = index
  const hasWriters = keysWithWriters(index)
  const told = new Set<number>()
  for (let read = 0; read < reads.operation.length; read += 1) {
    const value = reads.value.get(read)
    const operation = reads.operation.get(read)
    const write = values.write(value)
    const writer = write === undefined ? undefined : writes.operation.get(write)
    if (writer === operation) {
      findings.add('precommitted-read', () =>
        narrator.story(`${narrator.doer(operation)} reads its own ${narrator.valueOf(value)}`, [
          ...narrator.writeOf(value),
          narrator.read(read),
        ]),
      )
      continue
    }
    if (!operations.isCommitted(operation) || told.has(value)) continue
    if (writer === undefined && itemAt(hasWriters, values.key(value))) {
      told.add(value)
      findings.add('phantom-read', () =>
        narrator.story(`nobody sent ${narrator.valueOf(value)}`, [narrator.read(read)]),
      )
    }
    if (writer !== undefined && operations.outcome(writer) === 'failed') {
      told.add(value)
      findings.add('aborted-read', () =>
        narrator.story(`${narrator.valueOf(value)} was read, though its writer failed`, [
          ...narrator.writeOf(value),
          narrator.read(read),
        ]),
      )
    }
  }
}

function keysWithWriters({ keys, values, writes }: Judgement['index']): boolean[] {
  const hasWriters = new Array<boolean>(keys.length).fill(false)
  for (let write = 0; write < writes.value.length; write += 1) {
    hasWriters[values.key(writes.value.get(write))] = true
  }
  return hasWriters
}
