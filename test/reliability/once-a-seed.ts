/** A simulation whose world of a seed is run once, for all tests that look at it: worlds are most of what a suite costs. */
export function onceASeed<Result>(
  simulate: (seed: number) => Promise<Result>,
): (seed: number) => Promise<Result> {
  const worlds = new Map<number, Promise<Result>>()
  return (seed) => {
    const world = worlds.get(seed) ?? simulate(seed)
    worlds.set(seed, world)
    return world
  }
}
