/** Something that is in a bag knows its place there. */
export interface Placed {
  place: number
}

/**
 * A set of things that come and go many times a second, in no order. A `Set` makes a new table whenever as many have gone as it
 * has room for, and the old one keeps what was in it alive for longer than the garbage collector likes.
 */
export class Bag<Thing extends Placed> {
  /** It never gets shorter: places behind the size are empty. */
  readonly #things: (Thing | undefined)[] = []
  #size = 0

  get size(): number {
    return this.#size
  }

  /** Whether it is in the bag that it was put into last, which is this one. */
  has(thing: Thing): boolean {
    return thing.place < this.#size && this.#things[thing.place] === thing
  }

  /** Does nothing when it is there. */
  add(thing: Thing): void {
    if (this.has(thing)) return
    thing.place = this.#size
    if (this.#size === this.#things.length) this.#things.push(thing)
    else this.#things[this.#size] = thing
    this.#size++
  }

  /** Does nothing when it is not there. */
  delete(thing: Thing): void {
    if (!this.has(thing)) return
    this.#size--
    const last = this.#things[this.#size] as Thing
    this.#things[thing.place] = last
    last.place = thing.place
    this.#things[this.#size] = undefined
  }

  /** Of a copy: what is done about them may make them go. */
  [Symbol.iterator](): Iterator<Thing> {
    return (this.#things.slice(0, this.#size) as Thing[])[Symbol.iterator]()
  }
}
