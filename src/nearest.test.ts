import { expect, it } from 'vitest'
import { nearest } from './nearest.ts'

const names = ['num.partitions', 'auto.create.topics.enable', 'log.retention.hours', 'broker']

it.each([
  ['num.partition', 'num.partitions'],
  ['autocreate.topics.enable', 'auto.create.topics.enable'],
  ['log.retention.hour', 'log.retention.hours'],
  ['Log.Retention.Hours', 'log.retention.hours'],
  ['brokr', 'broker'],
  ['num.partitions', 'num.partitions'],
])('takes %s for %s', (name, meant) => {
  expect(nearest(name, names)).toBe(meant)
})

it('offers nothing where no name is near', () => {
  expect(nearest('zzzzzz', names)).toBeUndefined()
  expect(nearest('broker', [])).toBeUndefined()
})

it('offers the first of several that are as near', () => {
  expect(nearest('ab', ['ac', 'ad'])).toBe('ac')
})
