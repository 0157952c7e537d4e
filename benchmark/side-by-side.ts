import { spawn } from 'node:child_process'
import { cpSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { startRealKafka } from '../test/kafka/real-kafka.ts'
import { WireClient } from '../src/testing/index.ts'
import { createTopicsApi } from '../src/protocol/index.ts'
import { createNodePlatform } from '../src/platform/index.ts'
import { startBrokerProcess } from './broker/process.ts'
import { median } from './statistics.ts'

/*
 * What benchmarks share that give the same task to several programs, one after another, each time in a new
 * process.
 */

/** What all talk to. `await using` it. */
export interface Cluster extends AsyncDisposable {
  readonly bootstrap: string
}

/** Apache Kafka, or (`'embedded'`) our broker in a process of its own. */
export async function startCluster(broker: string): Promise<Cluster> {
  if (broker !== 'embedded') return startRealKafka()
  const started = await startBrokerProcess()
  return {
    bootstrap: `127.0.0.1:${started.port}`,
    [Symbol.asyncDispose]: () => started[Symbol.asyncDispose](),
  }
}

export async function createTopic(
  bootstrap: string,
  name: string,
  numPartitions: number,
): Promise<void> {
  const [host = '', port = ''] = bootstrap.split(',')[0]?.split(':') ?? []
  await using client = await WireClient.connect({
    platform: createNodePlatform(),
    host,
    port: Number(port),
  })
  await client.request(createTopicsApi, 5, {
    topics: [{ name, numPartitions, replicationFactor: 1, assignments: [], configs: [] }],
    timeoutMs: 30_000,
    validateOnly: false,
  })
}

/** As JavaScript, so that no process has to translate it: that would be most of its start. */
export async function buildWorker(entry: URL, folder: string): Promise<string> {
  await build({
    entryPoints: [fileURLToPath(entry)],
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    banner: {
      // What is bundled may be CommonJS, and load what Node has.
      js: "import { createRequire as requireMaker } from 'node:module'; const require = requireMaker(import.meta.url);",
    },
    logLevel: 'warning',
  })
  return join(folder, 'worker.mjs')
}

/** A copy of our build: one that comes along while the programs run would be measured for a part of the rounds. */
export function copyBuild(name: string): string {
  const built = fileURLToPath(new URL(`../.cache/${name}`, import.meta.url))
  rmSync(built, { recursive: true, force: true })
  cpSync(fileURLToPath(new URL('../dist', import.meta.url)), built, { recursive: true })
  return built
}

/** What a program has said when it ended. */
export interface Ended {
  readonly code: number | null
  readonly output: string
  readonly trouble: string
  /** The most memory of its own that was seen; undefined where the system does not tell. */
  readonly ownPeakMb: number | undefined
}

export async function runToEnd(command: string, args: readonly string[]): Promise<Ended> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  let trouble = ''
  child.stdout.on('data', (chunk) => (output += String(chunk)))
  child.stderr.on('data', (chunk) => (trouble += String(chunk)))
  let ownPeakMb: number | undefined
  const watch = setInterval(() => {
    const mb = ownMemoryMb(child.pid)
    if (mb !== undefined) ownPeakMb = Math.max(mb, ownPeakMb ?? 0)
  }, 100)
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve))
  clearInterval(watch)
  return { code, output, trouble, ownPeakMb }
}

/** Resident memory without pages of files, which the system takes back when it needs them. */
function ownMemoryMb(pid: number | undefined): number | undefined {
  try {
    const [, kilobytes] =
      /^RssAnon:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
    return kilobytes === undefined ? undefined : Number(kilobytes) / 1024
  } catch {
    return undefined
  }
}

/** Who comes first changes from round to round. */
export function orderIn(round: number, subjects: readonly string[]): string[] {
  return subjects.map((_, index) => subjects[(index + round) % subjects.length] as string)
}

/** The median of the rounds' ratios; a round counts in which both have a figure. */
export function ratioOf<Each>(
  these: readonly (Each | undefined)[],
  those: readonly (Each | undefined)[],
  figure: (each: Each) => number,
): number {
  const at = (all: readonly (Each | undefined)[], round: number) => {
    const each = all[round]
    return each === undefined ? Number.NaN : figure(each)
  }
  const ratios = these.map((_, round) => at(these, round) / at(those, round))
  return median(ratios.filter((ratio) => !Number.isNaN(ratio)))
}
