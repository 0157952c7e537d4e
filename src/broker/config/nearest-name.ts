/** The name that takes the fewest edits to become `name`; of several, the first. */
export function nearestName(name: string, names: Iterable<string>): string | undefined {
  let nearest: string | undefined
  let fewest = Infinity
  for (const candidate of names) {
    const edits = editDistance(name, candidate)
    if (edits < fewest) {
      fewest = edits
      nearest = candidate
    }
  }
  return nearest
}

/** How many characters must be inserted, deleted or replaced to turn one text into the other. */
function editDistance(from: string, to: string): number {
  let above = Array.from({ length: to.length + 1 }, (_, column) => column)
  for (let row = 1; row <= from.length; row++) {
    const current = [row]
    for (let column = 1; column <= to.length; column++) {
      const replaced = (above[column - 1] as number) + (from[row - 1] === to[column - 1] ? 0 : 1)
      const deleted = (above[column] as number) + 1
      const inserted = (current[column - 1] as number) + 1
      current.push(Math.min(replaced, deleted, inserted))
    }
    above = current
  }
  return above[to.length] as number
}
