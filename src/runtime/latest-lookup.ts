/** Things by their names, each made when it is asked for first. The one that was asked for last is mostly the next one. */
export class LatestLookup<Thing> {
  readonly #make: (name: string) => Thing
  readonly #things = new Map<string, Thing>()
  #latestName: string | undefined
  #latest: Thing | undefined

  constructor(make: (name: string) => Thing) {
    this.#make = make
  }

  get(name: string): Thing {
    if (name !== this.#latestName) {
      this.#latest = this.#find(name)
      this.#latestName = name
    }
    return this.#latest as Thing
  }

  #find(name: string): Thing {
    let thing = this.#things.get(name)
    if (thing === undefined) this.#things.set(name, (thing = this.#make(name)))
    return thing
  }
}
