/**
 * Promise: a commit is of the generation in which it was decided, has every offset of its outputs, and is made again
 * when it fails.
 *
 * Proves: 6
 */
import { describe, expect, it } from 'vitest'
import { LazyResults } from '../client/index.ts'
import type { GroupMetadata } from '../client/index.ts'
import type { SinkTransaction, TransactionalSink } from '../driver/index.ts'
import { silentLog } from '../observe/index.ts'
import { createNodePlatform } from '../platform/index.ts'
import type { ExactlyOnceParts, PartitionCommit } from '../runtime/index.ts'
import { TransactionalCommits } from './transactional-commits.ts'

const topic = 'orders'
const progress = { topic, partition: 0, leaderEpoch: 0, metadata: '' }

/** A transactional sink that remembers what was committed, and a member of a group whose generation can change. */
function newWorld() {
  const committed: { generation: number; offsets: unknown; values: unknown[] }[] = []
  const held: (() => void)[] = []
  const group = { groupId: 'pricing', generation: 1, memberId: 'member' }
  const state = { isHeld: false, failure: undefined as Error | undefined }
  const sink: TransactionalSink = {
    async transaction(work) {
      const contents = { generation: -1, offsets: undefined as unknown, values: [] as unknown[] }
      const transaction: SinkTransaction = {
        send: (records) => {
          contents.values.push(...records.map(({ value }) => value))
          return Promise.resolve(new LazyResults(0, () => ({}) as never))
        },
        sendOffsets: (given, offsets) => {
          contents.generation = given.generation
          contents.offsets = offsets.map(({ offset, metadata }) => [offset, metadata])
          return Promise.resolve()
        },
      }
      const result = await work(transaction)
      if (state.isHeld) await new Promise<void>((resolve) => held.push(resolve))
      if (state.failure !== undefined) throw state.failure
      committed.push(contents)
      return result
    },
    close: () => Promise.resolve(),
  }
  const failures: Error[] = []
  const commits = new TransactionalCommits({
    driver: { transactionalSink: () => sink } as unknown as ExactlyOnceParts['driver'],
    source: {
      groupMetadata: () => ({ ...group }) as GroupMetadata,
    } as ExactlyOnceParts['source'],
    platform: createNodePlatform(),
    log: silentLog,
    groupId: 'pricing',
    transactionalId: 'pricing-1',
    transactionTimeoutMs: 10_000,
    failed: (error) => void failures.push(error),
  })
  return { commits, committed, held, group, state, failures }
}

const at = (offset: number, changes: Partial<PartitionCommit> = {}) => [
  { ...progress, offset, ...changes },
]

describe('commits by transactions', () => {
  it('have what was written and the offsets in one', async () => {
    const { commits, committed } = newWorld()
    const outputs = [
      { topic: 'prices', value: 'a' },
      { topic: 'prices', value: 'b' },
    ]
    await commits.commit(at(7, { outputs }), {})
    expect(committed).toEqual([{ generation: 1, offsets: [[7, '']], values: ['a', 'b'] }])
  })

  it('name what has ended above an offset that has not moved', async () => {
    const { commits, committed } = newWorld()
    await commits.commit(at(7), {})
    await commits.commit(at(7, { metadata: 'ended: 9' }), {})
    expect(committed.map(({ offsets }) => offsets)).toEqual([[[7, '']], [[7, 'ended: 9']]])
  })

  it('are those of the generation in which it was decided what they say', async () => {
    const { commits, committed, held, group, state } = newWorld()
    state.isHeld = true
    const abandoned = new AbortController()
    const first = commits.commit(at(7), { signal: abandoned.signal })
    await expect.poll(() => held).toHaveLength(1)
    abandoned.abort(new Error('nobody waits for it any more'))
    await expect(first).rejects.toThrow(/nobody waits/)
    // It waits for the first one, which is still under way; meanwhile the group has shared its partitions out anew.
    const second = commits.commit(at(8), {})
    group.generation = 2
    state.isHeld = false
    held[0]?.()
    await second
    expect(committed.map(({ generation }) => generation)).toEqual([1, 1])
  })

  it('that fail are told, and the same can be committed again', async () => {
    const { commits, committed, state, failures } = newWorld()
    const outputs = [{ topic: 'prices', value: 'a' }]
    state.failure = new Error('the broker is away')
    await expect(commits.commit(at(7, { outputs }), {})).rejects.toBe(state.failure)
    state.failure = undefined
    await commits.commit(at(7, { outputs }), {})
    expect(committed).toEqual([{ generation: 1, offsets: [[7, '']], values: ['a'] }])
    expect(failures).toEqual([])
  })
})
