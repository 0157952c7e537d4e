import { describe, expect, it } from 'vitest'
import type { Told } from '../runtime/committed-log.ts'
import type { Happening, JournalLine } from './journal.ts'
import { ProcessWitness } from './witness.ts'
import type { SeenLife, SeenRecord } from './witness.ts'

let clockMs = 0

function line(what: Happening, offset: number, key = 'k'): JournalLine {
  clockMs += 1
  return { atMs: clockMs, what, partition: 0, offset, attempt: 1, key }
}

function life(
  name: string,
  lines: readonly JournalLine[],
  changes: Partial<SeenLife> = {},
): SeenLife {
  return { name, lines, diedAtMs: undefined, wasCutOff: false, ...changes }
}

function records(...values: string[]): SeenRecord[] {
  return values.map((value, offset) => ({ partition: 0, offset, key: 'k', value }))
}

function commit(frontier: number, above: readonly number[] = []): Told {
  return { by: 'x', frontier, above: new Set(above), attempts: new Map(), mark: undefined }
}

function run(offset: number, end: Happening = 'done'): JournalLine[] {
  return [line('start', offset), line(end, offset)]
}

/** What is found when these lives have told this, and no letter is there. */
function judge(lives: readonly SeenLife[], ...values: string[]): readonly string[] {
  const witness = new ProcessWitness()
  for (const { lines } of lives) witness.told(lines)
  return witness.judge(records(...values), lives)
}

describe('the witness', () => {
  it('finds nothing wrong when records run in order, also again in another process', () => {
    const first = life('a', [...run(0), line('start', 1)], { diedAtMs: (clockMs += 1) })
    expect(judge([first, life('b', [...run(1)])], '0 plain', '1 plain')).toEqual([])
  })

  it('sees a commit that names what has not ended, and one that goes back', () => {
    const witness = new ProcessWitness()
    witness.told(run(0))
    witness.committed(0, commit(1), 1)
    expect(witness.violations).toEqual([])
    witness.committed(0, commit(1, [2]), 2)
    expect(witness.violations).toEqual([expect.stringContaining('0@2')])
    witness.lettered({ partition: 0, offset: 3 })
    witness.committed(0, commit(1, [2, 3]), 3)
    witness.committed(0, commit(0), 4)
    expect(witness.violations).toHaveLength(2)
    expect(witness.violations[1]).toMatch(/went back from 1 to 0/)
  })

  it('sees what was lost, and letters that are missing or too early', () => {
    expect(judge([], '0 plain')).toEqual(['0@0 was lost'])
    expect(judge([life('a', run(0))], '0 bad')).toEqual(['0@0 is bad, and has no letter'])
    const witness = new ProcessWitness()
    witness.lettered({ partition: 0, offset: 0 })
    expect(witness.judge(records('0 bad'), [life('a', run(0, 'failed'))])).toEqual([
      '0@0 has a letter, and failed 1 times of 4',
    ])
  })

  it('sees a record that starts before an earlier one of its key has ended', () => {
    const lives = [life('a', [...run(1), ...run(0)])]
    expect(judge(lives, '0 plain', '1 plain')).toEqual([
      expect.stringContaining('starts 0@1 before an earlier record of k has ended'),
    ])
  })

  it('sees two of a key at once: in one process always, in two unless one was cut off', () => {
    const together = [line('start', 0), line('start', 0), line('done', 0), line('done', 0)]
    expect(judge([life('a', together)], '0 plain')).toHaveLength(1)
    const [first, second, third, fourth] = together as [
      JournalLine,
      JournalLine,
      JournalLine,
      JournalLine,
    ]
    const apart = (wasCutOff: boolean) => [
      life('a', [first, third], { wasCutOff }),
      life('b', [second, fourth]),
    ]
    expect(judge(apart(false), '0 plain')).toHaveLength(1)
    expect(judge(apart(true), '0 plain')).toEqual([])
  })

  it('sees what runs again though its owner had done it, or a commit had named it', () => {
    expect(judge([life('a', [...run(0), ...run(0)])], '0 plain')).toEqual([
      'a starts 0@0, which it has done',
    ])
    const witness = new ProcessWitness()
    const before = run(0)
    witness.told(before)
    witness.committed(0, commit(1), (clockMs += 1))
    const lives = [life('a', before), life('b', run(0))]
    expect(witness.judge(records('0 plain'), lives)).toEqual([
      'b starts 0@0, which a commit had named as ended',
    ])
  })
})
