import type { CommittedOffset, TopicPartition } from '../../../src/client/index.ts'
import type { Lineage } from '../../../src/runtime/ledger/commit-metadata.ts'
import { CommittedLog, hasEndedIn, told } from './committed-log.ts'
import type { Told } from './committed-log.ts'
import type { DriverObserver, WrittenLetter } from './observed-driver.ts'
import type { RecordKind } from './records.ts'
import type { RuntimeShape } from './shape.ts'

export interface WitnessParts {
  readonly shape: RuntimeShape
  readonly topic: string
  readonly lineage: () => Lineage
  readonly nowMs: () => number
  /** Whether the process of this life runs, or stands still and may run on. */
  readonly isAlive: (life: string) => boolean
  /** Whether something befell the life lately that may have cut it off from its group. */
  readonly wasDisturbed: (life: string) => boolean
  /** Whether the world is such that handlers of all records fail. */
  readonly isOutage: () => boolean
  readonly tell: (who: string, what: () => string) => void
}

/** A record as its handler sees it. */
export interface SeenRecord {
  readonly partition: number
  readonly offset: number
  readonly key: string | undefined
  readonly kind: RecordKind
  readonly attempt: number
  /** What it runs in together with others; undefined when it runs by itself. */
  readonly batch?: object
}

/** One run of a handler. */
export interface Run extends SeenRecord {
  readonly life: string
  readonly assignment: Assignment
  readonly lane: string
  readonly beganMs: number
  /** Goes on though its signal has aborted. */
  readonly isStubborn: boolean
  /** What the broker knew then: that the record starts, and nothing else. */
  readonly isAlone: boolean
}

/** A partition while one life has it. */
interface Assignment {
  readonly life: string
  readonly partition: number
  state: 'assigned' | 'revoking' | 'gone'
  /** What it said first. */
  claim: Told | undefined
  isClaimed: boolean
  lastCommit: number
  /** What may have ended: a run that took too long may count or not. */
  readonly ended: Set<number>
  /** What has ended without doubt. */
  readonly done: Set<number>
  /** By lane: the record that started last. */
  readonly last: Map<string, number>
}

/** One record that was written. */
interface Written {
  readonly partition: number
  readonly offset: number
  readonly key: string | null
  readonly kind: RecordKind
}

const deathsUntilCondemned = 3

/**
 * Sees from outside what the consumers of a world do: what the group tells them and when they are done with it,
 * what their handlers run, what they commit and write, and what of it the broker takes; and holds each step
 * against what `docs/internals/semantics.md` allows there. What does not hold becomes a violation.
 */
export class Witness {
  readonly violations: string[] = []
  readonly counts = new Map<string, number>()
  readonly #parts: WitnessParts
  readonly #assignments = new Map<string, Assignment>()
  readonly #logs = new Map<number, CommittedLog>()
  readonly #written = new Map<string, Written>()
  readonly #running = new Set<Run>()
  readonly #runs = new Map<string, Run[]>()
  readonly #ended = new Set<Run>()
  readonly #done = new Set<string>()
  readonly #failures = new Map<string, number>()
  /** How often records ran in batches that failed. */
  readonly #extraRuns = new Map<string, number>()
  /** Letters that were acknowledged, by source: how often. */
  readonly letters = new Map<string, number>()
  readonly poison = new Map<string, number>()
  readonly #lettersBegun = new Set<string>()

  constructor(parts: WitnessParts) {
    this.#parts = parts
  }

  recordWritten(record: Written): void {
    this.#written.set(id(record), record)
  }

  get figures(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.counts)
  }

  // ── Handlers ──

  started(life: string, record: SeenRecord, isStubborn: boolean): Run {
    const { partition, offset, attempt } = record
    const assignment = this.#assignment(life, partition)
    const lane = this.#laneOf(record)
    const { latest } = this.#log(partition)
    const mark = latest?.mark?.isOpen === true ? latest.mark : undefined
    const isOwner = mark?.processId === life
    const suspect = isOwner ? mark.suspect : undefined
    const isAlone = suspect !== undefined && suspect.started?.offset === offset
    const beganMs = this.#parts.nowMs()
    const run = { ...record, life, assignment, lane, beganMs, isStubborn, isAlone }
    this.#parts.tell(life, () => `starts ${id(record)} (attempt ${attempt}, ${record.kind})`)
    this.#count('runs')
    if (assignment.state !== 'assigned') this.#violation(run, `starts while ${assignment.state}`)
    if (!isOwner && !this.#parts.wasDisturbed(life)) {
      this.#violation(run, `starts, but the last commit is ${shown(latest)}`)
    }
    if (!assignment.isClaimed) this.#violation(run, 'starts before a commit says whose it is')
    if (suspect !== undefined && !isAlone) {
      this.#violation(run, `starts, and the last commit does not say so: ${shown(latest)}`)
    }
    this.#checkNotAgain(run)
    this.#checkOrder(run)
    this.#checkOverlap(run)
    if (attempt > 1 && attempt - 1 > this.#log(partition).attempts(offset)) {
      this.#violation(run, `starts, and no commit names attempt ${attempt - 1}`)
    }
    assignment.last.set(lane, offset)
    this.#running.add(run)
    this.#runs.set(id(run), [...(this.#runs.get(id(run)) ?? []), run])
    return run
  }

  /** `again` is a record that nothing was said of in a batch that failed. */
  ended(run: Run, outcome: 'done' | 'skipped' | 'failed' | 'aborted' | 'again'): void {
    this.#running.delete(run)
    this.#ended.add(run)
    this.#parts.tell(run.life, () => `${outcome} ${id(run)}`)
    const { handlerTimeoutMs } = this.#parts.shape
    const tookMs = this.#parts.nowMs() - run.beganMs
    // Its time was over, or just about: it may count as failed, whatever it answered.
    const mayHaveFailed = handlerTimeoutMs !== undefined && tookMs >= handlerTimeoutMs
    const isLate = run.assignment.state === 'gone'
    if (isLate) this.#count('late ends')
    const isFailed = outcome === 'failed' || outcome === 'aborted'
    // Nobody was cut off, and all of them settle well within the time of a drain.
    if ((isLate || outcome === 'aborted') && this.#parts.shape.weather === 'calm') {
      this.#violation(run, `was not waited for (${outcome})`)
    }
    if (outcome === 'again') this.#countAgain(run)
    if (run.batch !== undefined && outcome !== 'done') this.#beginsAnew(run)
    if (outcome === 'again') return
    if (isFailed || mayHaveFailed) {
      this.#failures.set(id(run), (this.#failures.get(id(run)) ?? 0) + 1)
      this.#count('failures')
    }
    if (isFailed) return
    if (this.#done.has(id(run))) this.#count('repeated')
    this.#done.add(id(run))
    if (isLate) return
    run.assignment.ended.add(run.offset)
    if (!mayHaveFailed) run.assignment.done.add(run.offset)
  }

  /** It has spent no attempt. */
  #countAgain(run: Run): void {
    this.#count('runs in batches that failed')
    this.#extraRuns.set(id(run), (this.#extraRuns.get(id(run)) ?? 0) + 1)
  }

  /** What comes after it in its lane, and in its batch, has not run. */
  #beginsAnew({ assignment, lane, offset }: Run): void {
    assignment.last.set(lane, Math.min(assignment.last.get(lane) ?? offset, offset))
  }

  #laneOf({ key, offset }: SeenRecord): string {
    const { order } = this.#parts.shape
    if (order === 'partition') return 'all'
    return order === 'none' || key === undefined ? `alone ${offset}` : `key ${key}`
  }

  #checkNotAgain(run: Run): void {
    const { assignment, offset, life } = run
    const { claim, done } = assignment
    if (claim !== undefined && hasEndedIn(claim, offset)) {
      this.#violation(run, `starts again, though ${shown(claim)} named it as ended`)
    }
    if (done.has(offset)) this.#violation(run, 'starts again after it was done')
    if (this.letters.has(id(run)) && this.#log(run.partition).hasEnded(offset)) {
      if (!this.#parts.wasDisturbed(life)) this.#violation(run, 'starts after its letter')
    }
  }

  /** Each record of a lane only when those before it have ended. */
  #checkOrder(run: Run): void {
    const last = run.assignment.last.get(run.lane) ?? -1
    if (run.offset < last) this.#violation(run, `starts after ${last} of the same lane`)
    for (const other of this.#written.values()) {
      if (other.partition !== run.partition || other.offset >= run.offset) continue
      const lane = this.#laneOf({ ...run, offset: other.offset, key: other.key ?? undefined })
      if (lane !== run.lane || this.#mayHaveEnded(run.assignment, other.offset)) continue
      if (this.#isInBatchOf(run, other.offset)) continue
      this.#violation(run, `starts before ${other.offset} of the same lane has ended`)
    }
  }

  #isInBatchOf({ batch, partition }: Run, offset: number): boolean {
    if (batch === undefined) return false
    return [...this.#running].some((other) => {
      return other.batch === batch && other.partition === partition && other.offset === offset
    })
  }

  #checkOverlap(run: Run): void {
    const { wasDisturbed, isAlive } = this.#parts
    for (const other of this.#running) {
      if (!isAlive(other.life)) {
        this.#running.delete(other)
        continue
      }
      const isSameProcess = other.life === run.life
      if (isSameProcess && (run.isAlone || other.isAlone) && !other.isStubborn) {
        this.#violation(run, `runs beside ${id(other)}, and one of them should be alone`)
      }
      if (other.partition !== run.partition || other.lane !== run.lane) continue
      if (run.batch !== undefined && run.batch === other.batch) continue
      if (isSameProcess) this.#violation(run, `starts while ${id(other)} of its lane runs`)
      else if (other.isStubborn || wasDisturbed(other.life) || wasDisturbed(run.life)) {
        this.#count('overlaps with the cut off')
      } else this.#violation(run, `starts while ${id(other)} of its lane runs in ${other.life}`)
    }
  }

  // ── What goes between a process and Kafka ──

  observerOf(life: string): DriverObserver {
    const { topic } = this.#parts
    const each =
      (what: string, act: (partition: number) => void) =>
      (partitions: readonly TopicPartition[]): void => {
        const numbers = partitions.map(({ partition }) => partition)
        this.#parts.tell(life, () => `${what} ${numbers.join(' ')}`)
        this.#count(what, numbers.length)
        numbers.forEach(act)
      }
    const set = (state: Assignment['state']) => (partition: number) => {
      this.#assignment(life, partition).state = state
    }
    return {
      assigned: each('assigned', (partition) => {
        this.#assignments.set(`${life} ${partition}`, newAssignment(life, partition))
      }),
      revoking: each('revoking', set('revoking')),
      revoked: each('revoked', set('gone')),
      lost: each('lost', set('gone')),
      committing: (offsets) => {
        for (const offset of offsets) if (offset.topic === topic) this.#committing(life, offset)
      },
      writing: (letter) => this.#writing(life, letter),
      written: (letter) => {
        this.#parts.tell(life, () => `wrote the letter of ${id(letter)}`)
        const kind = letter.isPoison ? this.poison : this.letters
        kind.set(id(letter), (kind.get(id(letter)) ?? 0) + 1)
        if (this.#assignment(life, letter.partition).state !== 'gone') {
          this.#assignment(life, letter.partition).ended.add(letter.offset)
        }
      },
    }
  }

  #committing(life: string, offset: CommittedOffset): void {
    const { partition } = offset
    const commit = told(life, offset, this.#parts.lineage())
    this.#parts.tell(life, () => `commits ${partition}: ${shown(commit)}`)
    this.#count('commits')
    const blame = (problem: string) => this.#blame(`${life} commits ${partition}: ${problem}`)
    // Starting positions of a group that begins.
    if (commit.mark === undefined) {
      if (commit.frontier > 0) blame('a group begins behind records')
      return
    }
    const assignment = this.#assignment(life, partition)
    if (assignment.state === 'gone') blame('it is not its own')
    if (commit.frontier < assignment.lastCommit) blame(`goes back to ${commit.frontier}`)
    assignment.lastCommit = commit.frontier
    assignment.claim ??= commit
    const open = this.#openIn(assignment, commit)
    if (open !== undefined) blame(`${shown(commit)} names ${open}, which has not ended`)
    for (const [failing, count] of commit.attempts) {
      const failures = this.#failures.get(`${partition}@${failing}`) ?? 0
      if (count > failures) blame(`${count} attempts of ${failing}, which has failed ${failures}`)
    }
  }

  /** A record that the commit names as ended and that has not. */
  #openIn(assignment: Assignment, commit: Told): number | undefined {
    for (const { partition, offset } of this.#written.values()) {
      if (partition !== assignment.partition || !hasEndedIn(commit, offset)) continue
      if (!this.#mayHaveEnded(assignment, offset)) return offset
    }
    return undefined
  }

  #mayHaveEnded({ partition, ended }: Assignment, offset: number): boolean {
    return ended.has(offset) || this.#log(partition).hasEnded(offset)
  }

  #writing(life: string, letter: WrittenLetter): void {
    const blame = (problem: string) =>
      this.#blame(`${life} writes the letter of ${id(letter)} (${letter.errorClass}): ${problem}`)
    const { attempts } = this.#parts.shape
    const runs = this.#runs.get(id(letter)) ?? []
    const failures = this.#failures.get(id(letter)) ?? 0
    this.#count(letter.isPoison ? 'poison' : 'letters')
    this.#lettersBegun.add(id(letter))
    if (this.#assignment(life, letter.partition).state === 'gone') blame('it is not its own')
    if (letter.errorClass === 'CondemnedError') {
      this.#checkCondemned(runs, blame)
      return
    }
    if (!runs.some((run) => run.life === life)) blame('it has not run it')
    if (letter.isPoison) blame('it belongs to the other topic')
    const kind = runs.at(-1)?.kind
    if (kind === 'refused' || kind === 'malformed') return
    if (failures < attempts) blame(`it has failed ${failures} times of ${attempts}`)
    if (letter.attempts < attempts) blame(`it tells of ${letter.attempts} attempts`)
    if (kind === 'plain' && this.#parts.shape.weather === 'outage')
      blame('it is the world that is broken')
  }

  #checkCondemned(runs: readonly Run[], blame: (problem: string) => void): void {
    const { weather } = this.#parts.shape
    const deaths = runs.filter(
      (run) => run.isAlone && !this.#ended.has(run) && !this.#parts.isAlive(run.life),
    )
    if (deaths.length < deathsUntilCondemned) blame(`${deaths.length} have died of it`)
    if (weather === 'killer' && deaths.length > deathsUntilCondemned) {
      blame(`${deaths.length} have died of it`)
    }
    const isKiller = runs.every(({ kind }) => kind === 'killer')
    if (weather !== 'faulty' && !isKiller) blame('it kills nobody')
  }

  /** The broker has taken a commit. */
  taken(life: string, offset: CommittedOffset): void {
    const log = this.#log(offset.partition)
    const commit = told(life, offset, this.#parts.lineage())
    const before = log.latest
    log.take(commit)
    this.#parts.tell('broker', () => `takes ${offset.partition} of ${life}: ${shown(commit)}`)
    if (commit.mark === undefined) return
    this.#assignment(life, offset.partition).isClaimed = true
    if (before === undefined) return
    // Nothing orders what one member sends over two connections.
    if (before.by === life) return
    const forgotten = [...before.above].filter((each) => !hasEndedIn(commit, each))
    if (commit.frontier < before.frontier || forgotten.length > 0) {
      this.#blame(`${shown(commit)} of ${life} forgets what ${shown(before)} of ${before.by} told`)
    }
    for (const [failing, count] of before.attempts) {
      if (hasEndedIn(commit, failing) || (commit.attempts.get(failing) ?? 0) >= count) continue
      this.#blame(`${shown(commit)} of ${life} forgets ${count} attempts of ${failing}`)
    }
  }

  // ── In the end ──

  isCommittedTo(partition: number, end: number): boolean {
    return end === 0 || (this.#log(partition).latest?.frontier ?? 0) >= end
  }

  frontierOf(partition: number): number {
    return this.#log(partition).latest?.frontier ?? 0
  }

  /** What does not hold when all is over. */
  judge(found: ReadonlySet<string>, closed: ReadonlySet<string>): void {
    const { weather } = this.#parts.shape
    for (const record of this.#written.values()) {
      const name = id(record)
      const isLettered = this.letters.has(name) || this.poison.has(name)
      if (!this.#done.has(name) && !isLettered) this.#blame(`${name} was lost`)
      if (isLettered && !found.has(name)) this.#blame(`the letter of ${name} was lost`)
      if (record.kind === 'killer' && !this.poison.has(name)) {
        this.#blame(`${name} kills, and is not in the poison topic`)
      }
      if (weather === 'calm') this.#checkOnce(name)
    }
    for (const [partition, { latest }] of this.#logs) {
      if (latest === undefined || !closed.has(latest.by)) continue
      if (latest.mark?.isOpen !== false) this.#blame(`${partition} was left open: ${shown(latest)}`)
    }
  }

  /** Nobody died and all was in time: nothing is run again. */
  #checkOnce(name: string): void {
    const runs = this.#runs.get(name) ?? []
    const failures = this.#failures.get(name) ?? 0
    const due = failures + (this.#extraRuns.get(name) ?? 0) + (this.#done.has(name) ? 1 : 0)
    if (runs.length === due) return
    const told = runs.map(({ life, attempt }) => `${life} attempt ${attempt}`).join(', ')
    this.#blame(`${name} has failed ${failures} times and was run ${runs.length} times: ${told}`)
  }

  #assignment(life: string, partition: number): Assignment {
    const key = `${life} ${partition}`
    const known = this.#assignments.get(key)
    if (known !== undefined) return known
    const never: Assignment = { ...newAssignment(life, partition), state: 'gone' }
    this.#assignments.set(key, never)
    return never
  }

  #log(partition: number): CommittedLog {
    const known = this.#logs.get(partition) ?? new CommittedLog()
    this.#logs.set(partition, known)
    return known
  }

  #count(what: string, times = 1): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + times)
  }

  #violation(run: Run, problem: string): void {
    this.#blame(`${run.life}: ${id(run)} (attempt ${run.attempt}, ${run.kind}) ${problem}`)
  }

  #blame(problem: string): void {
    this.#parts.tell('VIOLATION', () => problem)
    this.violations.push(`at ${Math.round(this.#parts.nowMs())} ms ${problem}`)
  }
}

function newAssignment(life: string, partition: number): Assignment {
  return {
    ...{ life, partition, state: 'assigned', claim: undefined, isClaimed: false, lastCommit: -1 },
    ...{ ended: new Set<number>(), done: new Set<number>(), last: new Map<string, number>() },
  }
}

function id({ partition, offset }: { readonly partition: number; readonly offset: number }) {
  return `${partition}@${offset}`
}

function shown(commit: Told | undefined): string {
  if (commit === undefined) return 'nothing'
  const { by, frontier, above, attempts, mark } = commit
  const suspect = mark?.suspect === undefined ? '' : ` suspect ${JSON.stringify(mark.suspect)}`
  const state = mark === undefined ? 'without a mark' : mark.isOpen ? 'open' : 'closed'
  const deaths = mark === undefined || mark.deaths === 0 ? '' : ` ${mark.deaths} deaths`
  return `${frontier} [${[...above].join(' ')}] {${[...attempts].join(' ')}} ${state} of ${by}${deaths}${suspect}`
}
