/** After so many deaths in a row at the same frontier a record is looked for that kills the process. */
const deathsUntilSuspect = 3

/** A record that so many processes in a row did not survive is not run again. */
export const deathsUntilCondemned = 3

/** A process id is at most so many bytes long, so that a commit always has room for those it names. */
export const processIdBytesMax = 64

/** How long to wait after each restart in a row while a partition is suspect; the last one counts from then on. */
const restartPausesMs = [1_000, 10_000, 60_000]

/** What a commit says of who owns the partition, and of those who did not survive it. Never changed, only replaced. */
export interface Mark {
  /** Whether the owner has the partition, as far as the commit knows; false once it has given it up. */
  readonly isOpen: boolean
  /** Of the owner; another one in each life of a process. */
  readonly processId: string
  /** Owners that went away without giving the partition up, in a row, since its frontier moved last. */
  readonly deaths: number
  /** While a record is looked for that kills the process. */
  readonly suspect: Suspect | undefined
}

export interface Suspect {
  /** Records below run one at a time, those above not yet. */
  readonly end: number
  /** Deaths since a run ended last. */
  readonly restarts: number
  /** The record that is being run. */
  readonly started: Started | undefined
  /** The record that was being run when an owner died last, unless a run of it ended since. */
  readonly accused: Accused | undefined
}

/** One run of a record: a later run of the same record is another one. */
export interface Started {
  readonly offset: number
}

export interface Accused {
  readonly offset: number
  /** The processes that died in its last runs, all different. */
  readonly processIds: readonly string[]
}

/** What is known of a partition when it is acquired. */
export interface Acquisition {
  /** Of the last commit, undefined when there is none or it cannot be read. */
  readonly found: Mark | undefined
  /** Different in each life of a process. */
  readonly processId: string
  readonly frontier: number
  /** Behind the last record that can be read. */
  readonly logEnd: number
  readonly window: number
}

export type OwnerMode = 'claimed' | 'normal' | 'suspect' | 'closed'

/**
 * Who owns a partition, and whether one of its records kills whoever runs it.
 *
 * - **claimed**: the partition was acquired; nothing runs until a commit with its mark is acknowledged.
 *   → normal or suspect, by `acknowledge`.
 * - **normal**: everything may run.
 * - **suspect**: one record at a time runs, of those that were in the window when the partition became
 *   suspect; that it starts is in an acknowledged commit before. → normal, when a commit is acknowledged that
 *   tells that the frontier has passed them, or of a seek.
 * - **closed**: the partition is being given up; nothing starts. Reached from every state.
 *
 * A partition becomes suspect only when it is acquired. That it was lost needs no word: no commit may be made
 * any more, so the mark stays open and whoever acquires the partition next finds it.
 *
 * The record that was being run when an owner died is **accused**; it is **condemned** when three runs of it in
 * a row ended that way, in different processes. A run of it that ends, in whatever way, was survived and acquits
 * it. A death while it was not being run says nothing: when records of several partitions kill the process,
 * each life ends in one of them, and the others must not be acquitted by that.
 *
 * An accused record runs first, and at once, without what is left of a pause between its attempts. So an owner
 * that lives longer than its own pause and one handler acquits an innocent one, and kills from outside that
 * come less often than that condemn nothing.
 */
export class OwnerMark {
  /** What to wait after the mark was acknowledged, before anything runs. */
  readonly pauseMs: number
  /** Whether the owner before had gone away without giving the partition up. */
  readonly foundDeath: boolean
  #mode: OwnerMode = 'claimed'
  #mark: Mark
  #acknowledged: Mark | undefined
  #frontier: number

  constructor(acquisition: Acquisition) {
    const { found, processId, frontier, logEnd, window } = acquisition
    const bytes = Buffer.byteLength(processId)
    if (bytes === 0 || bytes > processIdBytesMax) {
      throw new Error(`a process id (${processId}) must have 1 to ${processIdBytesMax} bytes`)
    }
    const isDeath = found?.isOpen === true && logEnd > frontier
    const deaths = (found?.deaths ?? 0) + (isDeath ? 1 : 0)
    this.foundDeath = isDeath
    let suspect = found?.suspect
    if (suspect !== undefined && found?.isOpen === true)
      suspect = afterDeath(suspect, found.processId)
    if (suspect === undefined && isDeath && deaths >= deathsUntilSuspect) {
      const end = Math.min(frontier + window, logEnd)
      suspect = { end, restarts: 1, started: undefined, accused: undefined }
    }
    this.#frontier = frontier
    this.#mark = { isOpen: true, processId, deaths, suspect: stillSuspect(suspect, frontier) }
    this.pauseMs = found?.isOpen === true ? pauseAfter(this.#mark.suspect) : 0
  }

  get mode(): OwnerMode {
    return this.#mode
  }

  /** What a commit of the partition at this frontier says; `acknowledge` takes it back. */
  markAt(frontier: number): Mark {
    this.advance(frontier)
    return this.#mark
  }

  /** Whether the mark is in no acknowledged commit. */
  get isDirty(): boolean {
    return this.#mark !== this.#acknowledged
  }

  /** Records below are suspect; 0 when none is. */
  get suspectEnd(): number {
    return this.#mark.suspect?.end ?? 0
  }

  /** The record to run first while the partition is suspect. */
  get accused(): Accused | undefined {
    return this.#mark.suspect?.accused
  }

  /** The record that goes to the poison topic without being run. It is `settle`d when it has ended there. */
  get condemned(): number | undefined {
    const { accused } = this
    if (accused === undefined || accused.processIds.length < deathsUntilCondemned) return undefined
    return accused.offset
  }

  /**
   * While it is true nothing but records of this partition may start in the process: a record is being run
   * alone, or the last acknowledged commit still says so. Were another to start earlier and kill the process,
   * the death would count against the one that has ended.
   */
  get isAlone(): boolean {
    const isRunning = this.#mark.suspect?.started !== undefined
    return isRunning || this.#acknowledged?.suspect?.started !== undefined
  }

  /** A commit with this mark was acknowledged. */
  acknowledge(mark: Mark): void {
    this.#acknowledged = mark
    if (this.#mode === 'closed') return
    const isSuspect = mark.suspect !== undefined || this.#mark.suspect !== undefined
    this.#mode = isSuspect ? 'suspect' : 'normal'
  }

  /**
   * Asks for a run of the record while the partition is suspect: at most one at a time, and none above what
   * is suspect. After `true` a commit with the mark must be acknowledged; then `mayRun`.
   */
  start(offset: number): boolean {
    const { suspect } = this.#mark
    if (this.#mode !== 'suspect' || suspect === undefined) return false
    if (suspect.started !== undefined || offset >= suspect.end || offset === this.condemned)
      return false
    this.#replace({ ...suspect, started: { offset } })
    return true
  }

  /** Whether a run of the record may begin now. */
  mayRun(offset: number): boolean {
    if (this.#mode === 'normal') return true
    const started = this.#mark.suspect?.started
    if (this.#mode !== 'suspect' || started?.offset !== offset) return false
    // An earlier run of the same record may be what the last acknowledged commit tells of: were that enough,
    // a death now would count against the record though it has survived that run.
    return this.#acknowledged?.suspect?.started === started
  }

  /** A run of the record has ended, in whatever way, or the condemned record has. */
  settle(offset: number): void {
    const { suspect } = this.#mark
    if (suspect === undefined) return
    const isStarted = suspect.started?.offset === offset
    const isAccused = suspect.accused?.offset === offset
    if (!isStarted && !isAccused) return
    this.#replace({
      end: suspect.end,
      restarts: 0,
      started: isStarted ? undefined : suspect.started,
      accused: isAccused ? undefined : suspect.accused,
    })
  }

  /** The frontier of the partition is at `frontier` now. */
  advance(frontier: number): void {
    if (frontier === this.#frontier) return
    this.#frontier = frontier
    const { deaths, suspect } = this.#mark
    if (deaths === 0 && suspect === undefined) return
    this.#mark = { ...this.#mark, deaths: 0, suspect: stillSuspect(suspect, frontier) }
  }

  /** The log lost everything from `endOffset` on: other records come to these offsets. */
  truncate(endOffset: number): void {
    const { suspect } = this.#mark
    if (suspect === undefined) return
    const { end, restarts, started, accused } = suspect
    this.#replace({
      end: Math.min(end, endOffset),
      restarts,
      started: started !== undefined && started.offset >= endOffset ? undefined : started,
      accused: accused !== undefined && accused.offset >= endOffset ? undefined : accused,
    })
    this.#mark = { ...this.#mark, suspect: stillSuspect(this.#mark.suspect, this.#frontier) }
  }

  /** A seek: what happened to owners before says nothing about what comes now. */
  reset(frontier: number): void {
    this.#frontier = frontier
    this.#mark = { ...this.#mark, deaths: 0, suspect: undefined }
  }

  /** The partition is given up by choice: nothing runs any more, and a last commit says so. */
  close(): void {
    const { suspect } = this.#mark
    this.#mode = 'closed'
    this.#mark = {
      ...this.#mark,
      isOpen: false,
      suspect: suspect && { ...suspect, started: undefined },
    }
  }

  #replace(suspect: Suspect): void {
    this.#mark = { ...this.#mark, suspect }
  }
}

function afterDeath(suspect: Suspect, processId: string): Suspect {
  const { end, restarts, started, accused } = suspect
  if (started === undefined) return { end, restarts: restarts + 1, started, accused }
  const before = accused?.offset === started.offset ? accused.processIds : []
  const processIds = before.includes(processId) ? before : [...before, processId]
  return {
    end,
    restarts: restarts + 1,
    started: undefined,
    accused: { offset: started.offset, processIds: processIds.slice(0, deathsUntilCondemned) },
  }
}

/** What of it is not behind the frontier; undefined when the frontier has passed it all. */
function stillSuspect(suspect: Suspect | undefined, frontier: number): Suspect | undefined {
  if (suspect === undefined || frontier >= suspect.end) return undefined
  const { end, restarts, started, accused } = suspect
  const isStartedBehind = started !== undefined && started.offset < frontier
  const isAccusedBehind = accused !== undefined && accused.offset < frontier
  if (!isStartedBehind && !isAccusedBehind) return suspect
  return {
    end,
    restarts,
    started: isStartedBehind ? undefined : started,
    accused: isAccusedBehind ? undefined : accused,
  }
}

function pauseAfter(suspect: Suspect | undefined): number {
  if (suspect === undefined || suspect.restarts === 0) return 0
  return restartPausesMs[Math.min(suspect.restarts, restartPausesMs.length) - 1] as number
}
