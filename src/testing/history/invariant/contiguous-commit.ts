import { CommitLedgers } from './commit-ledger.ts'
import type { CommitLedger, Committed } from './commit-ledger.ts'
import type { BeginEvent, EndEvent, HistoryEvent, TopicPartitionOffset } from '../operation.ts'
import type { Line } from '../narrator.ts'
import type { Judgement } from './invariant.ts'

/**
 * F2: a group commits an offset only when every record below it has ended, and its committed
 * offset never goes back but by a seek.
 *
 * Judged are commits that succeeded or may have. A record counts when anybody read it or the group
 * handled it; where the group starts is where it first handles, polls or commits.
 */
export function judgeContiguousCommits(judgement: Judgement): void {
  const judge = new CommitJudge(judgement)
  judgement.index.events.forEach((event, position) => judge.visit(event, position))
}

/** One topic-partition's part of a commit that has begun. */
interface PendingCommit extends Committed {
  readonly ledger: CommitLedger
  /** What was committed when it began: of two commits at once, either may come first. */
  readonly floor: Committed | undefined
  readonly seekCount: number
}

class CommitJudge {
  readonly #judgement: Judgement
  readonly #ledgers: CommitLedgers
  readonly #pending = new Map<number, PendingCommit[]>()

  constructor(judgement: Judgement) {
    this.#judgement = judgement
    this.#ledgers = new CommitLedgers(judgement.index)
  }

  visit(event: HistoryEvent, position: number): void {
    if (event.event === 'begin') this.#begin(event, position)
    else if (event.event === 'end') this.#end(event)
    else if (event.step === 'offsets') this.#commit(event, position)
  }

  #begin(event: BeginEvent, position: number): void {
    if (event.kind === 'handler') this.#ledgers.of(event.group, event).started(event.offset)
    if (event.kind === 'commit') this.#commit(event, position)
    if (event.kind === 'seek' && event.group !== undefined) {
      for (const at of event.offsets) this.#ledgers.of(event.group, at).seek(at.offset)
    }
  }

  #end({ id: operation, outcome, reads }: EndEvent): void {
    const commits = this.#pending.get(operation) ?? []
    this.#pending.delete(operation)
    if (outcome !== 'ok') return
    const start = this.#judgement.index.operations.start(operation)
    if (start.kind === 'handler') this.#ledgers.of(start.group, start).ended(start.offset)
    if (start.kind === 'poll' && start.group !== undefined) {
      for (const read of reads ?? []) {
        const first = read.offsets[0]
        if (first !== undefined) this.#ledgers.of(start.group, read).reached(first)
      }
    }
    for (const commit of commits) this.#succeeded(commit)
  }

  #commit(
    event: { id: number; group: string; offsets: readonly TopicPartitionOffset[] },
    position: number,
  ): void {
    const operation = event.id
    if (this.#judgement.index.operations.outcome(operation) === 'failed') return
    const commits = this.#pending.get(operation) ?? []
    this.#pending.set(operation, commits)
    for (const at of event.offsets) {
      const { offset } = at
      const ledger = this.#ledgers.of(event.group, at)
      const { committed: floor, seekCount } = ledger
      commits.push({ ledger, offset, operation, floor, seekCount })
      const unended = ledger.advance(offset)
      if (unended === undefined) continue
      tellUnended(this.#judgement, ledger, unended, { offset, operation }, position)
    }
  }

  #succeeded({ ledger, offset, operation, floor, seekCount }: PendingCommit): void {
    if (seekCount !== ledger.seekCount) return
    const commit = { offset, operation }
    if (floor !== undefined && offset < floor.offset) {
      tellDecrease(this.#judgement, ledger, commit, floor)
    }
    if (ledger.committed === undefined || offset >= ledger.committed.offset) {
      ledger.committed = commit
    }
  }
}

function tellDecrease(
  { findings, narrator }: Judgement,
  { name }: CommitLedger,
  commit: Committed,
  floor: Committed,
): void {
  findings.add('commit-decreased', () =>
    narrator.story(
      `${name} was committed at ${floor.offset} and later at ${commit.offset}, without a seek`,
      [floor, commit].flatMap(({ operation, offset }) => {
        const what = `committing offset ${offset} of ${name}`
        return [narrator.begin(operation, what), ...narrator.end(operation, what)]
      }),
    ),
  )
}

function tellUnended(
  judgement: Judgement,
  ledger: CommitLedger,
  unended: number,
  commit: Committed,
  event: number,
): void {
  const { findings, narrator } = judgement
  findings.add('commit-past-unended', () => {
    const runs = handlerRuns(judgement, ledger, unended, event)
    const state = runs.length === 0 ? 'was never handled' : 'had not ended'
    const committer = narrator.doer(commit.operation)
    return narrator.story(
      `${ledger.name} was committed at ${commit.offset}, though its record at ${unended} ${state}`,
      [
        ...writerOf(judgement, ledger, unended),
        ...runs,
        { event, text: `${committer} commits offset ${commit.offset} of ${ledger.name}` },
      ],
    )
  })
}

/** What the record is, when the history knows. */
function writerOf(
  { index, narrator }: Judgement,
  { topicPartition: { topic, partition } }: CommitLedger,
  offset: number,
): Line[] {
  const key = index.keys.find(topic, partition)
  const order = key === undefined ? undefined : index.orders[key]
  const position = order?.positionOf(offset) ?? -1
  return order === undefined || position < 0 ? [] : narrator.writeOf(order.valueAt(position))
}

/** The runs of the record's handler in the group, as far as they had come by event `until`. */
function handlerRuns(
  { index, narrator }: Judgement,
  { group, topicPartition: { topic, partition } }: CommitLedger,
  offset: number,
  until: number,
): Line[] {
  const lines: Line[] = []
  for (let operation = 0; operation < index.operations.length; operation += 1) {
    const start = index.operations.start(operation)
    if (start.kind !== 'handler' || start.offset !== offset || start.group !== group) continue
    if (start.topic !== topic || start.partition !== partition) continue
    const what = narrator.handling(start)
    lines.push(narrator.begin(operation, what), ...narrator.end(operation, what))
  }
  return lines.filter((line) => line.event < until)
}
