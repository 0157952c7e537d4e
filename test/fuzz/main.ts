/**
 * `npm run fuzz -- [--inputs 10000000] [--seed N] [--processes N]`: changed inputs for everything
 * that reads what others wrote. Ends with exit code 1 when anything but an error of ours came of one, or
 * when one takes longer than 100 ms each time.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { allTargets, fuzz } from './fuzz.ts'
import type { Report, Statistics } from './fuzz.ts'

const { values } = parseArgs({
  options: {
    inputs: { type: 'string', default: '1000000' },
    seed: { type: 'string', default: '1' },
    processes: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
  },
})
const [inputs, seed, processes] = [values.inputs, values.seed, values.processes].map((text) => {
  const number = Number(text)
  if (Number.isSafeInteger(number) && number > 0) return number
  throw new RangeError(`'${text}' must be a whole number above 0`)
}) as [number, number, number]

async function inOtherProcess(index: number): Promise<Report> {
  const share = ['--inputs', String(Math.ceil(inputs / processes)), '--seed', String(seed + index)]
  const program = fileURLToPath(import.meta.url)
  const child = spawn(process.execPath, ['--import', 'tsx', program, ...share, '--json'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  child.stdout.on('data', (chunk) => (output += String(chunk)))
  await once(child, 'close')
  return JSON.parse(output) as Report
}

function merged(reports: readonly Report[]): Report {
  const [first = { statistics: [], failures: [] }, ...others] = reports
  const statistics = first.statistics.map((one, index) =>
    others.reduce<Statistics>((sum, { statistics: of }) => {
      const other = of[index] as Statistics
      const grown = other.grownBytes > sum.grownBytes ? other : sum
      return {
        name: sum.name,
        executions: sum.executions + other.executions,
        refusals: sum.refusals + other.refusals,
        slowestMs: Math.max(sum.slowestMs, other.slowestMs),
        grownBytes: grown.grownBytes,
        grownByInputBytes: grown.grownByInputBytes,
      }
    }, one),
  )
  return { statistics, failures: reports.flatMap(({ failures }) => failures) }
}

function print({ statistics, failures }: Report): void {
  console.log('| target | inputs | refused | slowest ms | largest growth, bytes (of input) |')
  console.log('| --- | ---: | ---: | ---: | ---: |')
  for (const one of statistics) {
    const growth = `${one.grownBytes} (${one.grownByInputBytes})`
    const slowest = one.slowestMs.toFixed(1)
    console.log(`| ${one.name} | ${one.executions} | ${one.refusals} | ${slowest} | ${growth} |`)
  }
  const executions = statistics.reduce((sum, one) => sum + one.executions, 0)
  for (const { label, problem, input } of failures) console.log(`${label}: ${problem}\n  ${input}`)
  console.log(`${executions} inputs, ${failures.length} failures`)
}

const report =
  processes === 1
    ? await fuzz(await allTargets(), { inputs, seed })
    : merged(await Promise.all(Array.from({ length: processes }, (_, n) => inOtherProcess(n))))
if (values.json) console.log(JSON.stringify(report))
else print(report)
process.exitCode = report.failures.length === 0 ? 0 : 1
