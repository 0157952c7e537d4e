/** An answer that may be there at once: what is known costs no promise. */
export type MaybeAsync<Value> = Value | Promise<Value>

/** The longest id that a store is asked about; the runtime shortens longer ones to a digest. */
export const eventIdCharactersMax = 128

/** One event, claimed by one owner. */
export interface Claim {
  /** Within what the id is unique: the group, and the topic that the event comes from. */
  readonly scope: string
  /** At most `eventIdCharactersMax` characters. */
  readonly id: string
  /** Whose claim it is: another one for every consumer of every process. */
  readonly owner: string
  /** Another one for every claim of an owner, and greater than those before. */
  readonly generation: number
  /** A safe integer that tells the event's bytes from others. */
  readonly fingerprint: number
}

/**
 * - `new`: the event is claimed, for whoever asked.
 * - `done`: it was confirmed before.
 * - `busy`: somebody else holds a claim that has not expired; or the same owner does, with another generation.
 *
 * The fingerprint is that of the claim that was confirmed, or is held.
 */
export type ClaimAnswer =
  { readonly state: 'new' } | { readonly state: 'done' | 'busy'; readonly fingerprint: number }

/**
 * Which events are done, and which are being done by whom. `README.md` has the states of an event, and what must hold.
 *
 * Each method is one atomic step against all others on the same event, in all processes that use the store: a single
 * command or script of a key-value store, a single statement or transaction of a database. A method that reads first
 * and writes later loses events, or has them run twice at once.
 *
 * Methods reject, or throw, when it is not known what they did. A claim that rejected may have been made: it expires.
 * Every promise settles in the end; time limits for connections are the store's own.
 */
export interface DedupeStore {
  /** Claims an event for `ttlMs`, unless it is done or somebody else's claim has not expired. */
  claim(claim: Claim, ttlMs: number): MaybeAsync<ClaimAnswer>
  /** Holds a claim for `ttlMs` from now. Answers false when it is not held any more. */
  renew(claim: Claim, ttlMs: number): MaybeAsync<boolean>
  /**
   * The event is done, and is to be remembered for `rememberMs` at least; a store that is bounded by number may forget it
   * sooner. Answers false, and changes nothing, when the claim is somebody else's by now, or was forgotten. Confirming
   * again what this very claim confirmed answers true: the first answer may have been lost.
   */
  confirm(claim: Claim, rememberMs: number): MaybeAsync<boolean>
  /** The event was not done: it is as if nobody had claimed it. Changes nothing when the claim is not held any more. */
  release(claim: Claim): MaybeAsync<void>
}
