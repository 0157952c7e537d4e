import { OptionError } from '../../errors.ts'
import { anomalies } from './anomaly.ts'
import { Findings } from './findings.ts'
import { indexHistory } from './history-index.ts'
import { judgeContiguousCommits } from './invariant/contiguous-commit.ts'
import { judgeCycles } from './invariant/cycle.ts'
import { judgeLostWrites } from './invariant/lost-write.ts'
import { judgeOffsetAgreement } from './invariant/offset-agreement.ts'
import { judgePollOrder } from './invariant/poll-order.ts'
import { judgeReadOrigin } from './invariant/read-origin.ts'
import { worstRealtimeLag } from './invariant/realtime-lag.ts'
import { judgeSendOrder } from './invariant/send-order.ts'
import { judgeSingleOwners } from './invariant/single-owner.ts'
import { judgeUnseen } from './invariant/unseen.ts'
import { Narrator } from './narrator.ts'
import { HistoryViolationError, formatReport } from './report.ts'
import type { Anomaly } from './anomaly.ts'
import type { HistoryIndex } from './history-index.ts'
import type { Judgement } from './invariant/invariant.ts'
import type { History, Outcome } from './operation.ts'
import type { HistoryFigures, HistoryReport } from './report.ts'

/** How a history is judged. */
export interface CheckOptions {
  /** The command that makes this history again, for the report. */
  readonly replay?: string
  /** Anomalies that the system under test is free to show: they are counted, not judged. */
  readonly allow?: readonly Anomaly[]
  /** Anomalies to judge though Kafka allows them. */
  readonly forbid?: readonly Anomaly[]
  /**
   * Whether each rebalance is in the history. Then what a group's member reads is judged between
   * its rebalances; otherwise J7 only counts what members skip and repeat.
   *
   * @defaultValue false
   */
  readonly rebalancesRecorded?: boolean
  /**
   * Whether times of different processes can be compared. Without it J10 orders operations of one
   * process only, and J11 means nothing.
   *
   * @defaultValue true
   */
  readonly realtimeEdges?: boolean
  /**
   * Whether J10 is searched once more with the order of writes, which Kafka does not isolate: for
   * information, as what it finds is allowed unless forbidden.
   *
   * @defaultValue false
   */
  readonly writeOrderEdges?: boolean
  /**
   * How many cases of an anomaly are told; all are counted.
   *
   * @defaultValue 3
   */
  readonly storiesMax?: number
}

const defaults = {
  allow: [],
  forbid: [],
  rebalancesRecorded: false,
  realtimeEdges: true,
  writeOrderEdges: false,
  storiesMax: 3,
} as const satisfies CheckOptions

const judges: readonly ((judgement: Judgement) => void)[] = [
  judgeOffsetAgreement,
  judgeReadOrigin,
  judgeLostWrites,
  judgePollOrder,
  judgeSendOrder,
  judgeUnseen,
  judgeCycles,
  judgeContiguousCommits,
  judgeSingleOwners,
]

/**
 * Judges what clients did against what Kafka and Millrace promise. Takes time and memory in
 * proportion to the history.
 */
export function checkHistory(history: History, options: CheckOptions = {}): HistoryReport {
  const settings = { ...defaults, ...options }
  for (const anomaly of [...settings.allow, ...settings.forbid]) {
    if (Object.hasOwn(anomalies, anomaly)) continue
    throw new OptionError(
      'checkHistory.allow and .forbid',
      `(${anomaly}) must be of ${Object.keys(anomalies).join(', ')}`,
    )
  }
  const index = indexHistory(history)
  const findings = new Findings(settings)
  const judgement = { index, findings, narrator: new Narrator(index), settings }
  for (const judge of judges) judge(judgement)
  const violations = findings.violations()
  const report = {
    valid: violations.length === 0,
    violations,
    observations: findings.observations(),
    figures: measure(index),
    replay: options.replay,
  }
  return { ...report, toString: () => formatReport(report) }
}

/**
 * Judges a history, and throws a `HistoryViolationError` with the whole report when it breaks a
 * promise.
 *
 * @example
 * assertHistory(history, { replay: `npm run simulate -- --seed ${seed}` })
 */
export function assertHistory(history: History, options: CheckOptions = {}): HistoryReport {
  const report = checkHistory(history, options)
  if (!report.valid) throw new HistoryViolationError(report)
  return report
}

function measure(index: HistoryIndex): HistoryFigures {
  const { operations, keys, writes, reads } = index
  const counts: Record<Outcome, number> = { ok: 0, failed: 0, unknown: 0 }
  let handlers = 0
  for (let operation = 0; operation < operations.length; operation += 1) {
    counts[operations.outcome(operation)] += 1
    if (operations.start(operation).kind === 'handler') handlers += 1
  }
  return {
    operations: operations.length,
    ...counts,
    keys: keys.length,
    writes: writes.value.length,
    reads: reads.value.length,
    handlers,
    finalPhase: index.finalEvent !== undefined,
    worstLag: worstRealtimeLag(index),
  }
}
