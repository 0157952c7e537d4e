import type { EventHash } from './event-hash.ts'

const capacityMin = 1_024

/**
 * Events that are done: a table of numbers, in which an event stands at the first free place from the one that its hash says. It
 * is never more than half full. Nothing of it is looked at by the garbage collector, and nothing leaves it but all at once.
 */
export class DoneEvents {
  #size = 0
  #mask = capacityMin - 1
  /** Low and high half of each hash; both are 0 where nothing stands. */
  #hashes = new Int32Array(2 * capacityMin)
  #fingerprints = new Float64Array(capacityMin)
  /** What stands for the claim that was confirmed. */
  #tokens = new Int32Array(capacityMin)

  get size(): number {
    return this.#size
  }

  /** The place of an event; -1 when it is not there. Good until something is added. */
  find(hash: EventHash): number {
    const place = this.#placeOf(hash.low, hash.high)
    return this.#isFree(place) ? -1 : place
  }

  fingerprintAt(place: number): number {
    return this.#fingerprints[place] as number
  }

  tokenAt(place: number): number {
    return this.#tokens[place] as number
  }

  /** Adds an event that is not there. */
  add({ low, high }: EventHash, fingerprint: number, token: number): void {
    if (2 * this.#size > this.#mask) this.#grow()
    this.#put(this.#placeOf(low, high), low, high, fingerprint, token)
    this.#size++
  }

  #put(place: number, low: number, high: number, fingerprint: number, token: number): void {
    this.#hashes[2 * place] = low
    this.#hashes[2 * place + 1] = high
    this.#fingerprints[place] = fingerprint
    this.#tokens[place] = token
  }

  /** Where the event stands, or would. */
  #placeOf(low: number, high: number): number {
    const hashes = this.#hashes
    const mask = this.#mask
    let place = low & mask
    for (;;) {
      const lowThere = hashes[2 * place]
      const highThere = hashes[2 * place + 1]
      if (lowThere === low && highThere === high) return place
      if (lowThere === 0 && highThere === 0) return place
      place = (place + 1) & mask
    }
  }

  #isFree(place: number): boolean {
    return this.#hashes[2 * place] === 0 && this.#hashes[2 * place + 1] === 0
  }

  #grow(): void {
    const hashes = this.#hashes
    const fingerprints = this.#fingerprints
    const tokens = this.#tokens
    const capacity = 2 * tokens.length
    this.#mask = capacity - 1
    this.#hashes = new Int32Array(2 * capacity)
    this.#fingerprints = new Float64Array(capacity)
    this.#tokens = new Int32Array(capacity)
    for (let place = 0; place < tokens.length; place++) {
      const low = hashes[2 * place] as number
      const high = hashes[2 * place + 1] as number
      if (low === 0 && high === 0) continue
      const fingerprint = fingerprints[place] as number
      this.#put(this.#placeOf(low, high), low, high, fingerprint, tokens[place] as number)
    }
  }
}
