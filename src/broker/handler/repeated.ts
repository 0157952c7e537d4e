/** The keys that occur more than once. A request may have very many. */
export function repeated<Key>(keys: readonly Key[]): ReadonlySet<Key> {
  const seen = new Set<Key>()
  const twice = new Set<Key>()
  for (const key of keys) {
    if (seen.has(key)) twice.add(key)
    seen.add(key)
  }
  return twice
}
