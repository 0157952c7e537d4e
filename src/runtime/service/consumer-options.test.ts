import { describe, expect, it } from 'vitest'
import { resolveConsumerOptions } from './consumer-options.ts'

const from = { groupId: 'pricing', topics: ['orders'] }

describe('options of a consumer', () => {
  it.each([
    [undefined, 10_000],
    [4_000, 4_000],
    [1_000, 3_000],
    [45_000, 10_000],
  ])(
    'let a transaction be open no longer than its process may be silent: %s',
    (sessionTimeoutMs, timeoutMs) => {
      const group = sessionTimeoutMs === undefined ? {} : { sessionTimeoutMs }
      const options = { exactlyOnce: true, group }
      const { exactlyOnce } = resolveConsumerOptions(options, 'consumer(orders)', from)
      expect(exactlyOnce?.transactionTimeoutMs).toBe(timeoutMs)
    },
  )
})
