import { expect, it } from 'vitest'
import { clients } from './clients.ts'
import { readChaosFigures } from './figures.ts'
import { schedules } from './schedules.ts'
import { chaosSection } from './table.ts'

it('a cell tells what was found', () => {
  const good = { records: 2_000, missing: 0, duplicated: 0, outOfOrder: 0, stalledSeconds: 4 }
  const common = { isStuck: false, crashes: 0, commit: 'abc' }
  const section = chaosSection({
    millrace: { kill: { ...good, ...common } },
    'kafkajs-transactions': {
      cut: { ...good, ...common, missing: 7, duplicated: 3, isStuck: true },
    },
  })
  expect(section).toMatch(/\*\*millrace\*\* \| 0 · 0 · 0 · 4 s \| not run/)
  expect(section).toContain('| **7** of 2000 · **3** · 0 · **stuck** |')
})

it('figures are of clients and schedules that there are', () => {
  for (const [client, trials] of Object.entries(readChaosFigures())) {
    expect(clients.map(({ name }) => name)).toContain(client)
    for (const schedule of Object.keys(trials)) {
      expect(schedules.map(({ name }) => name)).toContain(schedule)
    }
  }
})
