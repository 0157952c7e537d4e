import type { Claim } from './dedupe-store.ts'
import type { EventHash } from './event-hash.ts'

/** A claim that is held, until it is confirmed, released or expired. */
export class HeldClaim {
  readonly claim: Claim
  readonly hash: EventHash
  expiresAtMs: number
  /** Its neighbours in the order in which claims were made or renewed. */
  before: HeldClaim | undefined
  after: HeldClaim | undefined

  constructor(claim: Claim, hash: EventHash, expiresAtMs: number) {
    this.claim = claim
    this.hash = hash
    this.expiresAtMs = expiresAtMs
  }

  isOn({ scope, id }: Claim): boolean {
    return this.claim.id === id && this.claim.scope === scope
  }
}

const placesMin = 64

/**
 * The claims that are held: by event, and in the order in which they were made or renewed.
 *
 * Each stands at the first free place from the one that its hash says, in a table that is never more than half full. A `Map` of
 * claims that come and go makes a new table again and again, and the old ones keep alive what was in them.
 */
export class HeldClaims {
  #places: (HeldClaim | undefined)[] = Array.from({ length: placesMin }, () => undefined)
  #size = 0
  #first: HeldClaim | undefined
  #last: HeldClaim | undefined

  /** The one that was made or renewed before all others. */
  get first(): HeldClaim | undefined {
    return this.#first
  }

  /** The claim that is held on an event, by whomever. */
  get(claim: Claim, hash: EventHash): HeldClaim | undefined {
    if (this.#size === 0) return undefined
    let place = this.#homeOf(hash)
    for (;;) {
      const held = this.#places[place]
      if (held === undefined || held.isOn(claim)) return held
      place = this.#behind(place)
    }
  }

  /** Holds a claim on an event on which there is none. */
  add(held: HeldClaim): void {
    if (2 * this.#size >= this.#places.length) this.#grow()
    this.#put(held)
    this.#size++
    this.#append(held)
  }

  renew(held: HeldClaim, expiresAtMs: number): void {
    held.expiresAtMs = expiresAtMs
    this.#unlink(held)
    this.#append(held)
  }

  delete(held: HeldClaim): void {
    let free = this.#homeOf(held.hash)
    while (this.#places[free] !== held) free = this.#behind(free)
    // Whatever stands behind it and could stand where it was moves there: no free place may be on anybody's way.
    for (let place = this.#behind(free); ; place = this.#behind(place)) {
      const next = this.#places[place]
      if (next === undefined) break
      if (this.#distance(this.#homeOf(next.hash), place) < this.#distance(free, place)) continue
      this.#places[free] = next
      free = place
    }
    this.#places[free] = undefined
    this.#size--
    this.#unlink(held)
  }

  #homeOf({ low }: EventHash): number {
    return low & (this.#places.length - 1)
  }

  #behind(place: number): number {
    return (place + 1) & (this.#places.length - 1)
  }

  #distance(from: number, to: number): number {
    return (to - from) & (this.#places.length - 1)
  }

  #put(held: HeldClaim): void {
    let place = this.#homeOf(held.hash)
    while (this.#places[place] !== undefined) place = this.#behind(place)
    this.#places[place] = held
  }

  #grow(): void {
    const before = this.#places
    this.#places = Array.from({ length: 2 * before.length }, () => undefined)
    for (const held of before) if (held !== undefined) this.#put(held)
  }

  #append(held: HeldClaim): void {
    held.before = this.#last
    if (this.#last === undefined) this.#first = held
    else this.#last.after = held
    this.#last = held
  }

  #unlink(held: HeldClaim): void {
    if (held.before === undefined) this.#first = held.after
    else held.before.after = held.after
    if (held.after === undefined) this.#last = held.before
    else held.after.before = held.before
    held.before = undefined
    held.after = undefined
  }
}
