/** Something that is in a bag knows its place there. */
export interface Placed {
  place: number
}

/**
 * A set of things that come and go many times a second, in no order. A `Set` makes a new table whenever as many have gone as it
 * has room for, and the old one keeps what was in it alive for longer than the garbage collector likes.
 */
export class Bag<Thing extends Placed> {
  readonly #things: Thing[] = []

  get size(): number {
    return this.#things.length
  }

  /** Whether it is in the bag that it was put into last, which is this one. */
  has(thing: Thing): boolean {
    return this.#things[thing.place] === thing
  }

  /** Does nothing when it is there. */
  add(thing: Thing): void {
    if (this.has(thing)) return
    thing.place = this.#things.length
    this.#things.push(thing)
  }

  /** Does nothing when it is not there. */
  delete(thing: Thing): void {
    const { place } = thing
    if (this.#things[place] !== thing) return
    const last = this.#things.pop() as Thing
    if (last === thing) return
    this.#things[place] = last
    last.place = place
  }

  /** Of a copy: what is done about them may make them go. */
  [Symbol.iterator](): Iterator<Thing> {
    return [...this.#things][Symbol.iterator]()
  }
}
