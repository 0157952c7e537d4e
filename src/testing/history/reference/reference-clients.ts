import { ReferenceTransaction } from './reference-log.ts'
import type { ReferenceLog } from './reference-log.ts'
import type { Actor, ReferenceWorld } from './reference-world.ts'
import type { PolledRecord } from '../operation.ts'
import type { RunningTransaction } from '../record.ts'

const refused = new Error('the broker refused')
const timedOut = new Error('no answer in time')

/** Sends one record after the other, and does not always learn what became of it. */
export function* produce(world: ReferenceWorld, process: string): Actor {
  const { history } = world
  while (!world.stopping) {
    const log = world.pick(world.logs)
    const value = world.nextValue()
    const send = history.begin({ process, kind: 'send', ...log.at, value })
    yield
    const fate = world.integer(20)
    if (fate === 0) {
      if (world.shows('says failed and commits', 0.5)) log.append(value)
      send.failed(refused)
    } else if (fate === 1) {
      const isWritten = world.chance(0.5)
      const isLate = world.chance(0.5)
      if (isWritten && !isLate) log.append(value)
      send.unknown(timedOut)
      yield
      // An idempotent producer has settled it before it sends anything else.
      if (isWritten && isLate) log.append(value)
    } else if (fate === 2) {
      if (world.chance(0.5)) log.append(value)
      yield* crash(world, process)
    } else {
      const offset = log.append(value)
      if (world.shows('appends twice')) log.append(value)
      yield
      if (world.shows('acknowledges and loses')) log.lose(offset)
      send.ok({ offset: world.chance(0.1) ? undefined : offset })
    }
    yield
  }
}

/** Sends several records at once; they stand in the log in the order of the calls. */
export function* produceAhead(world: ReferenceWorld, process: string): Actor {
  while (!world.stopping) {
    const log = world.pick(world.logs)
    const sends = []
    for (let count = 1 + world.integer(4); count > 0; count -= 1) {
      const value = world.nextValue()
      const operation = world.history.begin({ process, kind: 'send', ...log.at, value })
      sends.push({ value, operation })
      yield
    }
    if (world.shows('appends in another order')) sends.reverse()
    const answers = []
    for (const { value, operation } of sends) {
      answers.push({ operation, offset: log.append(value) })
      yield
    }
    while (answers.length > 0) {
      const [answer] = answers.splice(world.integer(answers.length), 1)
      answer?.operation.ok({ offset: answer.offset })
      yield
    }
  }
}

/** The process is killed; it starts anew under the same name a while later. */
function* crash(world: ReferenceWorld, process: string): Actor {
  const kill = world.history.begin({ process, kind: 'crash' })
  yield
  kill.ok()
  yield
}

/** Where a process reads on, by topic-partition. */
type Positions = Map<ReferenceLog, number>

function readFrom(world: ReferenceWorld, positions: Positions, log: ReferenceLog): PolledRecord[] {
  let position = positions.get(log) ?? 0
  const step = log.read(position, 1)
  if (step.records.length === 1 && world.shows('skips a record', 0.05)) position = step.next
  if (position > 0 && world.shows('reads a record again', 0.05)) position -= 1
  const { records, next } = log.read(position, 1 + world.integer(5), {
    aborted: world.shows('reads aborted records', 0.5),
    open: world.shows('reads open transactions', 0.5),
  })
  positions.set(log, next)
  const last = records.at(-1)
  const first = records[0]
  if (first !== undefined && last !== undefined && world.shows('answers another value', 0.05)) {
    if (first !== last) return [{ ...first, value: last.value }, ...records.slice(1)]
  }
  return records
}

/** Reads what it was told to, and is told something else now and then. */
export function* readAssigned(world: ReferenceWorld, process: string): Actor {
  const { history } = world
  let positions: Positions = new Map()
  while (!world.stopping) {
    if (positions.size === 0 || world.chance(1 / 64)) {
      const assigned = world.logs.filter(() => world.chance(0.7))
      positions = new Map(assigned.map((log) => [log, positions.get(log) ?? startOf(world, log)]))
      history.note({ process, kind: 'assign', partitions: assigned.map((log) => log.at) })
    }
    if (positions.size > 0 && world.chance(1 / 64)) {
      const log = world.pick([...positions.keys()])
      const offset = startOf(world, log)
      positions.set(log, offset)
      history.note({ process, kind: 'seek', offsets: [{ ...log.at, offset }] })
    }
    if (world.chance(1 / 100)) {
      positions = new Map()
      yield* crash(world, process)
    }
    yield* poll(world, process, positions)
  }
}

/** Not far from the end, so that a long history is not mostly one of reading the same again. */
function startOf(world: ReferenceWorld, log: ReferenceLog): number {
  return Math.max(0, log.end - world.integer(60))
}

function* poll(world: ReferenceWorld, process: string, positions: Positions): Actor {
  const operation = world.history.begin({ process, kind: 'poll' })
  yield
  const before = new Map(positions)
  const records = [...positions.keys()].flatMap((log) => readFrom(world, positions, log))
  yield
  const fate = world.integer(50)
  if (fate > 1) {
    operation.ok({ records })
    return
  }
  // What it was handed is in the history all the same. After a failure it reads that again; after
  // an unknown outcome it may or may not.
  if (fate === 0) operation.failed(refused, { records })
  else operation.unknown(timedOut, { records })
  if (fate === 0 || world.chance(0.5)) {
    for (const [log, position] of before) positions.set(log, position)
  }
}

/** Reads and writes in transactions, some of which are aborted or end in doubt. */
export function* transact(world: ReferenceWorld, process: string): Actor {
  /** Where the process' group is, as its transactions committed it. */
  let committed: Positions = new Map(world.logs.map((log) => [log, 0]))
  let positions: Positions = new Map(committed)
  while (!world.stopping) {
    const operation = world.history.begin({ process, kind: 'transaction' })
    const transaction = new ReferenceTransaction()
    yield
    yield* takeSteps(world, operation, transaction, positions)
    const moved = [...positions].filter(([log, offset]) => committed.get(log) !== offset)
    const offsets = moved.map(([log, offset]) => ({ ...log.at, offset }))
    if (offsets.length > 0) operation.offsets(`group of ${process}`, offsets)
    yield
    const fate = world.integer(10)
    if (fate <= 5) {
      transaction.settle(world.shows('says committed and aborts') ? 'aborted' : 'committed')
      committed = new Map(positions)
      yield
      operation.ok()
    } else if (fate <= 7) {
      transaction.settle(world.shows('says failed and commits') ? 'committed' : 'aborted')
      yield
      operation.failed(new Error('aborted on purpose'))
      if (!world.shows('keeps its position after an abort', 0.5)) positions = new Map(committed)
    } else {
      world.start(settleLater(world, transaction))
      if (world.chance(0.5)) operation.unknown(timedOut)
      yield* crash(world, process)
      // The coordinator settles what the process before it left, before it lets it begin.
      while (transaction.outcome === 'open') yield
      if (transaction.outcome === 'committed') committed = new Map(positions)
      positions = new Map(committed)
    }
    yield
  }
}

function* takeSteps(
  world: ReferenceWorld,
  operation: RunningTransaction,
  transaction: ReferenceTransaction,
  positions: Positions,
): Actor {
  for (let steps = 1 + world.integer(4); steps > 0; steps -= 1) {
    const log = world.pick(world.logs)
    if (world.chance(0.5)) {
      const value = world.nextValue()
      const send = operation.send({ ...log.at, value })
      yield
      const offset = log.append(value, transaction)
      yield
      if (world.chance(0.9)) send.acknowledged(offset)
    } else {
      operation.polled(readInside(world, positions, log, transaction))
    }
    yield
  }
}

function readInside(
  world: ReferenceWorld,
  positions: Positions,
  log: ReferenceLog,
  transaction: ReferenceTransaction,
): PolledRecord[] {
  if (!world.shows('reads its own open transaction', 0.5)) return readFrom(world, positions, log)
  const { records, next } = log.read(positions.get(log) ?? 0, 5, { open: transaction })
  positions.set(log, next)
  return records
}

function* settleLater(world: ReferenceWorld, transaction: ReferenceTransaction): Actor {
  for (let turns = world.integer(10); turns > 0; turns -= 1) yield
  transaction.settle(world.chance(0.5) ? 'committed' : 'aborted')
}

/** The final phase: a fresh process reads everything, from the beginning to the end. */
export function* readEverything(world: ReferenceWorld, process: string): Actor {
  const { history, logs } = world
  history.note({ process, kind: 'final' })
  history.note({ process, kind: 'assign', partitions: logs.map((log) => log.at) })
  if (world.defect === 'forgets at the end') logs[0]?.lose(logs[0].end - 2)
  const positions: Positions = new Map(logs.map((log) => [log, 0]))
  const isBehind = (log: ReferenceLog): boolean => (positions.get(log) ?? 0) < log.stableEnd
  while (logs.some(isBehind)) {
    const operation = history.begin({ process, kind: 'poll' })
    yield
    const records = logs.filter(isBehind).flatMap((log) => {
      const { records: found, next } = log.read(positions.get(log) ?? 0, 50)
      positions.set(log, next)
      return found
    })
    operation.ok({ records })
    yield
  }
}
