import { expect, it } from 'vitest'
import { readTimeRecord, TimeJournal } from './time-journal.ts'

it('the record of the time is never larger than it may be', () => {
  const journal = new TimeJournal(1_000)
  const time = Date.UTC(2026, 0, 1)
  let taken = 0
  const isFull = () => journal.isFull
  for (; !isFull(); taken++) {
    journal.took(taken % 2)
    if (taken % 3 === 0 && !isFull()) journal.advanced(time + taken)
  }
  const bytes = journal.take({ joinTime: time, highest: [[time], [time]] })
  expect(bytes.length).toBeLessThanOrEqual(1_000)
  const steps = readTimeRecord(bytes)?.steps ?? []
  expect(steps.reduce((sum, step) => sum + ('records' in step ? step.records : 0), 0)).toBe(taken)
  expect(journal.isFull).toBe(false)
})
