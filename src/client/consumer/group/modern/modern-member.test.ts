import { describe, expect, it } from 'vitest'
import { offset, startBench, until } from '../fixture/member-bench.ts'

const consumer = { groupProtocol: 'consumer' } as const
/** The broker tells members how often to beat. */
const properties = {
  'group.consumer.heartbeat.interval.ms': '50',
  'group.consumer.min.heartbeat.interval.ms': '50',
}

describe('a member of a consumer group', () => {
  it('joins, commits, reads what is committed, and leaves', async () => {
    await using bench = await startBench({ properties })
    const one = bench.member('one', consumer)
    one.subscribe('t')
    await until(() => one.held === 't-0 t-1 t-2 t-3', 'assigned')
    expect(one.member.groupMetadata()).toMatchObject({ groupId: 'group', generation: 1 })
    await one.member.commit([{ ...offset('t', 1, 7), metadata: 'm', leaderEpoch: 0 }])
    const committed = await one.member.committed([
      { topic: 't', partition: 0 },
      { topic: 't', partition: 1 },
    ])
    expect(committed).toEqual([
      { topic: 't', partition: 1, offset: 7, leaderEpoch: 0, metadata: 'm' },
    ])
    await one.close()
    expect(one.told).toEqual(['assigned t-0 t-1 t-2 t-3', 'revoked t-0 t-1 t-2 t-3'])
    expect(one.failure).toBeUndefined()
  })

  it('lets go first, then the other takes', async () => {
    await using bench = await startBench({ properties })
    const one = bench.member('one', consumer)
    const two = bench.member('two', consumer)
    one.subscribe('t')
    await until(() => one.held === 't-0 t-1 t-2 t-3', 'assigned')
    let letGo = (): void => undefined
    one.whenRevoked = () => new Promise((resolve) => (letGo = resolve))
    two.subscribe('t')
    await until(() => one.told.length === 2, 'asked to let go')
    const kept = one.told[1] === 'revoked t-2 t-3' ? [offset('t', 2, 5)] : [offset('t', 0, 5)]
    await one.member.commit(kept)
    expect(two.told).toEqual([])
    letGo()
    await until(() => two.told.length === 1, 'given')
    expect(two.told[0]?.slice('assigned '.length)).toBe(one.told[1]?.slice('revoked '.length))
    await expect(one.member.commit(kept)).rejects.toMatchObject({
      code: 'MILLRACE_CLIENT_NOT_OWNED',
    })
    await two.close()
    await until(() => one.held === 't-0 t-1 t-2 t-3', 'back')
  })
})
