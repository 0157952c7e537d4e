import { OptionError } from '../../errors.ts'
import { optionsOf, wholeNumber } from '../../option-checks.ts'
import type { Clock } from '../../platform/index.ts'
import type { Claim, ClaimAnswer, DedupeStore } from './dedupe-store.ts'
import { eventIdCharactersMax } from './dedupe-store.ts'
import { DoneEvents } from './done-events.ts'
import { EventHash, hashOf } from './event-hash.ts'
import { HeldClaim, HeldClaims } from './held-claims.ts'

export interface MemoryDedupeOptions {
  readonly clock: Pick<Clock, 'elapsedMs'>
  /**
   * How many events that are done it remembers: those that were used last, and at most as many again that were used before
   * them. @defaultValue 100000
   */
  readonly idsMax?: number
}

const claimed: ClaimAnswer = { state: 'new' }

/**
 * Remembers events in this process, and answers everything at once. It promises nothing across processes: another
 * process, or this one started again, knows of nothing.
 *
 * What is done is forgotten by number alone, and claims when they have expired, so that its memory is bounded: by
 * twice `idsMax`, and by the claims that are held at a time.
 *
 * - **Claimed** events are found by scope and id. The latest claim is mostly confirmed before another is made, and is put
 *   beside the others only when it is not.
 * - **Done** events are numbers in tables, of two generations. When `idsMax` of them were used in the recent one it becomes the
 *   earlier one, whose events are forgotten all at once. Should the hashes of two ids be alike, what they stand for mostly is
 *   not, and an event whose bytes differ is run.
 */
class MemoryDedupeStore implements DedupeStore {
  readonly #clock: Pick<Clock, 'elapsedMs'>
  readonly #idsMax: number
  #recent = new DoneEvents()
  #earlier = new DoneEvents()
  readonly #held = new HeldClaims()
  /** Held too, and not among the others yet. */
  #latest: HeldClaim | undefined
  readonly #scopes: LatestHash
  readonly #owners: LatestHash

  constructor({ clock, idsMax }: Required<MemoryDedupeOptions>) {
    this.#clock = clock
    this.#idsMax = idsMax
    // Nobody outside knows when it is: else somebody could choose ids that all want the same place of a table.
    const seed = new EventHash(1, Math.round(clock.elapsedMs() * 1_000) | 0)
    this.#scopes = new LatestHash(seed)
    this.#owners = new LatestHash(seed)
  }

  claim(claim: Claim, ttlMs: number): ClaimAnswer {
    if (claim.id.length > eventIdCharactersMax) throw tooLong(claim.id)
    this.#keepLatest()
    this.#forgetExpired()
    const hash = this.#hashOf(claim)
    const held = this.#held.get(claim, hash)
    if (held !== undefined && held.expiresAtMs > this.#clock.elapsedMs()) {
      return { state: 'busy', fingerprint: held.claim.fingerprint }
    }
    const fingerprint = this.#doneWith(hash)
    if (fingerprint !== undefined) return { state: 'done', fingerprint }
    if (held !== undefined) this.#held.delete(held)
    this.#latest = new HeldClaim(claim, hash, this.#expiryOf(ttlMs))
    return claimed
  }

  renew(claim: Claim, ttlMs: number): boolean {
    this.#keepLatest()
    const held = this.#heldBy(claim)
    if (held === undefined) return false
    this.#held.renew(held, this.#expiryOf(ttlMs))
    return true
  }

  confirm(claim: Claim): boolean {
    const held = this.#heldBy(claim)
    if (held === undefined) return this.#wasConfirmed(claim)
    this.#letGo(held)
    this.#use(held.hash, claim.fingerprint, this.#tokenOf(claim))
    return true
  }

  release(claim: Claim): void {
    const held = this.#heldBy(claim)
    if (held !== undefined) this.#letGo(held)
  }

  /** What this very claim holds. */
  #heldBy(claim: Claim): HeldClaim | undefined {
    if (this.#latest?.claim === claim) return this.#latest
    this.#keepLatest()
    const entry = this.#held.get(claim, this.#hashOf(claim))
    const holds = entry?.claim.generation === claim.generation && entry.claim.owner === claim.owner
    return holds ? entry : undefined
  }

  #letGo(held: HeldClaim): void {
    if (held === this.#latest) this.#latest = undefined
    else this.#held.delete(held)
  }

  /** Another claim comes: the latest one is not confirmed in the same breath. */
  #keepLatest(): void {
    if (this.#latest === undefined) return
    this.#held.add(this.#latest)
    this.#latest = undefined
  }

  /** Claims whose owners went away without a word would stay for ever. Nobody has to know the time where none expires. */
  #forgetExpired(): void {
    let { first } = this.#held
    if (first === undefined || first.expiresAtMs === Infinity) return
    const nowMs = this.#clock.elapsedMs()
    while (first !== undefined && first.expiresAtMs <= nowMs) {
      this.#held.delete(first)
      first = this.#held.first
    }
  }

  #expiryOf(ttlMs: number): number {
    return ttlMs === Infinity ? Infinity : this.#clock.elapsedMs() + ttlMs
  }

  /** The fingerprint of an event that is done; undefined when it is not. It is used by being asked for. */
  #doneWith(hash: EventHash): number | undefined {
    const recent = this.#recent.find(hash)
    if (recent !== -1) return this.#recent.fingerprintAt(recent)
    const earlier = this.#earlier.find(hash)
    if (earlier === -1) return undefined
    const fingerprint = this.#earlier.fingerprintAt(earlier)
    this.#use(hash, fingerprint, this.#earlier.tokenAt(earlier))
    return fingerprint
  }

  #use(hash: EventHash, fingerprint: number, token: number): void {
    this.#recent.add(hash, fingerprint, token)
    if (this.#recent.size < this.#idsMax) return
    this.#earlier = this.#recent
    this.#recent = new DoneEvents()
  }

  /** Whether the event is done, and was confirmed by this very claim. */
  #wasConfirmed(claim: Claim): boolean {
    const hash = this.#hashOf(claim)
    const token = this.#tokenOf(claim)
    return [this.#recent, this.#earlier].some((events) => {
      const place = events.find(hash)
      return place !== -1 && events.tokenAt(place) === token
    })
  }

  #hashOf({ scope, id }: Claim): EventHash {
    return hashOf(this.#scopes.of(scope), id)
  }

  /** What stands for a claim once it is confirmed. */
  #tokenOf({ owner, generation }: Claim): number {
    return this.#owners.of(owner).low ^ generation
  }
}

/** The hash of a text; mostly it is the one that was asked for last. */
class LatestHash {
  readonly #seed: EventHash
  #text: string | undefined
  #hash: EventHash

  constructor(seed: EventHash) {
    this.#seed = seed
    this.#hash = seed
  }

  of(text: string): EventHash {
    if (text !== this.#text) {
      this.#text = text
      this.#hash = hashOf(this.#seed, text)
    }
    return this.#hash
  }
}

/** Makes a store that remembers events in this process; `README.md` says what it does not promise. */
export function memoryDedupeStore(options: MemoryDedupeOptions): DedupeStore {
  const given = optionsOf(options, 'memoryDedupeStore', ['clock', 'idsMax'])
  const idsMax = wholeNumber(given, 'idsMax', 100_000, { min: 1, max: 10_000_000 })
  return new MemoryDedupeStore({ clock: options.clock, idsMax })
}

function tooLong(id: string): OptionError {
  return new OptionError(
    'claim.id',
    `has ${id.length} characters; at most ${eventIdCharactersMax} are allowed`,
  )
}
