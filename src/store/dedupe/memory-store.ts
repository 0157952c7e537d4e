import { OptionError } from '../../errors.ts'
import { optionsOf, wholeNumber } from '../../option-checks.ts'
import type { Clock } from '../../platform/index.ts'
import type { Claim, ClaimAnswer, DedupeStore } from './dedupe-store.ts'
import { eventIdCharactersMax } from './dedupe-store.ts'
import { Entry, EntryList } from './entry-list.ts'

export interface MemoryDedupeOptions {
  readonly clock: Pick<Clock, 'elapsedMs'>
  /** How many events that are done it remembers; of those the least recently used one is forgotten. @defaultValue 100000 */
  readonly idsMax?: number
}

const claimed: ClaimAnswer = { state: 'new' }

/**
 * Remembers events in this process, and answers everything at once. It promises nothing across processes: another
 * process, or this one started again, knows of nothing.
 *
 * What is done is forgotten by number alone, and claims when they have expired, so that its memory is bounded: by
 * `idsMax`, by the claims that are held at a time, and by the length of an id.
 */
class MemoryDedupeStore implements DedupeStore {
  readonly #clock: Pick<Clock, 'elapsedMs'>
  readonly #idsMax: number
  /** By scope, then by id. */
  readonly #scopes = new Map<string, Map<string, Entry>>()
  /** Done, the least recently used one first. */
  readonly #done = new EntryList()
  /** Claimed, the one that was claimed or renewed first at the front. */
  readonly #claimed = new EntryList()

  constructor({ clock, idsMax }: Required<MemoryDedupeOptions>) {
    this.#clock = clock
    this.#idsMax = idsMax
  }

  claim(claim: Claim, ttlMs: number): ClaimAnswer {
    const { scope, id } = claim
    if (id.length > eventIdCharactersMax) throw tooLong(id)
    const nowMs = this.#clock.elapsedMs()
    this.#forgetExpired(nowMs)
    const entries = this.#entriesOf(scope)
    const known = entries.get(id)
    if (known === undefined) {
      const entry = new Entry(claim, nowMs + ttlMs)
      entries.set(id, entry)
      this.#claimed.push(entry)
      return claimed
    }
    const { fingerprint } = known.claim
    if (known.isDone) {
      this.#done.push(known)
      return { state: 'done', fingerprint }
    }
    if (known.expiresAtMs > nowMs) return { state: 'busy', fingerprint }
    known.claim = claim
    this.#hold(known, nowMs + ttlMs)
    return claimed
  }

  renew(claim: Claim, ttlMs: number): boolean {
    const entry = this.#held(claim)
    if (entry === undefined || entry.isDone) return false
    this.#hold(entry, this.#clock.elapsedMs() + ttlMs)
    return true
  }

  confirm(claim: Claim): boolean {
    const entry = this.#held(claim)
    if (entry === undefined) return false
    entry.isDone = true
    this.#done.push(entry)
    if (this.#done.size > this.#idsMax) this.#forget(this.#done.first)
    return true
  }

  release(claim: Claim): void {
    const entry = this.#held(claim)
    if (entry?.isDone === false) this.#forget(entry)
  }

  /** What this very claim holds, or has confirmed. */
  #held({ scope, id, owner, generation }: Claim): Entry | undefined {
    const entry = this.#scopes.get(scope)?.get(id)
    const holds = entry?.claim.generation === generation && entry.claim.owner === owner
    return holds ? entry : undefined
  }

  #hold(entry: Entry, expiresAtMs: number): void {
    entry.expiresAtMs = expiresAtMs
    this.#claimed.push(entry)
  }

  #entriesOf(scope: string): Map<string, Entry> {
    let entries = this.#scopes.get(scope)
    if (entries === undefined) this.#scopes.set(scope, (entries = new Map<string, Entry>()))
    return entries
  }

  /** Claims whose owners went away without a word would stay for ever. */
  #forgetExpired(nowMs: number): void {
    for (;;) {
      const { first } = this.#claimed
      if (first === undefined || first.expiresAtMs > nowMs) return
      this.#forget(first)
    }
  }

  #forget(entry: Entry | undefined): void {
    if (entry === undefined) return
    entry.list?.remove(entry)
    const { scope, id } = entry.claim
    const entries = this.#scopes.get(scope)
    entries?.delete(id)
    if (entries?.size === 0) this.#scopes.delete(scope)
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
