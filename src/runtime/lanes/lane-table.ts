import type { Batch } from '../batch/batch.ts'
import type { Delivery } from '../delivery.ts'
import { Lane } from './lane.ts'
import { Queue } from './queue.ts'

/** So many lanes that are over are kept, for records of their keys that come later. */
const overMax = 1_024

/**
 * The lanes of one partition: which keys are taken, and whose turn it is. A key is in at most one lane, and a lane is at
 * most once in line.
 *
 * A lane that is over stays where it is for a while: a map whose keys come and go makes a new table again and again, and the
 * old ones keep alive what was in them.
 */
export class LaneTable {
  #lanes = new Map<string, Lane>()
  /** How many of them are not over. */
  #openCount = 0
  /** Lanes whose first record has not run yet, and those whose current one runs again. */
  readonly #ready = new Queue<Lane>()
  readonly #again = new Queue<Lane>()
  #waitingCount = 0
  #waitingBytes = 0

  /** Records that have not begun to run. */
  get waitingCount(): number {
    return this.#waitingCount
  }

  get waitingBytes(): number {
    return this.#waitingBytes
  }

  /** Whether a record could run for the first time. */
  get hasNew(): boolean {
    return this.#ready.size > 0
  }

  /** Whether a record that failed could run again. */
  get hasAgain(): boolean {
    return this.#again.size > 0
  }

  /** Whether no lane of a key exists: every record may run at once. */
  get isEmpty(): boolean {
    return this.#openCount === 0
  }

  /** The lane that a record of this key has to wait in; undefined when nothing of its key is before it. */
  lane(key: string | undefined): Lane | undefined {
    const lane = key === undefined ? undefined : this.#lanes.get(key)
    return lane?.isOver === true ? undefined : lane
  }

  /** A lane whose current record runs. */
  occupy(key: string | undefined, current: Delivery): Lane {
    const lane = this.#make(key)
    lane.current = current
    return lane
  }

  /** Nothing of this key runs until it is let go as often as it was held. */
  hold(key: string | undefined): void {
    if (key === undefined) return
    const lane = this.lane(key) ?? this.#make(key)
    lane.holds++
  }

  letGo(key: string | undefined): void {
    const lane = this.lane(key)
    if (lane === undefined) return
    lane.holds--
    this.#goOn(lane)
  }

  /** Puts a record at the end of its lane. */
  wait(key: string | undefined, delivery: Delivery): void {
    const lane = this.lane(key) ?? this.#make(key)
    lane.push(delivery)
    this.#waits(delivery)
    if (lane.isFree) this.#standInLine(lane)
  }

  /** The lane whose turn it is: of those that run again, or with its next record as its current one. */
  next(): Lane | undefined {
    return this.#again.shift() ?? this.nextNew()
  }

  /** The same, of those whose first record has not run yet. */
  nextNew(): Lane | undefined {
    for (;;) {
      const lane = this.#ready.shift()
      if (lane === undefined) return undefined
      lane.isInLine = false
      // The batch that its next record could have joined may be full by now.
      if (lane.isFree) return this.#begin(lane)
    }
  }

  /**
   * The same, but only of records below an offset, and one at `first` goes before all others. Looks through all of them:
   * only for when little runs.
   */
  nextBelow(end: number, first: number | undefined): Lane | undefined {
    return this.#find((offset) => offset === first) ?? this.#find((offset) => offset < end)
  }

  /** The current record runs again, when it is the lane's turn. */
  again(lane: Lane): void {
    this.#again.push(lane)
  }

  /** The current record is in a batch: the next one may follow it there. */
  joined(lane: Lane, batch: Batch): void {
    lane.join(batch)
    this.#goOn(lane)
  }

  /** A record has ended: the next one is ready, or the lane is over. */
  ended(lane: Lane, delivery: Delivery): void {
    lane.leave(delivery)
    this.#goOn(lane)
  }

  /** A record begins anew, when those of its lane that are in a batch have come out of it. */
  giveBack(lane: Lane, delivery: Delivery): void {
    lane.giveBack(delivery)
    this.#goOn(lane)
  }

  /** Forgets what has not begun to run. */
  clear(): void {
    this.#lanes.clear()
    this.#openCount = 0
    this.#ready.clear()
    this.#again.clear()
    this.#waitingCount = 0
    this.#waitingBytes = 0
  }

  /** A lane for a key that has none: the one that it had before, if that is still there. */
  #make(key: string | undefined): Lane {
    if (key === undefined) return new Lane(key)
    this.#openCount++
    let lane = this.#lanes.get(key)
    if (lane === undefined) this.#lanes.set(key, (lane = new Lane(key)))
    return lane
  }

  /** Those that are over are forgotten when they are many. */
  #closed(lane: Lane): void {
    // After the table was cleared lanes are still told of records that ended.
    if (lane.key === undefined || this.#lanes.get(lane.key) !== lane) return
    this.#openCount--
    if (this.#lanes.size - this.#openCount <= overMax) return
    this.#lanes = new Map([...this.#lanes].filter(([, each]) => !each.isOver))
  }

  #goOn(lane: Lane): void {
    for (const delivery of lane.takeBack()) this.#waits(delivery)
    if (lane.isOver) this.#closed(lane)
    else if (lane.isFree && lane.waitingCount > 0) this.#standInLine(lane)
  }

  #standInLine(lane: Lane): void {
    if (lane.isInLine) return
    lane.isInLine = true
    this.#ready.push(lane)
  }

  #waits(delivery: Delivery): void {
    this.#waitingCount++
    this.#waitingBytes += delivery.record.sizeInBytes
  }

  #begin(lane: Lane): Lane {
    const delivery = lane.shift() as Delivery
    lane.current = delivery
    this.#waitingCount--
    this.#waitingBytes -= delivery.record.sizeInBytes
    return lane
  }

  #find(isWanted: (offset: number) => boolean): Lane | undefined {
    for (let left = this.#again.size; left > 0; left--) {
      const lane = this.#again.shift() as Lane
      if (lane.current !== undefined && isWanted(lane.current.offset)) return lane
      this.#again.push(lane)
    }
    for (let left = this.#ready.size; left > 0; left--) {
      const lane = this.#ready.shift() as Lane
      if (lane.first !== undefined && isWanted(lane.first.offset)) {
        lane.isInLine = false
        return this.#begin(lane)
      }
      this.#ready.push(lane)
    }
    return undefined
  }
}
