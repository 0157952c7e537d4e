import type { Event } from '../../contract/index.ts'
import { fingerprintOf } from '../../runtime/index.ts'
import type { StateEntry, StateKey } from '../../store/index.ts'
import {
  behind,
  keyOfText,
  measured,
  measuredEnd,
  nameEnd,
  orderedNumber,
  recordKeyBytesMax,
} from '../state/state-key.ts'
import {
  asMatched,
  bareRecord,
  isBareIn,
  isMatchedIn,
  partitionIn,
  recordIn,
  rememberedIn,
  storedRecord,
  timeIn,
} from '../state/stored-record.ts'
import type { Remembered } from '../state/stored-record.ts'
import type { Operator, OperatorParts, PlacedRecord, Sink, TaskEvent } from './operator.ts'

/** The inputs of a join: 0 is left, 1 is right. */
export type Side = 0 | 1

/** What a join comes to. Where a side had no match, it is undefined. */
export interface Pair {
  readonly left: Event | undefined
  readonly right: Event | undefined
}

/** An event that came to nothing. */
export interface Unpaired extends PlacedRecord {
  readonly side: Side
  readonly event: Event
}

export interface JoinSettings {
  readonly name: string
  /** How far apart in time two events may be. */
  readonly withinMs: number
  readonly graceMs: number
  /**
   * Of each side: whether there is one event of a key at a time. A second one changes nothing while the first is remembered, and
   * an event of the other side has one match at most.
   */
  readonly unique: readonly [boolean, boolean]
  /** What has to be equal beside the key of the record; undefined for nothing. */
  readonly where: readonly [JoinedBy, JoinedBy] | undefined
}

/** What of an event has to be equal in those that belong to it. */
export type JoinedBy = (event: Event) => string

export interface JoinParts extends OperatorParts, JoinSettings {
  /** Reads a remembered record by the contract of its side. */
  readonly decode: (side: Side, record: PlacedRecord) => Event
  /** The topic of a side. */
  readonly topicOf: (side: Side) => string
  readonly matched: Sink<Pair>
  readonly unmatched: Sink<Unpaired>
  readonly late: Sink<Unpaired>
}

interface Partner {
  readonly entry: StateKey
  readonly stored: Buffer
  readonly remembered: Remembered
}

const idHashEnd = 2 ** 52

/** Behind the key in an entry's: which side it is of. */
const sideMarks = ['l', 'r'] as const

/** As many entries as a store reads at once, and one less, so that it tells that there are no more. */
const fewMax = 3

/**
 * Joins the events of two inputs that have the same key and are no further apart than `withinMs`: whichever comes first waits.
 *
 * An event is remembered until the time has passed its own by more than window and grace; from then on it would come late. So
 * every repetition of an event meets the first one here, or is late as that would be.
 *
 * - an entry: **waiting** ─ a match ─► **matched**, maybe without its content; both end with their time.
 */
export class Join implements Operator {
  readonly name: string
  readonly #parts: JoinParts
  readonly #keptMs: number

  constructor(parts: JoinParts) {
    this.name = parts.name
    this.#parts = parts
    this.#keptMs = parts.withinMs + parts.graceMs
  }

  take(taken: TaskEvent): void {
    const { time, late, count } = this.#parts
    const side = taken.input as Side
    if (taken.time + this.#keptMs < time()) {
      count('late')
      late({ ...taken, side }, momentOf(taken))
      return
    }
    const prefix = this.#prefixOf(this.#joinedKey(side, taken))
    const few = this.#fewOf(prefix)
    const own = this.#placeOf(side, taken, prefix + sideMarks[side], few)
    if (own === undefined) return
    const partners = this.#partnersOf(side, taken, prefix + sideMarks[otherOf(side)], few)
    for (const partner of partners) this.#match(side, taken, partner)
    this.#remember(side, taken, own, partners.length > 0)
  }

  due(entry: StateKey): void {
    const { state, unmatched, decode, count } = this.#parts
    const stored = state.get(entry)
    if (stored === undefined) return
    if (!isMatchedIn(stored)) {
      const side = sideOf(entry, this.name)
      const time = timeIn(stored)
      const placed = this.#placedIn(side, stored)
      const event = decode(side, placed)
      const key = placed.record.key?.toString('latin1') ?? ''
      count('unmatched')
      unmatched(
        { ...placed, side, event },
        { key, time, cause: causeOf(placed, event), of: placed },
      )
    }
    state.delete(entry)
  }

  recordOf(entry: StateKey): PlacedRecord | undefined {
    const stored = this.#parts.state.get(entry)
    if (stored === undefined || isMatchedIn(stored)) return undefined
    return this.#placedIn(sideOf(entry, this.name), stored)
  }

  dueTimeOf(_entry: StateKey, value: Buffer): number {
    return timeIn(value) + this.#keptMs
  }

  /**
   * All that is remembered of a key, looked up once and not for each question: most have a few events. Undefined where there are more,
   * or where each side has one, which is found by its key.
   */
  #fewOf(prefix: StateKey): readonly StateEntry[] | undefined {
    const { state, unique } = this.#parts
    if (unique[0] && unique[1]) return undefined
    const few: StateEntry[] = []
    for (const entry of state.range(prefix, behind(prefix))) {
      if (few.length === fewMax) return undefined
      few.push(entry)
    }
    return few
  }

  /** Where the event goes; undefined when it is there already, or another one that excludes it. */
  #placeOf(
    side: Side,
    { event, record }: TaskEvent,
    prefix: StateKey,
    few: readonly StateEntry[] | undefined,
  ):
    | { readonly entry: StateKey; readonly idHash: number; readonly fingerprint: number }
    | undefined {
    const { state, count, unique } = this.#parts
    const fingerprint = fingerprintOf(record.value)
    const ownHash = fingerprintOf(Buffer.from(event.id))
    for (let idHash = ownHash; ; idHash = (idHash + 1) % idHashEnd) {
      const entry = unique[side] ? prefix : prefix + orderedNumber(idHash)
      const stored =
        few === undefined ? state.get(entry) : few.find(({ key }) => key === entry)?.value
      if (stored === undefined) return { entry, idHash, fingerprint }
      const known = rememberedIn(stored)
      const isSame = known.idHash === idHash && known.fingerprint === fingerprint
      if (isSame || unique[side]) {
        count(isSame ? 'duplicate' : 'repeated')
        return undefined
      }
      // Another event of the same id: a duplicate that is none must not be lost.
      count('id_conflict')
    }
  }

  #partnersOf(
    side: Side,
    { time }: TaskEvent,
    prefix: StateKey,
    few: readonly StateEntry[] | undefined,
  ): Partner[] {
    const { state, unique, withinMs } = this.#parts
    const partners: Partner[] = []
    const look = (entry: StateKey, stored: Buffer) => {
      // It has had all that it could have when it was matched, whatever the settings are now.
      if (isBareIn(stored)) return
      const remembered = rememberedIn(stored)
      // It has had the only one of this side that it can have.
      if (remembered.isMatched && unique[side]) return
      if (Math.abs(remembered.time - time) > withinMs) return
      partners.push({ entry, stored, remembered })
    }
    if (few !== undefined) {
      for (const { key, value } of few) if (key.startsWith(prefix)) look(key, value)
    } else if (unique[otherOf(side)]) {
      const stored = state.get(prefix)
      if (stored !== undefined) look(prefix, stored)
    } else {
      for (const { key, value } of state.range(prefix, behind(prefix))) look(key, value)
    }
    if (partners.length < 2) return partners
    return partners.sort(
      (one, next) =>
        one.remembered.time - next.remembered.time ||
        one.remembered.offset - next.remembered.offset,
    )
  }

  #match(side: Side, taken: TaskEvent, { entry, stored, remembered }: Partner): void {
    const { state, unique, matched, decode, count } = this.#parts
    const other = otherOf(side)
    const event = decode(other, this.#placedIn(other, stored))
    if (!remembered.isMatched) {
      const isDone = unique[side]
      state.put(entry, isDone ? bareRecord(remembered) : asMatched(stored))
    }
    count('matched')
    const pair =
      side === 0 ? { left: taken.event, right: event } : { left: event, right: taken.event }
    matched(pair, momentOf(taken, Math.max(taken.time, remembered.time)))
  }

  #remember(
    side: Side,
    { record, partition, time }: TaskEvent,
    { entry, idHash, fingerprint }: { entry: StateKey; idHash: number; fingerprint: number },
    isMatched: boolean,
  ): void {
    const { state, timers, unique } = this.#parts
    const { offset } = record
    const remembered = { time, fingerprint, isMatched, idHash, partition, offset }
    // The only one that it can be matched with was there.
    const isDone = isMatched && unique[otherOf(side)]
    state.put(entry, isDone ? bareRecord(remembered) : storedRecord(record, remembered))
    timers.set(time + this.#keptMs, entry)
  }

  #placedIn(side: Side, stored: Buffer): PlacedRecord {
    const topic = this.#parts.topicOf(side)
    return { topic, partition: partitionIn(stored), record: recordIn(stored) }
  }

  /** The key by which events belong together: that of the record, and what has to be equal beside it. */
  #joinedKey(side: Side, { event, key }: TaskEvent): StateKey {
    const { where } = this.#parts
    if (where === undefined) return key
    const joined = measured(key) + keyOfText(where[side](event))
    if (joined.length <= recordKeyBytesMax) return joined
    throw new Error(
      `what it is joined by has ${joined.length} bytes; at most ${recordKeyBytesMax} can be remembered`,
    )
  }

  /** Begins the entries of both sides: what belongs together lies together, and is read and written together. */
  #prefixOf(key: StateKey): StateKey {
    return this.name + nameEnd + measured(key)
  }
}

function otherOf(side: Side): Side {
  return side === 0 ? 1 : 0
}

function sideOf(entry: StateKey, name: string): Side {
  const keyAt = name.length + nameEnd.length
  return entry[measuredEnd(entry, keyAt)] === sideMarks[0] ? 0 : 1
}

function momentOf(taken: TaskEvent, time = taken.time) {
  return { key: taken.key, time, cause: causeOf(taken, taken.event), of: taken }
}

function causeOf({ record }: PlacedRecord, { id }: Event) {
  return { record, id }
}
