import { describe, expect, it } from 'vitest'
import { rangeAssignor } from '../assignors/range.ts'
import { cooperativeStickyAssignor } from '../assignors/sticky.ts'
import { offset, startBench, until } from '../fixture/member-bench.ts'

describe('a member of a classic group', () => {
  it('joins, commits, reads what is committed, and leaves', async () => {
    await using bench = await startBench()
    const one = bench.member('one')
    expect(() => one.member.groupMetadata()).toThrow('has not joined')
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
    await expect(one.member.commit([offset('u', 0, 1)])).rejects.toMatchObject({
      code: 'MILLRACE_CLIENT_NOT_OWNED',
    })
    await one.close()
    expect(one.told).toEqual(['assigned t-0 t-1 t-2 t-3', 'revoked t-0 t-1 t-2 t-3'])
    expect(one.failure).toBeUndefined()
  })

  it('shares with a second member: a cooperative one keeps what it may keep', async () => {
    await using bench = await startBench()
    const one = bench.member('one')
    const two = bench.member('two')
    one.subscribe('t')
    await until(() => one.held === 't-0 t-1 t-2 t-3', 'assigned')
    two.subscribe('t')
    await until(() => two.held.length > 4 && one.held.length < 10, 'shared')
    expect(one.told).toEqual(['assigned t-0 t-1 t-2 t-3', 'revoked t-2 t-3'])
    expect(two.told).toEqual(['assigned t-2 t-3'])
    await two.close()
    await until(() => one.held === 't-0 t-1 t-2 t-3', 'back')
  })

  it('gives everything up before it joins again, when it is eager', async () => {
    await using bench = await startBench()
    const one = bench.member('one', { assignors: [rangeAssignor] })
    const two = bench.member('two', { assignors: [rangeAssignor, cooperativeStickyAssignor] })
    one.subscribe('t')
    await until(() => one.held === 't-0 t-1 t-2 t-3', 'assigned')
    two.subscribe('t')
    await until(() => two.held.length > 4 && one.held.length > 4, 'shared')
    expect(one.told.slice(0, 2)).toEqual(['assigned t-0 t-1 t-2 t-3', 'revoked t-0 t-1 t-2 t-3'])
  })
})
