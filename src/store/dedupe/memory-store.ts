import { OptionError } from '../../errors.ts'
import { optionsOf, wholeNumber } from '../../option-checks.ts'
import type { Clock } from '../../platform/index.ts'
import type { Claim, ClaimAnswer, DedupeStore } from './dedupe-store.ts'
import { eventIdCharactersMax } from './dedupe-store.ts'
import { Entry, EntryList } from './entry-list.ts'

export interface MemoryDedupeOptions {
  readonly clock: Pick<Clock, 'elapsedMs'>
  /**
   * How many events that are done it remembers: those that were used last, and at most as many again that were used before
   * them. @defaultValue 100000
   */
  readonly idsMax?: number
}

const claimed: ClaimAnswer = { state: 'new' }

/** Events by scope, then by id. */
class Generation {
  readonly #scopes = new Map<string, Map<string, Entry>>()
  /** How many of them were done, or found to be. */
  usedCount = 0

  get({ scope, id }: Claim): Entry | undefined {
    return this.#scopes.get(scope)?.get(id)
  }

  set(entry: Entry): void {
    const { scope, id } = entry.claim
    let entries = this.#scopes.get(scope)
    if (entries === undefined) this.#scopes.set(scope, (entries = new Map<string, Entry>()))
    entries.set(id, entry)
  }

  delete({ scope, id }: Claim): void {
    this.#scopes.get(scope)?.delete(id)
  }
}

/**
 * Remembers events in this process, and answers everything at once. It promises nothing across processes: another
 * process, or this one started again, knows of nothing.
 *
 * What is done is forgotten by number alone, and claims when they have expired, so that its memory is bounded: by
 * twice `idsMax`, by the claims that are held at a time, and by the length of an id.
 *
 * Events are in two generations. When `idsMax` of them were used in the recent one it becomes the earlier one, whose
 * events are forgotten all at once: to forget them one by one, in the order of their use, had been most of what it costs.
 * What is claimed is always in the recent one.
 */
class MemoryDedupeStore implements DedupeStore {
  readonly #clock: Pick<Clock, 'elapsedMs'>
  readonly #idsMax: number
  #recent = new Generation()
  #earlier = new Generation()
  /** The one that was claimed last: it is mostly the next to be confirmed, and need not be looked for. */
  #latest: Entry | undefined
  /** Claimed, the one that was claimed or renewed first at the front. */
  readonly #claimed = new EntryList()

  constructor({ clock, idsMax }: Required<MemoryDedupeOptions>) {
    this.#clock = clock
    this.#idsMax = idsMax
  }

  claim(claim: Claim, ttlMs: number): ClaimAnswer {
    const { id } = claim
    if (id.length > eventIdCharactersMax) throw tooLong(id)
    const nowMs = this.#clock.elapsedMs()
    this.#forgetExpired(nowMs)
    const known = this.#find(claim)
    if (known === undefined) {
      const entry = new Entry(claim, nowMs + ttlMs)
      this.#recent.set(entry)
      this.#claimed.push(entry)
      this.#latest = entry
      return claimed
    }
    const { fingerprint } = known.claim
    if (known.isDone) return { state: 'done', fingerprint }
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
    if (entry.isDone) return true
    entry.isDone = true
    this.#claimed.remove(entry)
    this.#used()
    return true
  }

  release(claim: Claim): void {
    const entry = this.#held(claim)
    if (entry?.isDone === false) this.#forget(entry)
  }

  /** An event that is done is used by being looked for. */
  #find(claim: Claim): Entry | undefined {
    const recent = this.#recent.get(claim)
    if (recent !== undefined) return recent
    const earlier = this.#earlier.get(claim)
    if (earlier === undefined) return undefined
    this.#recent.set(earlier)
    this.#used()
    return earlier
  }

  /** What this very claim holds, or has confirmed. */
  #held(claim: Claim): Entry | undefined {
    if (this.#latest?.claim === claim) return this.#latest
    const entry = this.#recent.get(claim) ?? this.#earlier.get(claim)
    const holds = entry?.claim.generation === claim.generation && entry.claim.owner === claim.owner
    return holds ? entry : undefined
  }

  #hold(entry: Entry, expiresAtMs: number): void {
    entry.expiresAtMs = expiresAtMs
    this.#claimed.push(entry)
  }

  #used(): void {
    if (++this.#recent.usedCount < this.#idsMax) return
    this.#earlier = this.#recent
    this.#recent = new Generation()
    for (const entry of this.#claimed) this.#recent.set(entry)
  }

  /** Claims whose owners went away without a word would stay for ever. */
  #forgetExpired(nowMs: number): void {
    for (;;) {
      const { first } = this.#claimed
      if (first === undefined || first.expiresAtMs > nowMs) return
      this.#forget(first)
    }
  }

  #forget(entry: Entry): void {
    this.#claimed.remove(entry)
    this.#recent.delete(entry.claim)
    this.#earlier.delete(entry.claim)
    if (this.#latest === entry) this.#latest = undefined
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
