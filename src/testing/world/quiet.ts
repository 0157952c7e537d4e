import { SimulationError } from '../simulation/simulation-error.ts'
import { errorText } from './error-text.ts'
import { surveyGroups } from './group-survey.ts'
import type { GroupProgress, GroupView } from './group-survey.ts'
import type { HandlerRuns } from './handler-runs.ts'
import type { WorldFaults } from './faults.ts'
import type { WorldBroker } from './world-broker.ts'
import type { WorldLogEntry, WorldWorker } from './world-worker.ts'

/** What keeps a world from being quiet. */
export interface Unquiet {
  /** Partitions that a group has not come to the end of. */
  readonly behind: readonly GroupProgress[]
  /** Processes that do not work, and why. */
  readonly notReady: readonly { readonly worker: string; readonly reason: string }[]
  /** Faults that have not happened, or are under way. */
  readonly faults: readonly string[]
  /** What processes wait for outside of the world. */
  readonly realWork: readonly string[]
}

/** The world does not become quiet: the message says who has not come to an end, where and why. */
export class NotQuietError extends SimulationError {
  readonly unquiet: Unquiet

  constructor(message: string, unquiet: Unquiet, options?: ErrorOptions) {
    super(message, options)
    this.unquiet = unquiet
  }
}

export interface QuietParts {
  readonly broker: WorldBroker
  readonly workers: readonly WorldWorker[]
  readonly runs: HandlerRuns
  readonly faults: WorldFaults
  readonly log: readonly WorldLogEntry[]
  readonly realWork: () => readonly string[]
  readonly nowMs: () => number
}

/** How things stand at one moment. */
export interface Standing {
  readonly unquiet: Unquiet
  /** Whether all that was published has ended, in all groups, and everybody works. */
  readonly isQuiet: boolean
  /** Changes whenever something was published, has ended or has run. */
  readonly fingerprint: string
  /** Why it never will be, as things stand; undefined when it may. */
  readonly hopelessBecause: string | undefined
}

/** Looks at a world, and says what keeps it from being quiet. */
export class QuietWatch {
  readonly #parts: QuietParts

  constructor(parts: QuietParts) {
    this.#parts = parts
  }

  async look(): Promise<Standing> {
    const { broker, workers, faults, runs, realWork } = this.#parts
    const running = broker.running
    const groups = running === undefined ? [] : await surveyGroups(running)
    const all = groups.flatMap(({ progress }) => progress)
    const behind = all.filter(({ committed, end }) => committed < end)
    const notReady = workers
      .filter(({ isAskedToEnd }) => !isAskedToEnd)
      .flatMap((worker) => {
        const reason = worker.notReadyBecause ?? notMemberBecause(worker, groups)
        return reason === undefined ? [] : [{ worker: worker.name, reason }]
      })
    const pending = faults.pending
    const underWay = pending.filter(({ state }) => state === 'under way')
    const unquiet = {
      ...{ behind, notReady },
      faults: pending.map(({ name, state }) => `${name} is ${state}`),
      realWork: realWork(),
    }
    const isQuiet =
      running !== undefined &&
      behind.length === 0 &&
      notReady.length === 0 &&
      underWay.length === 0 &&
      unquiet.realWork.length === 0 &&
      runs.runningCount === 0
    const ends = [...(running?.cluster.topics() ?? [])].map(({ partitions }) =>
      partitions.map(({ log }) => log.highWatermark),
    )
    const fingerprint = JSON.stringify([ends, runs.all.length])
    return { unquiet, isQuiet, fingerprint, hopelessBecause: this.#hopelessBecause(behind) }
  }

  /** Says it for people. */
  describe({ behind, notReady, faults, realWork }: Unquiet): string {
    const groups = groupedBy(behind)
    const lines = [
      ...[...groups].flatMap(([group, partitions]) => this.#describeGroup(group, partitions)),
      ...notReady.map(({ worker, reason }) => `${worker}: ${reason}`),
      ...faults,
      ...(realWork.length === 0 ? [] : [`the real world is waited for: ${realWork.join(', ')}`]),
      ...this.#lastWords(),
    ]
    return lines.map((line) => `  ${line}`).join('\n')
  }

  #hopelessBecause(behind: readonly GroupProgress[]): string | undefined {
    const { workers, faults } = this.#parts
    if (faults.failure !== undefined) return faults.failure.message
    if (behind.length === 0 || workers.some(({ isGone }) => !isGone)) return undefined
    return 'every process is down, and nobody starts one again'
  }

  #describeGroup(group: string, partitions: readonly GroupProgress[]): string[] {
    const shown = partitions.slice(0, partitionsShown)
    const lines = shown.flatMap((progress) => [
      `group ${group}: ${progress.topic}-${progress.partition} is committed to ${progress.committed} of ${progress.end}`,
      `  ${this.#whyAt(progress)}`,
    ])
    const more = partitions.length - shown.length
    return more > 0 ? [...lines, `group ${group}: and ${more} more partitions`] : lines
  }

  /** What became of the record that everything waits for. */
  #whyAt({ topic, partition, committed }: GroupProgress): string {
    const { runs, nowMs } = this.#parts
    const run = runs.latest(
      (each) => each.topic === topic && each.partition === partition && each.offset === committed,
    )
    const offset = `offset ${committed}`
    if (run === undefined) {
      return `${offset} has not run: nobody has read it yet, its partition is paused or stopped, or its key waits`
    }
    const who = `${offset} (key ${run.key ?? 'none'}), attempt ${run.attempt} in ${run.worker}`
    const lastedMs = Math.round(nowMs() - run.startedMs)
    if (run.outcome === 'running') return `${who}, has run for ${lastedMs} ms`
    if (run.outcome === 'failed')
      return `${who}, failed ${lastedMs} ms ago: ${errorText(run.error)}`
    if (run.outcome === 'cut off') return `${who}, was cut off by the end of the process`
    return `${who}, is ${run.outcome}, and that is not committed`
  }

  /** What processes have complained about. */
  #lastWords(): string[] {
    const complaints = this.#parts.log.filter(({ level }) => level === 'warn' || level === 'error')
    return complaints
      .slice(-wordsShown)
      .map(({ worker, message, fields }) =>
        `${worker} said: ${message} ${JSON.stringify(fields)}`.slice(0, wordCharactersMax),
      )
  }
}

const partitionsShown = 5
const wordsShown = 5
const wordCharactersMax = 300

/** A process that consumes is ready when it is a member of groups that have come to rest. */
function notMemberBecause(worker: WorldWorker, groups: readonly GroupView[]): string | undefined {
  const mine = groups.filter(({ members }) => members.includes(worker.name))
  const restless = mine.find(({ state }) => state !== 'Stable')
  return restless && `its group ${restless.group} is ${restless.state}`
}

function groupedBy(behind: readonly GroupProgress[]): Map<string, GroupProgress[]> {
  const groups = new Map<string, GroupProgress[]>()
  for (const progress of behind) {
    groups.set(progress.group, [...(groups.get(progress.group) ?? []), progress])
  }
  return groups
}
