import { MillraceError } from '../../src/errors.ts'
import { mutate, seededFractions } from '../../src/protocol/compression/fixture/fuzz.ts'
import {
  consumerProtocolTarget,
  frameTarget,
  saslTarget,
  stateRecordTarget,
  usersFileTarget,
} from './broker-inputs.ts'
import { loginTarget } from './logins.ts'
import { messageTarget, requestTarget, storedMessageTarget } from './messages.ts'
import { appendBatchTarget, compressionTargets, readBatchTarget } from './records.ts'
import { recoveryTarget } from './recovery.ts'
import type { Outcome, Sample, Target } from './target.ts'

/** An input that takes longer, each time it is tried, is a way to stop a broker. */
const slowMs = 100
/** Memory is looked at before and after one input in so many: looking takes longer than decoding. */
const memoryInterval = 64

export interface Statistics {
  readonly name: string
  executions: number
  refusals: number
  /** In time of the processor. */
  slowestMs: number
  /** The most that memory grew over one of the inputs at which it was looked. */
  grownBytes: number
  /** The size of that input. */
  grownByInputBytes: number
}

export interface Failure {
  readonly label: string
  readonly problem: string
  /** The input, in base64. */
  readonly input: string
}

export interface Report {
  readonly statistics: Statistics[]
  readonly failures: Failure[]
}

export async function allTargets(): Promise<Target[]> {
  return [
    messageTarget(),
    requestTarget(),
    storedMessageTarget(),
    stateRecordTarget(),
    consumerProtocolTarget(),
    readBatchTarget(),
    appendBatchTarget(),
    ...(await compressionTargets()),
    frameTarget(),
    saslTarget(),
    loginTarget(),
    usersFileTarget(),
    await recoveryTarget(),
  ]
}

/** Gives each target its share of `inputs` changed samples. The same seed gives the same inputs. */
export async function fuzz(
  targets: readonly Target[],
  options: { readonly inputs: number; readonly seed: number },
): Promise<Report> {
  const shares = targets.reduce((sum, { share }) => sum + share, 0)
  const report: Report = { statistics: [], failures: [] }
  for (const [index, target] of targets.entries()) {
    const count = Math.ceil((options.inputs * target.share) / shares)
    const random = seededFractions(options.seed * 1009 + index)
    report.statistics.push(await fuzzTarget(target, count, random, report.failures))
  }
  return report
}

async function fuzzTarget(
  { name, samples }: Target,
  count: number,
  random: () => number,
  failures: Failure[],
): Promise<Statistics> {
  const statistics: Statistics = {
    name,
    executions: 0,
    refusals: 0,
    slowestMs: 0,
    grownBytes: 0,
    grownByInputBytes: 0,
  }
  for (let n = 0; n < count; n++) {
    const sample = samples[Math.floor(random() * samples.length)] as Sample
    const input = mutate(sample.bytes, random)
    const watched = n % memoryInterval === 0
    const before = watched ? heldBytes() : 0
    const { outcome, elapsedMs, problem } = await execute(sample, input)
    if (watched) noteGrowth(statistics, heldBytes() - before, input.length)
    statistics.executions += 1
    if (outcome === 'refused') statistics.refusals += 1
    const isSlowest = elapsedMs > Math.max(statistics.slowestMs, 1)
    const steadyMs = isSlowest ? await leastCpuMs(sample, input) : 0
    statistics.slowestMs = Math.max(statistics.slowestMs, steadyMs)
    const trouble = problem ?? (steadyMs > slowMs ? `takes ${steadyMs.toFixed(0)} ms` : undefined)
    if (trouble === undefined) continue
    failures.push({ label: sample.label, problem: trouble, input: input.toString('base64') })
    if (failures.length === 10) break
  }
  return statistics
}

interface Execution {
  readonly outcome: Outcome
  readonly elapsedMs: number
  readonly problem: string | undefined
}

async function execute(sample: Sample, input: Buffer): Promise<Execution> {
  const started = performance.now()
  try {
    const result = sample.read(input)
    // Waiting for what is there already would cost more than most decoders do.
    const outcome = typeof result === 'string' ? result : await result
    return { outcome, elapsedMs: performance.now() - started, problem: undefined }
  } catch (error) {
    const elapsedMs = performance.now() - started
    const problem = isOurs(error) ? undefined : String((error as Error).stack ?? error)
    return { outcome: 'refused', elapsedMs, problem }
  }
}

/** The simulator tells what ended a process as the cause of its own error. */
function isOurs(error: unknown): boolean {
  if (!(error instanceof MillraceError)) return false
  return error.code !== 'MILLRACE_SIMULATION_FAILED' || isOurs(error.cause)
}

/** The machine may be busy, and so may the garbage collector: only what is slow every time counts. */
async function leastCpuMs(sample: Sample, input: Buffer): Promise<number> {
  let least = Infinity
  for (let n = 0; n < 4; n++) {
    const before = process.cpuUsage()
    await execute(sample, input)
    const { user, system } = process.cpuUsage(before)
    least = Math.min(least, (user + system) / 1000)
  }
  return least
}

function heldBytes(): number {
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

function noteGrowth(statistics: Statistics, bytes: number, inputBytes: number): void {
  if (bytes <= statistics.grownBytes) return
  statistics.grownBytes = bytes
  statistics.grownByInputBytes = inputBytes
}
