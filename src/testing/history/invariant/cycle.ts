import { Column, itemAt } from '../column.ts'
import { findRead } from '../history-index.ts'
import { Graph, edgeKinds } from '../graph.ts'
import type { Anomaly } from '../anomaly.ts'
import type { HistoryIndex } from '../history-index.ts'
import type { Line, Narrator } from '../narrator.ts'
import type { Judgement } from './invariant.ts'

const { writeOrder, writeRead, time } = edgeKinds

/**
 * J10: there is an order in which the operations can have happened. A circle in which each had to
 * come before the next says that there is none.
 *
 * Edges of time are drawn through moments: an operation that succeeded leads to the moment of its
 * end, each moment to the next, and the moment before an operation began leads to it. So they are
 * as few as the operations, though nearly every two operations are ordered by time.
 */
export function judgeCycles(judgement: Judgement): void {
  const { index, settings } = judgement
  const { length } = index.operations
  // At most one moment for each operation's end, and about one edge for each read.
  const graph = new Graph(length * 2, length + index.reads.value.length)
  addWriteRead(index, graph)
  if (settings.writeOrderEdges) addWriteOrder(index, graph)
  addTime(index, graph, settings.realtimeEdges)
  graph.seal()
  findCircles(judgement, graph, 'information-cycle', writeRead | time, writeRead)
  if (!settings.writeOrderEdges) return
  findCircles(judgement, graph, 'write-cycle', writeOrder | time, writeOrder)
  const all = writeOrder | writeRead | time
  findCircles(judgement, graph, 'information-cycle-by-write-order', all, writeRead)
}

function addWriteRead({ reads, writes, values, operations }: HistoryIndex, graph: Graph): void {
  let [latestWriter, latestReader] = [-1, -1]
  for (let read = 0; read < reads.operation.length; read += 1) {
    const reader = reads.operation.get(read)
    const write = values.write(reads.value.get(read))
    if (write === undefined || !operations.isCommitted(reader)) continue
    const writer = writes.operation.get(write)
    if (!operations.isCommitted(writer)) continue
    if (writer !== latestWriter || reader !== latestReader) graph.add(writer, reader, writeRead)
    latestWriter = writer
    latestReader = reader
  }
}

function addWriteOrder({ orders, values, writes, operations }: HistoryIndex, graph: Graph): void {
  for (const order of orders) {
    let previous: number | undefined
    for (let position = 0; position < order.length; position += 1) {
      const write = values.write(order.valueAt(position))
      const writer = write === undefined ? undefined : writes.operation.get(write)
      if (writer === undefined || !operations.isCommitted(writer)) continue
      if (previous !== undefined) graph.add(previous, writer, writeOrder)
      previous = writer
    }
  }
}

/**
 * By one clock for all, or in each process for itself. Only what surely ended is before what began
 * later: an unknown outcome may come true at any time.
 *
 * A circle comes to a moment from an operation that read, or was written after another, and leaves
 * it for one that was read, or written before another: the moments lead past all the rest.
 */
function addTime({ events, operations }: HistoryIndex, graph: Graph, oneClock: boolean): void {
  const clockCount = oneClock ? 1 : operations.processCount
  let momentCount = operations.length
  /** By clock: the moment that has passed, and the one that operations still end in; -1 for none. */
  const passed = Column.filled(clockCount, -1)
  const open = Column.filled(clockCount, -1)
  const [leaves, isReached] = graph.ends()
  for (const event of events) {
    if (event.event === 'step' || !operations.isCommitted(event.id)) continue
    const clock = oneClock ? 0 : operations.process(event.id)
    let moment = open.get(clock)
    if (event.event === 'begin' && leaves[event.id] === 1) {
      if (moment >= 0) passed.set(clock, moment)
      open.set(clock, -1)
      if (passed.get(clock) >= 0) graph.add(passed.get(clock), event.id, time)
    } else if (event.event === 'end' && event.outcome === 'ok' && isReached[event.id] === 1) {
      if (moment < 0) {
        moment = momentCount
        momentCount += 1
        open.set(clock, moment)
        if (passed.get(clock) >= 0) graph.add(passed.get(clock), moment, time)
      }
      graph.add(event.id, moment, time)
    }
  }
}

/** How many edges of a component are tried as the start of its shortest circle. */
const startsMax = 16

/** Finds the circles over edges of `kinds` that have one of kind `needed`: one per component. */
function findCircles(
  { index, findings, narrator }: Judgement,
  graph: Graph,
  anomaly: Anomaly,
  kinds: number,
  needed: number,
): void {
  const components = graph.components(kinds)
  const starts = new Map<number, (readonly [from: number, to: number])[]>()
  for (let node = 0; node < index.operations.length; node += 1) {
    const end = graph.firstEdge(node + 1)
    for (let edge = graph.firstEdge(node); edge < end; edge += 1) {
      const target = graph.target(edge)
      const component = components[node]
      if (component === undefined || components[target] !== component) continue
      if (graph.kind(edge) !== needed) continue
      const found = starts.get(component) ?? []
      if (found.length < startsMax) found.push([node, target])
      starts.set(component, found)
    }
  }
  for (const [component, edges] of starts) {
    findings.add(anomaly, () => {
      const isInside = (node: number): boolean => components[node] === component
      const circle = edges
        .map(([from, to]) => [from, ...(graph.shortestPath(to, from, kinds, isInside) ?? [])])
        .reduce((best, other) => (other.length < best.length ? other : best))
        .slice(0, -1)
      const links = describeLinks(index, narrator, graph, circle, kinds)
      return narrator.story(
        links.map((link) => link.clause).join('; '),
        links.flatMap((link) => link.lines),
      )
    })
  }
}

/** One operation had to come before the next. */
interface Link {
  readonly clause: string
  readonly lines: readonly Line[]
}

function describeLinks(
  index: HistoryIndex,
  narrator: Narrator,
  graph: Graph,
  circle: readonly number[],
  kinds: number,
): Link[] {
  // Moments say nothing to a reader: what stands on both sides of them is ordered by time.
  const operations = circle.filter((node) => node < index.operations.length)
  return operations.map((from, place) => {
    const to = itemAt(operations, (place + 1) % operations.length)
    const kind = graph.kindBetween(from, to, kinds)
    if (kind === writeRead) return readLink(index, narrator, from, to)
    if (kind === writeOrder) return orderLink(index, narrator, from, to)
    return timeLink(index, narrator, from, to)
  })
}

function readLink(index: HistoryIndex, narrator: Narrator, from: number, to: number): Link {
  const { reads, writes, values } = index
  const read = findRead(index, (row) => {
    const write = values.write(reads.value.get(row))
    const isRead = reads.operation.get(row) === to
    return isRead && write !== undefined && writes.operation.get(write) === from
  })
  if (read === undefined) return { clause: '', lines: [] }
  const value = reads.value.get(read)
  return {
    clause: `${narrator.doer(to)} read ${narrator.valueOf(value)}, sent by ${narrator.doer(from)}`,
    lines: [...narrator.writeOf(value), narrator.read(read)],
  }
}

function orderLink(index: HistoryIndex, narrator: Narrator, from: number, to: number): Link {
  const { writes, values } = index
  const positions = new Map<string, number>()
  for (let write = 0; write < writes.value.length; write += 1) {
    if (writes.operation.get(write) !== from) continue
    const value = writes.value.get(write)
    positions.set(`${values.key(value)} ${values.lastPosition(value)}`, value)
  }
  for (let write = 0; write < writes.value.length; write += 1) {
    if (writes.operation.get(write) !== to) continue
    const value = writes.value.get(write)
    const before = positions.get(`${values.key(value)} ${values.firstPosition(value) - 1}`)
    if (before === undefined) continue
    return {
      clause: `${narrator.valueOf(before)} stands before ${narrator.valueOf(value)}`,
      lines: [...narrator.writeOf(before), ...narrator.write(write)],
    }
  }
  return { clause: `${narrator.doer(from)} wrote before ${narrator.doer(to)}`, lines: [] }
}

function timeLink(
  { operations }: HistoryIndex,
  narrator: Narrator,
  from: number,
  to: number,
): Link {
  const [earlier, later] = [from, to].map((operation) => {
    const { kind } = operations.start(operation)
    return `${kind} ${operation} of ${operations.processName(operation)}`
  })
  return {
    clause: `${earlier} had ended before ${later} began`,
    lines: [
      ...narrator.end(from, `${operations.start(from).kind} ${from}`),
      narrator.begin(to, `${operations.start(to).kind} ${to}`),
    ],
  }
}
