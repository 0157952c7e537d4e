/** Declares what drivers do, for all of them; and that no promise is left out. */
import { expect, it } from 'vitest'
import { groupCases } from './driver-group-cases.ts'
import { positionCases, recordCases } from './driver-reading-cases.ts'
import { driverConformance, driverMakers } from './driver-world.ts'
import type { Feature } from './driver-world.ts'
import { adminCases, writingCases } from './driver-writing-cases.ts'

const areas = {
  records: recordCases,
  positions: positionCases,
  groups: groupCases,
  writing: writingCases,
  administration: adminCases,
}

for (const [area, cases] of Object.entries(areas)) driverConformance(area, cases)

/** Promises that no case of a driver can show, and why. */
const notShown: Partial<Record<Feature, string>> = {
  partitionPause: 'no driver is without it: the cases about pauses are for all',
  fencedCommits: 'it takes a coordinator that moves in the midst of a rebalance',
  transactions: 'they are not part of the port',
}

it('every promise of a driver has a case, or a reason why not', () => {
  const shown = Object.values(areas).flatMap((cases) => Object.values(cases))
  const named = new Set([...shown.map(({ feature }) => feature), ...Object.keys(notShown)])
  const { features } = driverMakers.native('127.0.0.1:1')
  expect(Object.keys(features).filter((feature) => !named.has(feature as Feature))).toEqual([])
})
