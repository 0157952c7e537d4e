import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Graph } from './graph.ts'

const nodeCount = 8
const node = fc.nat(nodeCount - 1)
const edges = fc.array(fc.tuple(node, node, fc.constantFrom(1, 2, 4)), { maxLength: 30 })

function graphOf(list: readonly (readonly [number, number, number])[]): Graph {
  const graph = new Graph(nodeCount)
  for (const [from, to, kind] of list) graph.add(from, to, kind)
  graph.seal()
  return graph
}

/** By walking: the distance from each node to each, over edges of the wanted kinds. */
function distances(list: readonly (readonly [number, number, number])[], kinds: number) {
  const table = Array.from({ length: nodeCount }, (_, from) =>
    Array.from({ length: nodeCount }, (__, to) => (from === to ? 0 : Infinity)),
  )
  for (let round = 0; round < nodeCount; round += 1) {
    for (const row of table) {
      for (const [from, to, kind] of list) {
        if ((kind & kinds) !== 0) row[to] = Math.min(row[to] ?? 0, (row[from] ?? 0) + 1)
      }
    }
  }
  return (from: number, to: number): number => table[from]?.[to] ?? Infinity
}

describe('Graph', () => {
  it('puts nodes into one component exactly when each reaches the other', () => {
    fc.assert(
      fc.property(edges, fc.integer({ min: 1, max: 7 }), (list, kinds) => {
        const components = graphOf(list).components(kinds)
        const distance = distances(list, kinds)
        for (let left = 0; left < nodeCount; left += 1) {
          for (let right = 0; right < nodeCount; right += 1) {
            const together = distance(left, right) < Infinity && distance(right, left) < Infinity
            expect(components[left] === components[right]).toBe(together)
          }
        }
      }),
      { seed: 7, numRuns: 300 },
    )
  })

  it('finds a path that exists and is shortest', () => {
    fc.assert(
      fc.property(edges, node, node, fc.integer({ min: 1, max: 7 }), (list, from, to, kinds) => {
        const graph = graphOf(list)
        const path = graph.shortestPath(from, to, kinds, () => true)
        expect((path?.length ?? Infinity) - 1).toBe(distances(list, kinds)(from, to))
        for (const [place, start] of (path ?? []).slice(0, -1).entries()) {
          expect(graph.kindBetween(start, path?.[place + 1] ?? -1, kinds)).toBeDefined()
        }
      }),
      { seed: 7, numRuns: 300 },
    )
  })

  it('stays on the nodes that are allowed', () => {
    const graph = graphOf([
      [0, 1, 1],
      [1, 2, 1],
      [0, 3, 1],
      [3, 4, 1],
      [4, 2, 1],
    ])
    expect(graph.shortestPath(0, 2, 1, () => true)).toEqual([0, 1, 2])
    expect(graph.shortestPath(0, 2, 1, (other) => other !== 1)).toEqual([0, 3, 4, 2])
  })

  it('follows a path of a million nodes without running out of stack', () => {
    const long = new Graph(1_000_000)
    for (let from = 0; from < 999_999; from += 1) long.add(from, from + 1, 1)
    long.add(999_999, 0, 1)
    long.seal()
    expect(new Set(long.components(1)).size).toBe(1)
  })
})
