import { MillraceError } from '../../errors.ts'
import { formatMs } from './narrator.ts'
import type { Finding } from './findings.ts'
import type { TopicPartition } from './operation.ts'

/** How far a reader was behind at its worst: J11, which is reported and never judged. */
export interface RealtimeLag extends TopicPartition {
  readonly process: string
  /** The last offset it had read. */
  readonly offset: number
  /** When it polled and still did not get what had been acknowledged `lagMs` before. */
  readonly atMs: number
  readonly lagMs: number
}

/** What the checker saw. A history in which little happened proves little. */
export interface HistoryFigures {
  readonly operations: number
  readonly ok: number
  readonly failed: number
  readonly unknown: number
  /** Topic-partitions. */
  readonly keys: number
  /** Records that were sent. */
  readonly writes: number
  /** Records that were handed to a process. */
  readonly reads: number
  /** Runs of handlers. */
  readonly handlers: number
  /** Whether there was a final phase; without one J9 is not judged. */
  readonly finalPhase: boolean
  /** Undefined when nobody was ever behind. */
  readonly worstLag: RealtimeLag | undefined
}

/** The judgement of a history. */
export interface HistoryReport {
  /** Whether no promise was broken. */
  readonly valid: boolean
  readonly violations: readonly Finding[]
  /** What was seen and is allowed. */
  readonly observations: readonly Finding[]
  readonly figures: HistoryFigures
  /** The command that makes this history again, as the caller gave it. */
  readonly replay: string | undefined
  /** The same as `formatReport(report)`. */
  toString(): string
}

/** The report as text: figures, then each broken promise with its stories, then the replay command. */
export function formatReport(report: Omit<HistoryReport, 'toString'>): string {
  const { figures, violations, observations, replay } = report
  const lines = [
    violations.length === 0
      ? 'The history keeps every promise.'
      : `The history breaks ${plural(violations.length, 'promise')}.`,
    `${plural(figures.operations, 'operation')} (${figures.ok} ok, ${figures.failed} failed, ` +
      `${figures.unknown} unknown), ${plural(figures.writes, 'record')} sent to ` +
      `${plural(figures.keys, 'partition')}, ${figures.reads} read, ${figures.handlers} handled`,
    ...(figures.finalPhase ? [] : ['No final phase: J9 was not judged.']),
    ...describeLag(figures.worstLag),
    ...violations.flatMap(describeFinding),
    ...(observations.length === 0 ? [] : ['', 'Seen, and allowed:']),
    ...observations.map((finding) => `  ${headline(finding)}`),
    ...(replay === undefined ? [] : ['', `Replay: ${replay}`]),
  ]
  return lines.join('\n')
}

function describeLag(lag: RealtimeLag | undefined): string[] {
  if (lag === undefined) return []
  const where = `${lag.process} at offset ${lag.offset} of ${lag.topic}-${lag.partition}`
  return [`Worst realtime lag: ${formatMs(lag.lagMs)} (${where}, at ${formatMs(lag.atMs)})`]
}

function describeFinding(finding: Finding): string[] {
  const stories = finding.stories.flatMap((story) => [
    `  ${story.summary}`,
    ...story.lines.map((line) => `    ${line}`),
  ])
  const more = finding.count - finding.stories.length
  const rest = more === 0 || finding.stories.length === 0 ? [] : [`  … and ${more} more`]
  return ['', headline(finding), ...stories, ...rest]
}

function headline({ invariant, anomaly, meaning, count }: Finding): string {
  return `${invariant} ${anomaly}: ${meaning} (${plural(count, 'case')})`
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}

/** A history that breaks a promise. The message is the whole report. */
export class HistoryViolationError extends MillraceError {
  readonly report: HistoryReport

  constructor(report: HistoryReport) {
    super('MILLRACE_HISTORY_VIOLATED', formatReport(report))
    this.report = report
  }
}
