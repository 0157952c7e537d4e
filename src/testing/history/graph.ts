import { Column } from './column.ts'

/** Why one thing came before another. */
export const edgeKinds = {
  /** The value of one stands before that of the other in a key. */
  writeOrder: 1,
  /** One wrote what the other read. */
  writeRead: 2,
  /** One ended before the other began, in one process or by the clock. */
  time: 4,
} as const

/** A directed graph whose edges have kinds. Built once, then searched with a choice of kinds. */
export class Graph {
  readonly nodeCount: number
  readonly #from: Column
  readonly #to: Column
  readonly #kind: Column
  /** Where the edges of a node start in `#targets`; one more entry than nodes. */
  #starts = new Int32Array(0)
  #targets = new Int32Array(0)
  #targetKinds = new Uint8Array(0)

  /** `edgeCapacity`: about how many edges there will be. */
  constructor(nodeCount: number, edgeCapacity = 64) {
    this.nodeCount = nodeCount
    this.#from = new Column('integer', edgeCapacity)
    this.#to = new Column('integer', edgeCapacity)
    this.#kind = new Column('integer', edgeCapacity)
  }

  add(from: number, to: number, kind: number): void {
    if (from === to) return
    this.#from.push(from)
    this.#to.push(to)
    this.#kind.push(kind)
  }

  /** For each node, 1 or 0: whether an edge added so far leaves it, and whether one reaches it. */
  ends(): readonly [leaves: Uint8Array, isReached: Uint8Array] {
    const leaves = new Uint8Array(this.nodeCount)
    const isReached = new Uint8Array(this.nodeCount)
    for (let edge = 0; edge < this.#from.length; edge += 1) {
      leaves[this.#from.get(edge)] = 1
      isReached[this.#to.get(edge)] = 1
    }
    return [leaves, isReached]
  }

  /** Brings the edges of each node together. Call it when all are added. */
  seal(): void {
    const edgeCount = this.#from.length
    const starts = new Int32Array(this.nodeCount + 1)
    for (let edge = 0; edge < edgeCount; edge += 1) increment(starts, this.#from.get(edge) + 1)
    for (let node = 0; node < this.nodeCount; node += 1) {
      starts[node + 1] = cell(starts, node + 1) + cell(starts, node)
    }
    const next = starts.slice()
    this.#targets = new Int32Array(edgeCount)
    this.#targetKinds = new Uint8Array(edgeCount)
    for (let edge = 0; edge < edgeCount; edge += 1) {
      const place = increment(next, this.#from.get(edge))
      this.#targets[place] = this.#to.get(edge)
      this.#targetKinds[place] = this.#kind.get(edge)
    }
    this.#starts = starts
  }

  /**
   * Nodes that reach each other over edges of the wanted kinds have the same number. Tarjan's
   * algorithm, with a stack of its own, as a path may be as long as the history.
   */
  components(kinds: number): Int32Array {
    return new ComponentSearch(this, kinds).run()
  }

  /** The edges of a node are those from its first up to the first of the next node. */
  firstEdge(node: number): number {
    return cell(this.#starts, node)
  }

  target(edge: number): number {
    return cell(this.#targets, edge)
  }

  kind(edge: number): number {
    return cell(this.#targetKinds, edge)
  }

  /** Undefined when no edge of these kinds leads from one to the other. */
  kindBetween(from: number, to: number, kinds: number): number | undefined {
    const end = this.firstEdge(from + 1)
    for (let edge = this.firstEdge(from); edge < end; edge += 1) {
      if (this.target(edge) === to && (this.kind(edge) & kinds) !== 0) return this.kind(edge)
    }
    return undefined
  }

  /** A shortest path over nodes that `isAllowed`; undefined when there is none. Both ends are in it. */
  shortestPath(
    from: number,
    to: number,
    kinds: number,
    isAllowed: (node: number) => boolean,
  ): number[] | undefined {
    const cameFrom = new Map<number, number>([[from, from]])
    const queue = [from]
    for (const node of queue) {
      if (node === to) return pathTo(to, cameFrom)
      const end = this.firstEdge(node + 1)
      for (let edge = this.firstEdge(node); edge < end; edge += 1) {
        const target = this.target(edge)
        if ((this.kind(edge) & kinds) === 0 || cameFrom.has(target) || !isAllowed(target)) continue
        cameFrom.set(target, node)
        queue.push(target)
      }
    }
    return undefined
  }
}

function pathTo(to: number, cameFrom: ReadonlyMap<number, number>): number[] {
  const path = [to]
  for (let node = to; ;) {
    const previous = cameFrom.get(node)
    if (previous === undefined || previous === node) return path.reverse()
    path.push(previous)
    node = previous
  }
}

class ComponentSearch {
  readonly #graph: Graph
  readonly #kinds: number
  /** The order in which nodes were reached, from 1; 0 for not yet. */
  readonly #reached: Int32Array
  /** The earliest node on the stack that a node is known to reach. */
  readonly #lowest: Int32Array
  readonly #component: Int32Array
  /** The next edge of a node that is being visited. */
  readonly #nextEdge: Int32Array
  readonly #stack: number[] = []
  readonly #visiting: number[] = []
  #reachedCount = 0
  #componentCount = 0

  constructor(graph: Graph, kinds: number) {
    this.#graph = graph
    this.#kinds = kinds
    this.#reached = new Int32Array(graph.nodeCount)
    this.#lowest = new Int32Array(graph.nodeCount)
    this.#component = new Int32Array(graph.nodeCount).fill(-1)
    this.#nextEdge = new Int32Array(graph.nodeCount)
  }

  run(): Int32Array {
    for (let node = 0; node < this.#graph.nodeCount; node += 1) {
      if (cell(this.#reached, node) === 0) this.#visitFrom(node)
    }
    return this.#component
  }

  #visitFrom(root: number): void {
    this.#enter(root)
    for (;;) {
      const node = this.#visiting.at(-1)
      if (node === undefined) return
      const child = this.#follow(node)
      if (child !== undefined) {
        this.#enter(child)
        continue
      }
      this.#visiting.pop()
      if (cell(this.#lowest, node) === cell(this.#reached, node)) this.#complete(node)
      const parent = this.#visiting.at(-1)
      if (parent !== undefined) this.#lower(parent, cell(this.#lowest, node))
    }
  }

  #enter(node: number): void {
    this.#reachedCount += 1
    this.#reached[node] = this.#reachedCount
    this.#lowest[node] = this.#reachedCount
    this.#nextEdge[node] = this.#graph.firstEdge(node)
    this.#stack.push(node)
    this.#visiting.push(node)
  }

  /** Goes on with the edges of a node, up to one that leads to a node not reached yet. */
  #follow(node: number): number | undefined {
    const end = this.#graph.firstEdge(node + 1)
    for (let edge = cell(this.#nextEdge, node); edge < end; edge += 1) {
      if ((this.#graph.kind(edge) & this.#kinds) === 0) continue
      const target = this.#graph.target(edge)
      if (cell(this.#reached, target) === 0) {
        this.#nextEdge[node] = edge + 1
        return target
      }
      if (cell(this.#component, target) < 0) this.#lower(node, cell(this.#reached, target))
    }
    this.#nextEdge[node] = end
    return undefined
  }

  #lower(node: number, reached: number): void {
    if (reached < cell(this.#lowest, node)) this.#lowest[node] = reached
  }

  #complete(root: number): void {
    for (;;) {
      const node = this.#stack.pop()
      if (node === undefined) return
      this.#component[node] = this.#componentCount
      if (node === root) break
    }
    this.#componentCount += 1
  }
}

function cell(cells: Int32Array | Uint8Array, place: number): number {
  const value = cells[place]
  if (value === undefined) throw new RangeError(`place ${place} is outside of ${cells.length}`)
  return value
}

/** Answers what the cell held before. */
function increment(cells: Int32Array, place: number): number {
  const value = cell(cells, place)
  cells[place] = value + 1
  return value
}
