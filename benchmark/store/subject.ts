import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { lmdbStateStores, memoryStateStores } from '../../src/store/index.ts'
import type { StateChange, StateStore, StateStores } from '../../src/store/index.ts'

/*
 * One store, measured in a process of its own: prints what it costs as JSON.
 * Arguments: `memory` or `lmdb`, and how many entries.
 */

export interface Costs {
  /** Microseconds of processor time: of the whole process, all threads. */
  readonly getHitUs: number
  readonly getMissUs: number
  /** To begin a range, and to take three entries. */
  readonly shortRangeUs: number
  readonly scanEntryUs: number
  /** A commit of so many changes, of keys that are there. */
  readonly commit1000Ms: number
  readonly commit10000Ms: number
  /** How long the call takes before it returns: nothing else runs meanwhile. */
  readonly commit10000BlocksMs: number
  /** Until it has resolved, by the clock. */
  readonly commit10000WallMs: number
  /** New keys, in no order. */
  readonly insertUs: number
  readonly clearMs: number
  readonly clearBlocksMs: number
  /** Of memory that the process holds, for an entry. */
  readonly residentBytes: number
  /** Of the heap that the garbage collector goes through, for an entry. */
  readonly heapBytes: number
  /** Of a full collection. */
  readonly collectMs: number
  readonly figuresBytes: number
  readonly fileBytes: number
}

const valueBytes = 350
const [kind = 'memory', entriesText = '1000000'] = process.argv.slice(2)
const entries = Number(entriesText)
const checkpoint = { offset: 1, leaderEpoch: 0, topicId: 'benchmark', timestamp: 1 }
const folder = mkdtempSync(join(tmpdir(), 'millrace-bench-'))

/** As those of a join: the operator, a number, and some more bytes; in no order. */
function keyOf(index: number): string {
  const shuffled = (index * 7_919) % entries
  return `join\0orders-${String(shuffled).padStart(10, '0')}-${(shuffled * 31) % 997}`
}

function cpuUs(): number {
  const { user, system } = process.cpuUsage()
  return user + system
}

/** Processor time for each of `count` calls; the least of three turns, since others use the machine too. */
function timeUs(count: number, turn: () => void): number {
  const times = [0, 1, 2].map(() => {
    const before = cpuUs()
    turn()
    return (cpuUs() - before) / count
  })
  return Math.min(...times)
}

function median(values: number[]): number {
  return values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}

async function timeCommits(store: StateStore, size: number, count: number) {
  const [cpu, blocks, wall]: [number[], number[], number[]] = [[], [], []]
  for (let round = 0; round < count; round++) {
    const changes: StateChange[] = Array.from({ length: size }, (_, index) => ({
      key: keyOf((round * size * 13 + index * 17) % entries),
      value: Buffer.alloc(valueBytes, round),
    }))
    const [startCpu, startMs] = [cpuUs(), performance.now()]
    const made = store.commit(changes, checkpoint)
    blocks.push(performance.now() - startMs)
    await made
    wall.push(performance.now() - startMs)
    cpu.push((cpuUs() - startCpu) / 1_000)
  }
  return { cpuMs: median(cpu), blocksMs: median(blocks), wallMs: median(wall) }
}

async function fill(store: StateStore): Promise<number> {
  let spentUs = 0
  for (let from = 0; from < entries; from += 10_000) {
    const changes = Array.from({ length: Math.min(10_000, entries - from) }, (_, index) => ({
      key: keyOf(from + index),
      value: Buffer.alloc(valueBytes, index),
    }))
    const before = cpuUs()
    await store.commit(changes, checkpoint)
    spentUs += cpuUs() - before
  }
  return spentUs / entries
}

function collect(): { collectMs: number; heap: number; resident: number } {
  const { gc } = globalThis as { gc?: () => void }
  gc?.()
  const startMs = performance.now()
  gc?.()
  const collectMs = performance.now() - startMs
  const { heapUsed, rss } = process.memoryUsage()
  return { collectMs, heap: heapUsed, resident: rss }
}

async function measure(stores: StateStores): Promise<Costs> {
  const store = await stores.open('task')
  const before = collect()
  const insertUs = await fill(store)
  const after = collect()
  const figuresBytes = store.figures.bytes / entries
  const lookups = 200_000
  const hits = Array.from({ length: lookups }, (_, index) => keyOf((index * 104_729) % entries))
  const misses = hits.map((key) => `${key}x`)
  let seen = 0
  const getHitUs = timeUs(lookups, () => {
    for (const key of hits) seen += store.get(key)?.[3] ?? 0
  })
  const getMissUs = timeUs(lookups, () => {
    for (const key of misses) seen += store.get(key) === undefined ? 1 : 0
  })
  const shortRangeUs = timeUs(lookups / 4, () => {
    for (let index = 0; index < lookups / 4; index++) {
      const range = store.range(hits[index] as string, 'z')
      for (let taken = 0; taken < 3; taken++) seen += range.next().done === true ? 0 : 1
    }
  })
  const scanEntryUs = timeUs(entries, () => {
    for (const { value } of store.range('', '\xff')) seen += value.length
  })
  const small = await timeCommits(store, 1_000, 40)
  const large = await timeCommits(store, 10_000, 15)
  const fileBytes = kind === 'lmdb' ? statSync(join(folder, 'data.mdb')).size / entries : 0
  const clearStartMs = performance.now()
  const cleared = store.clear()
  const clearBlocksMs = performance.now() - clearStartMs
  await cleared
  const clearMs = performance.now() - clearStartMs
  if (seen === 0) throw new Error('nothing was read')
  return {
    getHitUs,
    getMissUs,
    shortRangeUs,
    scanEntryUs,
    commit1000Ms: small.cpuMs,
    commit10000Ms: large.cpuMs,
    commit10000BlocksMs: large.blocksMs,
    commit10000WallMs: large.wallMs,
    insertUs,
    clearMs,
    clearBlocksMs,
    residentBytes: (after.resident - before.resident) / entries,
    heapBytes: (after.heap - before.heap) / entries,
    collectMs: after.collectMs,
    figuresBytes,
    fileBytes,
  }
}

const stores = kind === 'lmdb' ? lmdbStateStores({ path: folder }) : memoryStateStores()
try {
  const costs = await measure(stores)
  process.stdout.write(`${JSON.stringify(costs)}\n`)
} finally {
  await stores.close()
  rmSync(folder, { recursive: true })
}
