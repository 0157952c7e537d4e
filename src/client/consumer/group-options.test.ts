import { describe, expect, it } from 'vitest'
import { resolveGroupOptions } from './group-options.ts'

describe('options of a group', () => {
  it('know which times somebody has asked for that only the classic protocol has', () => {
    const given = (options: Record<string, unknown>) =>
      resolveGroupOptions(options, 'billing', undefined).classicTimesGiven
    expect(given({ rebalanceTimeoutMs: 1_000 })).toEqual([])
    expect(given({ sessionTimeoutMs: 45_000 })).toEqual(['sessionTimeoutMs'])
    expect(given({ sessionTimeoutMs: 6_000, heartbeatIntervalMs: 500 })).toHaveLength(2)
  })
})
