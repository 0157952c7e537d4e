import { describe, expect, it } from 'vitest'
import { GroupCommit, LogCommit } from './group-commit.ts'
import type { CommittedLog } from './group-commit.ts'

/** A log whose syncs end as they are told to. */
function openLog() {
  const clock = { defer: (callback: () => void) => queueMicrotask(callback) }
  const syncs: PromiseWithResolvers<void>[] = []
  const log = {
    logEndOffset: 0,
    durableOffset: 0,
    failures: 0,
    sync: () => {
      const sync = withResolvers()
      syncs.push(sync)
      return sync.promise
    },
    synced: (endOffset: number) => {
      log.durableOffset = endOffset
    },
    syncFailed: () => {
      log.failures += 1
    },
  } satisfies CommittedLog & { durableOffset: number; failures: number }
  const commit = new LogCommit(new GroupCommit(clock), log)
  const append = () => {
    log.logEndOffset += 1
    return commit.wait(log.logEndOffset).then(
      () => 'durable',
      (error: unknown) => (error as Error).message,
    )
  }
  return { log, syncs, append }
}

function withResolvers(): PromiseWithResolvers<void> {
  let resolve: () => void = () => undefined
  let reject: (error: unknown) => void = () => undefined
  const promise = new Promise<void>((fulfil, refuse) => {
    resolve = fulfil
    reject = refuse
  })
  return { promise, resolve, reject }
}

interface PromiseWithResolvers<Value> {
  readonly promise: Promise<Value>
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

const turn = () => new Promise((resolve) => setImmediate(resolve))

describe('a sync', () => {
  it('serves all appends before it, and none that come while it runs', async () => {
    const { log, syncs, append } = openLog()
    const early = [append(), append()]
    await turn()
    const late = append()
    syncs[0]?.resolve()
    expect(await Promise.all(early)).toEqual(['durable', 'durable'])
    expect([syncs.length, log.durableOffset]).toEqual([2, 2])
    syncs[1]?.resolve()
    expect(await late).toBe('durable')
    expect(log.durableOffset).toBe(3)
  })

  it('that fails is the last one: no later success is believed', async () => {
    const { log, syncs, append } = openLog()
    const first = append()
    await turn()
    const second = append()
    syncs[0]?.reject(new Error('no space'))
    expect(await first).toBe('no space')
    await turn()
    syncs[1]?.resolve()
    expect(await Promise.race([second, turn()])).toBe('no space')
    expect(await Promise.race([append(), turn()])).toBe('no space')
    expect([syncs.length, log.durableOffset, log.failures]).toEqual([1, 0, 1])
  })
})
