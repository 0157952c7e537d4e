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
}

/** The claims that are held, by scope and id, and in the order in which they were made or renewed. */
export class HeldClaims {
  readonly #scopes = new Map<string, Map<string, HeldClaim>>()
  #first: HeldClaim | undefined
  #last: HeldClaim | undefined

  /** The one that was made or renewed before all others. */
  get first(): HeldClaim | undefined {
    return this.#first
  }

  get({ scope, id }: Claim): HeldClaim | undefined {
    return this.#first === undefined ? undefined : this.#scopes.get(scope)?.get(id)
  }

  /** Holds a claim on an event on which there is none. */
  add(held: HeldClaim): void {
    const { scope, id } = held.claim
    let claims = this.#scopes.get(scope)
    if (claims === undefined) this.#scopes.set(scope, (claims = new Map<string, HeldClaim>()))
    claims.set(id, held)
    this.#append(held)
  }

  renew(held: HeldClaim, expiresAtMs: number): void {
    held.expiresAtMs = expiresAtMs
    this.#unlink(held)
    this.#append(held)
  }

  delete(held: HeldClaim): void {
    const { scope, id } = held.claim
    this.#scopes.get(scope)?.delete(id)
    this.#unlink(held)
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
