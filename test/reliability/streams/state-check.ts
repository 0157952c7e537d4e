import type { Driver } from '../../../src/driver/index.ts'
import { silentLog } from '../../../src/observe/index.ts'
import type { Platform } from '../../../src/platform/index.ts'
import { memoryStateStores } from '../../../src/store/index.ts'
import type { StateStore } from '../../../src/store/index.ts'
import { StreamTask, TaskState } from '../../../src/stream/index.ts'
import { Changelog } from '../../../src/stream/run/changelog.ts'
import { indexKeyOf } from '../../../src/stream/state/timers.ts'
import type { FoundTopics } from './found-records.ts'
import type { KeptStates } from './kept-stores.ts'
import { changelogName, flowName, inputsOf, shopFlow } from './shop-flow.ts'
import type { ShopOptions } from './shop-flow.ts'

export interface StateCheckFacts {
  readonly driver: Driver
  readonly platform: Platform
  readonly shop: ShopOptions
  readonly partitions: number
  readonly found: FoundTopics
  /** What is left of local states, of each process. */
  readonly kept: readonly KeptStates[]
}

/**
 * Restores each task from its changelog as a process would, and holds that against what the changelog says by its last records, and
 * against the local state of who had the task last. Answers what is wrong.
 */
export async function checkStates(facts: StateCheckFacts): Promise<string[]> {
  const problems: string[] = []
  for (let task = 0; task < facts.partitions; task++) {
    problems.push(...(await checkState(facts, task)).map((each) => `task ${task}: ${each}`))
  }
  return problems
}

async function checkState(facts: StateCheckFacts, partition: number): Promise<string[]> {
  const { driver, platform, found, kept } = facts
  const { clock } = platform
  const store = await memoryStateStores().open(`${flowName}-${partition}`)
  const task = taskOf(facts, partition, store)
  const dayMs = 86_400_000
  const changelog = new Changelog({
    ...{ driver, clock, log: silentLog, topic: changelogName, deletionsKeptMs: dayMs },
  })
  const checkpoint = await changelog.restore({
    ...{ partition, store, progress: () => undefined, signal: new AbortController().signal },
    dueTimeOf: (change) => task.dueTimeOf(change),
  })
  const expected = new Map<string, string>()
  for (const { key, value } of found.get(changelogName)?.[partition] ?? []) {
    const name = String(key?.toString('latin1'))
    if (value === null) expected.delete(name)
    else expected.set(name, value.toString('latin1'))
  }
  const restored = entriesOf(store)
  const problems = differences('restored', restored, expected)
  for (const [key, value] of restored) {
    const due = task.dueTimeOf({ key, value: Buffer.from(value, 'latin1') })
    if (due === undefined || store.get(indexKeyOf(due, key)) !== undefined) continue
    problems.push(`nothing finds ${JSON.stringify(key)} by its time`)
  }
  for (const states of kept) {
    const state = states.get(`${flowName}-${partition}`)?.at(-1)
    if (state?.checkpoint.offset !== checkpoint.offset) continue
    const live = new Map<string, string>()
    for (const [key, value] of state.entries) {
      if (!key.startsWith('\x01')) live.set(key, value.toString('latin1'))
    }
    problems.push(...differences('local', live, expected))
  }
  await store.close()
  return problems
}

function taskOf({ shop, platform }: StateCheckFacts, partition: number, store: StateStore) {
  const { clock } = platform
  const unused = () => {
    throw new Error('nothing is worked here')
  }
  return new StreamTask({
    ...{ partition, plan: shopFlow(shop).flow.plan, topics: inputsOf(shop) },
    state: new TaskState(store),
    ...{ now: () => clock.now(), elapsedMs: () => clock.elapsedMs() },
    ...{ encode: unused, letter: unused, log: silentLog, count: () => undefined },
  })
}

/** But for what finds entries by time. */
function entriesOf(store: StateStore): Map<string, string> {
  const entries = new Map<string, string>()
  for (const { key, value } of store.range('\x02', '\xff')) {
    entries.set(key, value.toString('latin1'))
  }
  return entries
}

function differences(
  what: string,
  found: ReadonlyMap<string, string>,
  expected: ReadonlyMap<string, string>,
): string[] {
  return [...new Set([...found.keys(), ...expected.keys()])]
    .filter((key) => found.get(key) !== expected.get(key))
    .map((key) => `the ${what} state has another ${JSON.stringify(key)} than the changelog`)
}
