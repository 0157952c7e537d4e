import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { copyBuild } from '../../side-by-side.ts'
import { HostedBroker } from './hosted-broker.ts'
import { judge } from './judge.ts'
import type { Sample } from './judge.ts'
import { soakProperties, work } from './work.ts'
import type { Counts } from './work.ts'

/*
 * A broker in memory and one with a data folder, at work for as long as is asked for: see
 * docs/internals/broker-long-life.md.
 */

const usage = `Usage: npm run soak -- --for 1h [--every 30s]
  --for    how long: 90s, 40m, 24h
  --every  how often is looked what the brokers hold (a sixtieth of the time, 5 s to 60 s)
`

const { values } = parseArgs({
  options: {
    for: { type: 'string', default: '1h' },
    every: { type: 'string' },
    help: { type: 'boolean' },
  },
})

const unitsMs = { s: 1_000, m: 60_000, h: 3_600_000 }

function milliseconds(text: string): number {
  const match = /^(\d+)([smh])$/.exec(text)
  if (match === null) {
    process.stderr.write(usage)
    process.exit(2)
  }
  return Number(match[1]) * unitsMs[match[2] as keyof typeof unitsMs]
}

if (values.help === true) {
  process.stdout.write(usage)
  process.exit(0)
}
const wholeMs = milliseconds(values.for)
const everyMs =
  values.every === undefined
    ? Math.min(60_000, Math.max(5_000, wholeMs / 60))
    : milliseconds(values.every)

interface Subject {
  readonly name: string
  readonly broker: HostedBroker
  readonly counts: Counts
  readonly samples: Sample[]
}

const folder = mkdtempSync(join(tmpdir(), 'millrace-soak-'))
const built = copyBuild('soak')
const stop = new AbortController()
process.once('SIGINT', () => {
  stop.abort()
})
process.once('SIGTERM', () => {
  stop.abort()
})

const mebibytes = (bytes: number) => `${(bytes / 1_048_576).toFixed(1)} MiB`
const shown = (figure: keyof Sample, value: number) =>
  figure.endsWith('Bytes') ? mebibytes(value) : value.toFixed(0)

function tell({ name, samples, counts }: Subject, elapsedMs: number): void {
  const last = samples.at(-1)
  if (last === undefined) return
  const held = (Object.keys(last) as (keyof Sample)[]).map(
    (figure) => `${figure.replace('Bytes', '')} ${shown(figure, last[figure])}`,
  )
  const done = [...counts].map(([what, count]) => `${count} ${what}`)
  process.stdout.write(
    `${(elapsedMs / 60_000).toFixed(1)} min, ${name}: ${held.join(', ')}; ${done.join(', ')}\n`,
  )
}

/** A Markdown table of what was held and how it grew; answers whether all is flat. */
function conclude(subjects: readonly Subject[]): boolean {
  const lines = [
    '| broker | figure | median | growth | allowed | flat |',
    '| --- | --- | --- | --- | --- | --- |',
  ]
  let allFlat = true
  for (const { name, samples } of subjects) {
    for (const { figure, median, growth, allowed, flat } of judge(samples)) {
      const numbers = [median, growth, allowed].map((value) => shown(figure, value))
      lines.push(`| ${name} | ${figure} | ${numbers.join(' | ')} | ${flat ? 'yes' : '**no**'} |`)
      allFlat &&= flat
    }
  }
  process.stdout.write(`\n${lines.join('\n')}\n`)
  return allFlat
}

async function soak(subjects: readonly Subject[]): Promise<void> {
  const startedMs = performance.now()
  const elapsedMs = () => performance.now() - startedMs
  const watch = async () => {
    while (elapsedMs() < wholeMs && !stop.signal.aborted) {
      await new Promise((resolve) => {
        const timer = setTimeout(resolve, everyMs)
        stop.signal.addEventListener(
          'abort',
          () => {
            clearTimeout(timer)
            resolve(undefined)
          },
          { once: true },
        )
      })
      for (const subject of subjects) {
        subject.samples.push(await subject.broker.sample())
        tell(subject, elapsedMs())
      }
    }
    stop.abort()
  }
  const end = (error: unknown) => {
    stop.abort()
    throw error
  }
  await Promise.all([
    watch().catch(end),
    ...subjects.map(({ broker, counts }) => work(broker.bootstrap, counts, stop.signal).catch(end)),
  ])
}

try {
  await using inMemory = await HostedBroker.start(built, { properties: soakProperties })
  await using onDisk = await HostedBroker.start(built, {
    properties: soakProperties,
    data: join(folder, 'data'),
  })
  const subjects: Subject[] = [
    { name: 'in memory', broker: inMemory, counts: new Map(), samples: [] },
    { name: 'with a data folder', broker: onDisk, counts: new Map(), samples: [] },
  ]
  await soak(subjects)
  process.exitCode = conclude(subjects) ? 0 : 1
} finally {
  rmSync(folder, { recursive: true, force: true })
}
