import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { median } from '../statistics.ts'
import type { Costs } from './subject.ts'

const help = `Usage: npm run bench:store [-- options]

What states of tasks cost, in memory and in LMDB: each store in a new process, in turn, round after round. The table has
medians, and how much more LMDB costs.

  --rounds N     how often                                         [3]
  --entries N    how many a store has, of 350 bytes                [1000000]
`

const { values: given } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    entries: { type: 'string', default: '1000000' },
    help: { type: 'boolean', default: false },
  },
})
if (given.help) {
  process.stdout.write(help)
  process.exit(0)
}

const rows: readonly (readonly [keyof Costs, string])[] = [
  ['getHitUs', 'get what is there, µs of processor time'],
  ['getMissUs', 'get what is not there, µs'],
  ['shortRangeUs', 'begin a range and take three entries, µs'],
  ['scanEntryUs', 'an entry of a long range, µs'],
  ['insertUs', 'a new key, in commits of 10,000, µs'],
  ['commit1000Ms', 'commit 1,000 changes, ms of processor time'],
  ['commit10000Ms', 'commit 10,000 changes, ms of processor time'],
  ['commit10000BlocksMs', '… of which nothing else runs, ms by the clock'],
  ['commit10000WallMs', '… until it has resolved, ms by the clock'],
  ['clearMs', 'clear, ms by the clock'],
  ['clearBlocksMs', '… of which nothing else runs'],
  ['residentBytes', 'resident memory of an entry, bytes'],
  ['heapBytes', '… of which in the heap of JavaScript'],
  ['collectMs', 'a full garbage collection, ms'],
  ['figuresBytes', 'an entry by `figures`, bytes'],
  ['fileBytes', 'an entry in the file, bytes'],
]

const subject = fileURLToPath(new URL('subject.ts', import.meta.url))
const kinds = ['memory', 'lmdb'] as const

function measure(kind: string): Costs {
  const args = ['--expose-gc', '--import', 'tsx', subject, kind, given.entries]
  const { status, stdout } = spawnSync(process.execPath, ['--max-old-space-size=8192', ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(`the subject ${kind} ended with ${status}`)
  return JSON.parse(stdout) as Costs
}

const measured: Record<(typeof kinds)[number], Costs[]> = { memory: [], lmdb: [] }
for (let round = 0; round < Number(given.rounds); round++) {
  for (const kind of round % 2 === 0 ? kinds : kinds.toReversed()) {
    process.stderr.write(`round ${round + 1}: ${kind}\n`)
    measured[kind].push(measure(kind))
  }
}

const shown = (value: number) => (value >= 100 ? value.toFixed(0) : value.toPrecision(2))
process.stdout.write(`| | memory | LMDB | LMDB to memory |\n| --- | --- | --- | --- |\n`)
for (const [name, title] of rows) {
  const [memory, lmdb] = kinds.map((kind) => median(measured[kind].map((costs) => costs[name])))
  const ratio = shown((lmdb as number) / (memory as number))
  process.stdout.write(
    `| ${title} | ${shown(memory as number)} | ${shown(lmdb as number)} | ${ratio} |\n`,
  )
}
