import { cpus } from 'node:os'
import { figureTable, median } from '../statistics.ts'
import type { Figure } from '../statistics.ts'
import { idleMemoryMb, memoryAfterRecords } from './memory.ts'
import { produceRate } from './produce-rate.ts'
import { syncMs } from './sync-time.ts'
import { bareNodeStartMs, inProcessStartMs, shellStartMs } from './start.ts'

/*
 * The size and speed of the embedded broker. What is compared is measured in turn (A B A B ...), so
 * that a machine that slows down slows both; ratios are the medians of the pairs' ratios.
 */
const rounds = Number(process.argv[2] ?? 5)
const say = (text: string) => process.stderr.write(`${text}\n`)

if (!Number.isInteger(rounds) || rounds < 1) {
  say('Usage: npm run bench:broker [-- ROUNDS]   (5 rounds by default)')
  process.exit(2)
}

async function repeated(name: string, measure: () => Promise<number>): Promise<number[]> {
  const values: number[] = []
  for (let round = 1; round <= rounds; round++) {
    say(`${name}, round ${round} of ${rounds}`)
    values.push(await measure())
  }
  return values
}

const figures: Figure[] = []

const inProcess = await repeated('start in process', inProcessStartMs)
figures.push({
  name: 'start to listening, in process',
  unit: 'ms',
  values: inProcess,
  target: 'at most 10 ms',
  met: median(inProcess) <= 10,
})

const bare: number[] = []
const shell = await repeated('start from the shell', async () => {
  bare.push(await bareNodeStartMs())
  return shellStartMs()
})
const startRatios = shell.map((ms, round) => ms / (bare[round] ?? Number.NaN))
figures.push({ name: '`node -e 0`', unit: 'ms', values: bare })
figures.push({ name: 'start to listening, from the shell', unit: 'ms', values: shell })
figures.push({
  name: 'start from the shell, by `node -e 0`',
  unit: 'ratio',
  values: startRatios,
  target: 'at most 2.5',
  met: median(startRatios) <= 2.5,
})

const idle = await repeated('idle memory', idleMemoryMb)
figures.push({
  name: 'resident memory, idle',
  unit: 'MB',
  values: idle,
  target: 'at most 80 MB',
  met: median(idle) <= 80,
})

for (const batchRecords of [100, 1]) {
  const ratios = await repeated(`memory of 1 M records in batches of ${batchRecords}`, () =>
    memoryAfterRecords({ records: 1_000_000, recordBytes: 100, batchRecords }),
  )
  figures.push({
    name: `memory added by 1 M records of 100 B (batches of ${batchRecords}), by their bytes in the log`,
    unit: 'ratio',
    values: ratios,
    target: 'at most 1.5',
    met: median(ratios) <= 1.5,
  })
}

figures.push({
  name: 'one small append and its fdatasync, by the disk alone',
  unit: 'ms',
  values: await repeated('fdatasync', syncMs),
})

// A producer that waits for every answer waits for a sync each time: the disk alone bounds it.
for (const inFlight of [5, 1]) {
  const name = `16 producers, ${inFlight} in flight`
  const inMemory: number[] = []
  const durable = await repeated(name, async () => {
    inMemory.push(await produceRate({ producers: 16, inFlight, durable: false }))
    return produceRate({ producers: 16, inFlight, durable: true })
  })
  const ratios = durable.map((rate, round) => rate / (inMemory[round] ?? Number.NaN))
  figures.push({ name: `${name}, in memory`, unit: 'requests/s', values: inMemory })
  figures.push({
    name: `${name}, fdatasync before each answer`,
    unit: 'requests/s',
    values: durable,
  })
  figures.push({
    name: `${name}, fdatasync by in memory`,
    unit: 'ratio',
    values: ratios,
    target: 'at least 0.5',
    met: median(ratios) >= 0.5,
  })
}

process.stdout.write(
  `Node ${process.versions.node}, ${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}, medians of ${rounds}\n\n`,
)
process.stdout.write(`${figureTable(figures)}\n`)
