import type { Findings } from '../findings.ts'
import type { HistoryIndex } from '../history-index.ts'
import type { Narrator } from '../narrator.ts'

/** How the history is to be judged, where there is a choice. */
export interface JudgeSettings {
  /** Each rebalance is in the history, so J7 is judged for processes that subscribe as well. */
  readonly rebalancesRecorded: boolean
  /** Time across processes is one clock's: what ended before something began was before it. */
  readonly realtimeEdges: boolean
  /** J10 is searched a second time, with the order of writes. */
  readonly writeOrderEdges: boolean
}

/** What an invariant works with. */
export interface Judgement {
  readonly index: HistoryIndex
  readonly findings: Findings
  readonly narrator: Narrator
  readonly settings: JudgeSettings
}
