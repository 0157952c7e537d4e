import { describe, expect, it } from 'vitest'
import { compileTopicPattern } from './topic-pattern.ts'

describe('a pattern of topics', () => {
  it.each([
    ['orders', 'orders', true],
    ['orders', 'orders-2', false],
    ['orders.*', 'orders-2', true],
    ['a|b', 'b', true],
    ['a|b', 'ab', false],
    ['(?i)ORDERS', 'orders', true],
    ['(?P<name>x)y', 'xy', true],
    ['\\Ax\\z', 'x', true],
    ['[[:alpha:]]', 'a', undefined],
    ['\\Qa\\E', 'a', undefined],
    ['(', '(', undefined],
  ])('%s matches %s: %s', (pattern, topic, expected) => {
    if (expected === undefined) {
      expect(() => compileTopicPattern(pattern)).toThrow('pattern')
      return
    }
    expect(compileTopicPattern(pattern)(topic)).toBe(expected)
  })
})
