/** What a world, or many of them, has put its clients through: how often each thing has happened. */
export type Exercised = Readonly<Record<string, Readonly<Record<string, number>>>>

/** Counts things by group and name, so that a run can say what it has exercised. */
export class Tally {
  readonly #groups = new Map<string, Map<string, number>>()

  count(group: string, name: string, times = 1): void {
    const names = this.#groups.get(group) ?? new Map<string, number>()
    names.set(name, (names.get(name) ?? 0) + times)
    this.#groups.set(group, names)
  }

  add(exercised: Exercised): void {
    for (const [group, names] of Object.entries(exercised)) {
      for (const [name, times] of Object.entries(names)) this.count(group, name, times)
    }
  }

  /** As plain objects, the most frequent first. */
  get all(): Exercised {
    return Object.fromEntries(
      [...this.#groups].map(([group, names]) => [
        group,
        Object.fromEntries([...names].sort(([, one], [, other]) => other - one)),
      ]),
    )
  }
}
