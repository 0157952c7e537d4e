/** Where a reader is in a partition. */
export interface Position {
  /** The offset of the next record to be read. */
  readonly offset: number
  /** The leader epoch of the record before it; -1 where it is not known. */
  readonly leaderEpoch: number
}

/**
 * Where to read when there is no offset to go on from: none was committed, or it is not there any
 * more. `'none'` makes it an error; `agoMs` is the first record that is at most so old.
 */
export type OffsetReset = 'earliest' | 'latest' | 'none' | { readonly agoMs: number }

/** A place in a partition to go to. */
export type SeekTarget =
  | number
  | 'beginning'
  | 'end'
  | { readonly offset: number; readonly leaderEpoch?: number }
  /** The first record at or after a time, in milliseconds since the epoch; else the end. */
  | { readonly timestamp: number }
  /** The first record that is at most so old; else the end. */
  | { readonly agoMs: number }

/** An offset that has to be asked for: how a partition starts, or goes on after a seek. */
export type StartingPoint =
  /** The offset that the group has committed, or where the reset policy says. */
  | { readonly kind: 'committed' }
  /** Where the reset policy says, because there is nothing to read at `offset` (-1 where there was none). */
  | { readonly kind: 'reset'; readonly because: string; readonly offset: number }
  /** `timestamp` as ListOffsets takes it. */
  | { readonly kind: 'timestamp'; readonly timestamp: number }
  | { readonly kind: 'ago'; readonly agoMs: number }

/** What ListOffsets takes for the first offset, and for the one behind the last record. */
export const earliestTimestamp = -2
export const latestTimestamp = -1

/** What a seek asks for: a position that is known, or a point that has to be looked up. */
export function seekPoint(target: SeekTarget): Position | StartingPoint {
  if (typeof target === 'number') return { offset: target, leaderEpoch: -1 }
  if (target === 'beginning') return { kind: 'timestamp', timestamp: earliestTimestamp }
  if (target === 'end') return { kind: 'timestamp', timestamp: latestTimestamp }
  if ('offset' in target) return { offset: target.offset, leaderEpoch: target.leaderEpoch ?? -1 }
  if ('timestamp' in target) return { kind: 'timestamp', timestamp: target.timestamp }
  return { kind: 'ago', agoMs: target.agoMs }
}
