import { describe, expect, it } from 'vitest'
import { kafkaError } from '../../../protocol/index.ts'
import type { RequestOf, ResponseInput, offsetCommitApi } from '../../../protocol/index.ts'
import { closeConnection } from '../../../testing/index.ts'
import { offset, startBench, until } from './fixture/member-bench.ts'
import type { MemberBench } from './fixture/member-bench.ts'
import { StandaloneOffsets } from './standalone-offsets.ts'

const all = 't-0 t-1 t-2 t-3'

type CommitRequest = RequestOf<typeof offsetCommitApi>
type CommitResponse = ResponseInput<typeof offsetCommitApi>

/** Answers every partition of a commit with the code. */
function refusedWith(body: unknown, errorCode: number): CommitResponse {
  return {
    throttleTimeMs: 0,
    topics: (body as CommitRequest).topics.map(({ name, topicId, partitions }) => ({
      name,
      topicId,
      partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode })),
    })),
  }
}

/** Refuses the first commit with a code. */
function refuseFirst(bench: MemberBench, code: number): { readonly count: () => number } {
  let count = 0
  bench.kafka.intercept('OffsetCommit', (request, proceed) => {
    count += 1
    return count === 1 ? refusedWith(request.body, code) : proceed()
  })
  return { count: () => count }
}

describe('commits of a member', () => {
  it.each([
    'NOT_COORDINATOR',
    'COORDINATOR_NOT_AVAILABLE',
    'COORDINATOR_LOAD_IN_PROGRESS',
  ] as const)('are made again when the coordinator answers %s', async (name) => {
    await using bench = await startBench()
    const one = bench.member('one')
    one.subscribe('t')
    await until(() => one.held === all, 'assigned')
    const refused = refuseFirst(bench, kafkaError[name])
    await one.member.commit([offset('t', 0, 4)])
    expect(refused.count()).toBe(2)
  })

  it('are made again when the answer is lost', async () => {
    await using bench = await startBench()
    const one = bench.member('one')
    one.subscribe('t')
    await until(() => one.held === all, 'assigned')
    let count = 0
    bench.kafka.intercept('OffsetCommit', async (_, proceed) => {
      count += 1
      const answer = await proceed()
      return count === 1 ? closeConnection : answer
    })
    await one.member.commit([offset('t', 0, 4)])
    expect(count).toBe(2)
  })

  it('are made again when one before them, which was not answered, arrives late', async () => {
    await using bench = await startBench()
    const one = bench.member('one', { sessionTimeoutMs: 300_000 })
    one.subscribe('t')
    await until(() => one.held === all, 'assigned')
    let letGo: (() => void) | undefined
    let hasArrived = false
    bench.kafka.intercept('OffsetCommit', async (_, proceed) => {
      if (letGo !== undefined) return proceed()
      await new Promise<void>((resolve) => (letGo = resolve))
      const answer = await proceed()
      hasArrived = true
      return answer
    })
    const committed = async () =>
      (await one.member.committed([{ topic: 't', partition: 0 }])).map((each) => each.offset)
    const early = one.member.commit([offset('t', 0, 4)])
    await until(() => letGo !== undefined, 'sent')
    bench.kafka.dropConnections()
    await early
    await one.member.commit([offset('t', 0, 9)])
    letGo?.()
    await until(() => hasArrived, 'late')
    expect(await committed()).toEqual([4])
    await one.clock.advance(one.cluster.options.requestTimeoutMs)
    await expect.poll(committed).toEqual([9])
  })

  it('wait for the join that is due, and go on with what is still held', async () => {
    await using bench = await startBench()
    const one = bench.member('one')
    one.subscribe('t')
    await until(() => one.held === all, 'assigned')
    const { generation } = one.member.groupMetadata()
    const refused = refuseFirst(bench, kafkaError.REBALANCE_IN_PROGRESS)
    await one.member.commit([offset('t', 0, 4)])
    expect(refused.count()).toBe(2)
    expect(one.member.groupMetadata().generation).toBeGreaterThan(generation)
    expect(one.told).toEqual([`assigned ${all}`])
  })

  it('are never made again for a partition that was lost meanwhile, even if it has come back', async () => {
    await using bench = await startBench()
    const one = bench.member('one')
    one.subscribe('t')
    await until(() => one.held === all, 'assigned')
    const { memberId } = one
    const sent: string[] = []
    let isHolding = true
    const held: (() => void)[] = []
    bench.kafka.intercept('OffsetCommit', async (request, proceed) => {
      sent.push((request.body as CommitRequest).memberId)
      if (isHolding) await new Promise<void>((resolve) => held.push(resolve))
      return proceed()
    })
    const commit = one.member.commit([offset('t', 0, 4)])
    const outcome = expect(commit).rejects.toMatchObject({ code: 'MILLRACE_CLIENT_NOT_OWNED' })
    await until(() => sent.length === 1, 'sent')
    await bench.kafka.expireSession('group', memberId)
    await until(() => one.told.length === 3, 'lost and given again')
    isHolding = false
    for (const proceed of held) proceed()
    await outcome
    expect(one.memberId).not.toBe(memberId)
    // It may be sent again while the member does not know of its loss, but never in its new life.
    expect(new Set(sent)).toEqual(new Set([memberId]))
    expect(await one.member.committed([{ topic: 't', partition: 0 }])).toEqual([])
  })

  it('are rejected when their member is closed in the middle of a pause, and nothing sleeps on', async () => {
    await using bench = await startBench()
    const one = bench.member('one')
    one.subscribe('t')
    await until(() => one.held === all, 'assigned')
    bench.kafka.intercept('OffsetCommit', (request) =>
      refusedWith(request.body, kafkaError.COORDINATOR_LOAD_IN_PROGRESS),
    )
    const sleep = one.clock.sleep.bind(one.clock)
    let sleeping = 0
    const paused = new Promise<void>((resolve) => {
      one.clock.sleep = async (_delayMs, signal) => {
        sleeping += 1
        resolve()
        await sleep(60_000, signal).finally(() => (sleeping -= 1))
      }
    })
    const rejected = expect(one.member.commit([offset('t', 0, 4)])).rejects.toMatchObject({
      code: 'MILLRACE_CLIENT_CLOSED',
    })
    await paused
    await one.close()
    await rejected
    expect(sleeping).toBe(0)
  })

  it('tell which of them was refused, and make the others', async () => {
    await using bench = await startBench()
    const one = bench.member('one')
    one.subscribe('t')
    await until(() => one.held === all, 'assigned')
    const tooLarge = { ...offset('t', 1, 5), metadata: 'x'.repeat(5_000) }
    await expect(one.member.commit([offset('t', 0, 5), tooLarge])).rejects.toMatchObject({
      kafkaName: 'OFFSET_METADATA_TOO_LARGE',
    })
    const found = await one.member.committed(one.member.assignment)
    expect(found).toMatchObject([{ partition: 0, offset: 5 }])
  })

  it('go together while one is under way, and the last one counts', async () => {
    await using bench = await startBench()
    const one = bench.member('one')
    one.subscribe('t')
    await until(() => one.held === all, 'assigned')
    let count = 0
    let inFlight = 0
    bench.kafka.intercept('OffsetCommit', async (_, proceed) => {
      count += 1
      inFlight += 1
      expect(inFlight).toBe(1)
      const answer = await proceed()
      inFlight -= 1
      return answer
    })
    const commits = Array.from({ length: 50 }, (_, at) => one.member.commit([offset('t', 0, at)]))
    const controller = new AbortController()
    const aborted = one.member.commit([offset('t', 1, 1)], controller.signal)
    controller.abort(new Error('enough'))
    await expect(aborted).rejects.toThrow('enough')
    await Promise.all(commits)
    expect(count).toBeLessThan(5)
    expect(await one.member.committed([{ topic: 't', partition: 0 }])).toMatchObject([
      { offset: 49 },
    ])
  })
})

describe('committed offsets', () => {
  it('are waited for while a transaction may replace them', async () => {
    await using bench = await startBench()
    const one = bench.member('one')
    one.subscribe('t')
    await until(() => one.held === all, 'assigned')
    await one.member.commit([offset('t', 0, 4)])
    const asked: unknown[] = []
    bench.kafka.intercept('OffsetFetch', async (request, proceed) => {
      asked.push(request.body)
      const answer = (await proceed()) as {
        groups: { topics: { partitions: { errorCode: number; committedOffset: number }[] }[] }[]
      }
      const partition = answer.groups[0]?.topics[0]?.partitions[0]
      if (asked.length < 3 && partition !== undefined) {
        partition.errorCode = kafkaError.UNSTABLE_OFFSET_COMMIT
        partition.committedOffset = -1
      }
      return answer
    })
    const found = await one.member.committed([{ topic: 't', partition: 0 }])
    expect(found).toMatchObject([{ offset: 4 }])
    const stable = { requireStable: true }
    expect(asked).toMatchObject([stable, stable, stable])
  })
})

describe('offsets of a group without membership', () => {
  it('are committed and read while the group is empty, and refused while it has members', async () => {
    await using bench = await startBench()
    const one = bench.member('one')
    const standalone = new StandaloneOffsets(one.cluster, 'group')
    await standalone.commit([offset('t', 0, 4)])
    expect(await standalone.committed([{ topic: 't', partition: 0 }])).toMatchObject([
      { offset: 4 },
    ])
    one.subscribe('t')
    await until(() => one.held === all, 'assigned')
    await expect(standalone.commit([offset('t', 0, 5)])).rejects.toMatchObject({
      kafkaName: 'UNKNOWN_MEMBER_ID',
    })
  })
})
