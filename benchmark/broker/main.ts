import { cpus } from 'node:os'
import { figureTable, median } from '../statistics.ts'
import type { Figure } from '../statistics.ts'
import { idleMemoryMb, memoryAfterRecords } from './memory.ts'
import { produceRate } from './produce-rate.ts'
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

const inMemory: number[] = []
const durable = await repeated('16 producers', async () => {
  inMemory.push(await produceRate({ producers: 16, durable: false }))
  return produceRate({ producers: 16, durable: true })
})
const durableRatios = durable.map((rate, round) => rate / (inMemory[round] ?? Number.NaN))
figures.push({ name: '16 producers, in memory', unit: 'requests/s', values: inMemory })
figures.push({
  name: '16 producers, fdatasync before each answer',
  unit: 'requests/s',
  values: durable,
})
figures.push({
  name: 'fdatasync before each answer, by in memory',
  unit: 'ratio',
  values: durableRatios,
  target: 'at least 0.5',
  met: median(durableRatios) >= 0.5,
})

process.stdout.write(
  `Node ${process.versions.node}, ${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}, medians of ${rounds}\n\n`,
)
process.stdout.write(`${figureTable(figures)}\n`)
