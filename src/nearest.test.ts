import { expect, it } from 'vitest'
import { brokerProperties } from './broker-properties.ts'
import { nearestName } from './nearest-name.ts'

it.each([
  ['num.partition', 'num.partitions'],
  ['autocreate.topics.enable', 'auto.create.topics.enable'],
  ['log.retention.hour', 'log.retention.hours'],
  ['message.max.byte', 'message.max.bytes'],
  ['num.partitions', 'num.partitions'],
])('takes %s for %s', (name, nearest) => {
  expect(nearestName(name, Object.keys(brokerProperties))).toBe(nearest)
})

it('has nothing to offer where there are no names', () => {
  expect(nearestName('x', [])).toBeUndefined()
})
