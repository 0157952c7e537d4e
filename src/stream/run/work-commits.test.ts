import { describe, expect, it } from 'vitest'
import { silentLog } from '../../observe/index.ts'
import { createNodePlatform } from '../../platform/index.ts'
import { memoryStateStores } from '../../store/index.ts'
import type { StateStore } from '../../store/index.ts'
import type { PartitionCommit } from '../../runtime/index.ts'
import { ControlledClock } from '../../testing/index.ts'
import { TaskState } from '../state/task-state.ts'
import type { StreamTask, TaskWork } from '../task/stream-task.ts'
import type { Changelog } from './changelog.ts'
import { TaskRun } from './task-run.ts'
import { WorkCommits } from './work-commits.ts'

const checkpoint = { offset: 0, leaderEpoch: 0, topicId: 'id', timestamp: 0 }

/** A task that has worked one record, and then nothing more. */
function workedTask(partition: number) {
  const store = memoryStateStores().open(`task-${partition}`) as StateStore
  const state = new TaskState(store)
  state.put('a', Buffer.from('1'))
  let left: TaskWork | undefined
  const task = {
    get hasWork() {
      return left === undefined
    },
    takeWork() {
      left = {
        outputs: [{ topic: 'out', value: `of ${partition}` }],
        changes: state.seal(),
        positions: [{ offset: 1, leaderEpoch: 0 }, undefined],
        note: '',
      }
      return left
    },
  } as Partial<StreamTask> as StreamTask
  const run = new TaskRun(partition, ['left', 'right'])
  const starts = [0, 7].map((offset) => ({ offset, leaderEpoch: 0 }))
  run.begin({ task, state, store, checkpoint, starts })
  return { run, store }
}

/** Each record at an offset of its own. */
const written = (commits: readonly PartitionCommit[]) =>
  commits.flatMap(({ outputs = [] }) => outputs).map((_, index) => ({ offset: 100 + index }))

/** A strategy whose commits are decided by the test. */
function startCommits(runs: readonly TaskRun[], changelog?: Changelog) {
  const asked: {
    readonly commits: readonly PartitionCommit[]
    readonly decide: (error?: Error) => void
  }[] = []
  const clock = new ControlledClock(createNodePlatform().clock)
  const commits = new WorkCommits({
    ...{ clock, log: silentLog, changelog, intervalMs: 100 },
    tasks: () => runs.filter((run) => !run.is('gone')),
    committed: () => undefined,
    failed: (error) => expect.fail(error.message),
    strategy: {
      commit: (given, { signal }) =>
        new Promise((resolve, reject) => {
          signal?.addEventListener('abort', () => reject(signal.reason as Error))
          const decide = (error?: Error) =>
            error === undefined ? resolve(written(given) as never) : reject(error)
          asked.push({ commits: given, decide })
        }),
      settled: () => Promise.resolve(),
      close: () => Promise.resolve(),
    },
  })
  return { commits, asked, clock }
}

describe('the work of tasks', () => {
  it('has the offsets of all inputs with it, also of those that did not move', async () => {
    const { run } = workedTask(0)
    const { commits, asked } = startCommits([run])
    const committing = commits.commitNow()
    await Promise.resolve()
    await Promise.resolve()
    const told = asked[0]?.commits.map(({ topic, offset }) => `${topic}@${offset}`)
    expect(told).toEqual(['left@1', 'right@7'])
    asked[0]?.decide()
    await committing
  })

  it('is in the store when it is committed, and not before', async () => {
    const { run, store } = workedTask(0)
    const { commits, asked } = startCommits([run])
    const committing = commits.commitNow()
    await new Promise(setImmediate)
    expect(store.get('a')).toBeUndefined()
    asked[0]?.decide()
    await committing
    expect(store.get('a')?.toString()).toBe('1')
  })

  it('has a checkpoint of the leader epoch under which it was written', async () => {
    const { run, store } = workedTask(0)
    let leaderEpoch = 3
    const changelog = {
      epochs: () => new Map([[0, leaderEpoch]]),
      recordsOf: () => [{ topic: 'changelog', partition: 0, value: 'a' }],
    } as Partial<Changelog> as Changelog
    const { commits, asked } = startCommits([run], changelog)
    const committing = commits.commitNow()
    await new Promise(setImmediate)
    // Who leads when it is written may be a later one: then it would hide that what was written is cut off.
    leaderEpoch = 4
    asked[0]?.decide()
    await committing
    expect(store.checkpoint).toMatchObject({ offset: 102, leaderEpoch: 3 })
  })

  it('is committed once, though who gives up another task waits no longer', async () => {
    const [stays, goes] = [workedTask(0), workedTask(1)]
    const { commits, asked, clock } = startCommits([stays.run, goes.run])
    const deadline = new AbortController()
    goes.run.drain()
    const waiting = commits.commitNow(deadline.signal)
    await new Promise(setImmediate)
    deadline.abort(new Error('it has to be given up now'))
    await expect(waiting).rejects.toThrow('it has to be given up now')
    await goes.run.close()
    await clock.advance(60_000)
    await new Promise(setImmediate)
    expect(asked).toHaveLength(1)
    // What was on its way counts after all.
    asked[0]?.decide()
    await commits.decided()
    await clock.advance(60_000)
    await new Promise(setImmediate)
    expect(asked).toHaveLength(1)
    expect(stays.store.get('a')?.toString()).toBe('1')
  })

  it('is made again with the same content when its commit fails', async () => {
    const { run, store } = workedTask(0)
    const { commits, asked } = startCommits([run])
    const committing = commits.commitNow()
    await new Promise(setImmediate)
    asked[0]?.decide(new Error('it was aborted'))
    await expect(committing).rejects.toThrow('it was aborted')
    expect(store.get('a')).toBeUndefined()
    const again = commits.commitNow()
    await new Promise(setImmediate)
    expect(asked[1]?.commits).toEqual(asked[0]?.commits)
    asked[1]?.decide()
    await again
    expect(store.get('a')?.toString()).toBe('1')
  })
})
