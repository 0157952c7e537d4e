/** The keys that occur more than once. */
export function repeated<Key>(keys: readonly Key[]): ReadonlySet<Key> {
  return new Set(keys.filter((key, index) => keys.indexOf(key) !== index))
}
