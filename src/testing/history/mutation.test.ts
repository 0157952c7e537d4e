import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { checkHistory } from './check.ts'
import { generateHistory } from './reference/generate-history.ts'
import type { Anomaly } from './anomaly.ts'
import type {
  BeginEvent,
  EndEvent,
  History,
  HistoryEvent,
  OperationKind,
  Value,
} from './operation.ts'

/** A copy of a recorded history, to be changed by hand. */
type Mutable<Part> = Part extends object
  ? { -readonly [Name in keyof Part]: Mutable<Part[Name]> }
  : Part
type Events = Mutable<HistoryEvent>[]

interface Reads {
  topic: string
  partition: number
  offsets: number[]
  values: Value[]
}

interface Operation<K extends OperationKind> {
  readonly begin: Mutable<BeginEvent<K>>
  readonly end: Mutable<EndEvent>
}

interface Mutation {
  readonly found: Anomaly
  /** What may follow from it, depending on who else saw what. */
  readonly also: readonly Anomaly[]
  /** Breaks the promise; answers false when the history gives no occasion. */
  readonly mutate: (events: Events) => boolean
}

/** The operations of a kind that ended, in order of their beginnings. */
function ended<K extends OperationKind>(events: Events, kind: K): Operation<K>[] {
  const ends = new Map<number, Mutable<EndEvent>>()
  for (const event of events) if (event.event === 'end') ends.set(event.id, event)
  return events.flatMap((event) => {
    if (event.event !== 'begin' || event.kind !== kind) return []
    const end = ends.get(event.id)
    return end === undefined ? [] : [{ begin: event as Mutable<BeginEvent<K>>, end }]
  })
}

function succeeded<K extends OperationKind>(events: Events, kind: K): Operation<K>[] {
  return ended(events, kind).filter(({ end }) => end.outcome === 'ok')
}

function readsOf(events: Events): Reads[] {
  return events.flatMap((event) => ('reads' in event ? ((event.reads ?? []) as Reads[]) : []))
}

/** What was read before the final phase. */
function earlierReads(events: Events): Reads[] {
  const final = events.findIndex((event) => event.event === 'begin' && event.kind === 'final')
  return readsOf(events.slice(0, final))
}

/** What the final reader was given of one topic-partition, poll by poll. */
function finalReads(events: Events): Reads[] {
  const polls = succeeded(events, 'poll').filter(({ begin }) => begin.process === 'final-reader')
  const reads = readsOf(polls.map(({ end }) => end))
  const first = reads[0]
  return reads.filter((read) => read.topic === first?.topic && read.partition === first.partition)
}

function findRead(events: Events, { topic, partition, value }: SentRecord): Reads | undefined {
  return readsOf(events).find(
    (read) => read.topic === topic && read.partition === partition && read.values.includes(value),
  )
}

type SentRecord = Pick<BeginEvent<'send'>, 'topic' | 'partition' | 'value'>

/** A record more at the end of what the final reader read. */
function addToFinal(events: Events, value: Value): boolean {
  const last = finalReads(events).at(-1)
  if (last === undefined) return false
  last.values.push(value)
  last.offsets.push((last.offsets.at(-1) ?? 0) + 1)
  return true
}

function remove(read: Reads, place: number): boolean {
  if (place < 0) return false
  read.offsets.splice(place, 1)
  read.values.splice(place, 1)
  return true
}

/** Moves an event behind another. */
function moveBehind(events: Events, moved: Events[number], target: Events[number]): boolean {
  const [from, to] = [moved, target].map((event) => events.findIndex((other) => other === event))
  if (from === undefined || to === undefined || from >= to) return false
  const [event] = events.splice(from, 1)
  if (event !== undefined) events.splice(to, 0, event)
  return true
}

const mutations: Record<string, Mutation> = {
  'an acknowledged record is in no read': {
    found: 'unseen',
    also: ['lost-write', 'poll-skip', 'internal-poll-skip'],
    mutate(events) {
      const send = succeeded(events, 'send').find(({ begin }) => findRead(events, begin))?.begin
      if (send === undefined) return false
      for (;;) {
        const read = findRead(events, send)
        if (read === undefined) return true
        remove(read, read.values.indexOf(send.value))
      }
    },
  },
  'a record is missing from the final reads': {
    found: 'vanished',
    also: ['internal-poll-skip', 'poll-skip'],
    mutate(events) {
      const earlier = new Set(earlierReads(events).flatMap((read) => read.values))
      return finalReads(events).some((read) =>
        remove(
          read,
          read.values.findIndex((value) => earlier.has(value)),
        ),
      )
    },
  },
  'a record in the middle of a poll is missing': {
    found: 'internal-poll-skip',
    also: ['vanished', 'unseen', 'lost-write'],
    mutate(events) {
      const read = finalReads(events).find(({ values }) => values.length > 2)
      return read !== undefined && remove(read, 1)
    },
  },
  'a poll returns two records the other way round': {
    found: 'internal-nonmonotonic-poll',
    also: ['internal-poll-skip', 'poll-skip', 'nonmonotonic-poll'],
    mutate(events) {
      const read = finalReads(events).find(({ values }) => values.length > 1)
      read?.values.reverse()
      read?.offsets.reverse()
      return read !== undefined
    },
  },
  'a poll starts with what the poll before it ended with': {
    found: 'nonmonotonic-poll',
    also: [],
    mutate(events) {
      const [first, second] = finalReads(events)
      const [value, offset] = [first?.values.at(-1), first?.offsets.at(-1)]
      if (value === undefined || offset === undefined || second === undefined) return false
      second.values.unshift(value)
      second.offsets.unshift(offset)
      return true
    },
  },
  'a poll starts with the record after the next': {
    found: 'poll-skip',
    also: ['vanished', 'unseen', 'lost-write'],
    mutate(events) {
      const [, second] = finalReads(events)
      return second !== undefined && second.values.length > 1 && remove(second, 0)
    },
  },
  'a record stands at a second offset': {
    found: 'duplicate',
    also: [],
    mutate: (events) => addToFinal(events, finalReads(events)[0]?.values[0] ?? ''),
  },
  'two records of one read have changed places': {
    found: 'inconsistent-offsets',
    also: ['duplicate', 'nonmonotonic-send', 'internal-nonmonotonic-send'],
    mutate(events) {
      const earlier = new Set(earlierReads(events).flatMap((read) => read.values))
      const read = finalReads(events).find(({ values }) => earlier.has(values[0] ?? ''))
      const [first, second] = read?.values ?? []
      if (first === undefined || second === undefined) return false
      read?.values.splice(0, 2, second, first)
      return true
    },
  },
  'a read returns a record whose send failed': {
    found: 'aborted-read',
    also: [],
    mutate(events) {
      const [read] = finalReads(events)
      const send = ended(events, 'send').find(
        ({ begin, end }) =>
          end.outcome === 'failed' &&
          begin.topic === read?.topic &&
          begin.partition === read.partition,
      )
      return send !== undefined && addToFinal(events, send.begin.value)
    },
  },
  'a send that was read is said to have failed': {
    found: 'aborted-read',
    also: [],
    mutate(events) {
      const send = succeeded(events, 'send').find(({ begin }) => findRead(events, begin))
      if (send !== undefined) send.end.outcome = 'failed'
      return send !== undefined
    },
  },
  'a read returns what nobody sent': {
    found: 'phantom-read',
    also: [],
    mutate: (events) => addToFinal(events, 'from nowhere'),
  },
  'a transaction reads its own record': {
    found: 'precommitted-read',
    also: ['poll-skip', 'nonmonotonic-poll', 'internal-poll-skip', 'internal-nonmonotonic-poll'],
    mutate(events) {
      for (const { end } of succeeded(events, 'transaction')) {
        const send = events.find((event) => event.id === end.id && event.event === 'step')
        if (send?.event !== 'step' || send.step !== 'send') continue
        const { id, atMs, topic, partition, value } = send
        const seen = findRead(events, send)
        const offset = seen?.offsets[seen.values.indexOf(value)] ?? 0
        const reads = [{ topic, partition, offsets: [offset], values: [value] }]
        events.splice(events.indexOf(end), 0, { event: 'step', id, atMs, step: 'poll', reads })
        return true
      }
      return false
    },
  },
  'a process sent two records in the other order': {
    found: 'nonmonotonic-send',
    also: ['information-cycle'],
    mutate(events) {
      const sends = succeeded(events, 'send').filter(
        ({ begin }) => begin.process === 'producer-1' && begin.partition === 0,
      )
      const crash = events.findIndex(
        (event) =>
          event.event === 'begin' && event.kind === 'crash' && event.process === 'producer-1',
      )
      const before = sends.filter(({ end }) => crash < 0 || events.indexOf(end) < crash)
      const [first, second] = before.filter(({ begin }) => findRead(events, begin))
      if (first === undefined || second === undefined) return false
      const { value } = first.begin
      first.begin.value = second.begin.value
      second.begin.value = value
      for (const { end } of [first, second]) delete end.offset
      return true
    },
  },
  'a record is read before it is sent': {
    found: 'information-cycle',
    also: ['nonmonotonic-send'],
    mutate(events) {
      const read = earlierReads(events).find((one) => one.values.length > 0)
      const value = read?.values[0]
      const send = succeeded(events, 'send').find(({ begin }) => begin.value === value)
      const end = events.find(
        (event) => event.event === 'end' && event.reads?.includes(read as Reads),
      )
      if (send === undefined || end?.event !== 'end' || end.outcome !== 'ok') return false
      // Both its beginning and its end, so that the operation itself stays in order.
      return moveBehind(events, send.begin, end) && moveBehind(events, send.end, send.begin)
    },
  },
  'a commit goes past records that were not handled': {
    found: 'commit-past-unended',
    also: ['commit-decreased'],
    mutate(events) {
      const runs = succeeded(events, 'handler').map(({ begin }) => begin)
      const last = runs.findLast(({ key }) => key !== null)
      const first = runs.find(({ partition }) => partition === last?.partition)
      if (first === undefined || last === undefined) return false
      const between = events.slice(events.indexOf(first), events.indexOf(last))
      const commit = succeeded(between, 'commit').find(
        ({ begin }) => begin.offsets[0]?.partition === last.partition,
      )?.begin.offsets[0]
      if (commit === undefined) return false
      commit.offset = Math.max(commit.offset, last.offset + 1)
      return true
    },
  },
  'a commit goes back': {
    found: 'commit-decreased',
    also: [],
    mutate(events) {
      const commits = succeeded(events, 'commit').map(({ begin }) => begin.offsets[0])
      const last = commits.findLast((commit) => (commit?.offset ?? 0) > 0)
      const before = commits.filter((commit) => commit?.partition === last?.partition)
      if (last === undefined || before.indexOf(last) < 1) return false
      if ((before[before.indexOf(last) - 1]?.offset ?? 0) === 0) return false
      last.offset = 0
      return true
    },
  },
  'a handler ends only after the next of its key has begun': {
    found: 'overlapping-handlers',
    also: ['handler-out-of-order', 'commit-past-unended'],
    mutate(events) {
      const runs = ended(events, 'handler')
      for (const [place, first] of runs.entries()) {
        const { key, topic, partition } = first.begin
        const next = runs
          .slice(place + 1)
          .find(
            ({ begin }) =>
              begin.key === key && begin.topic === topic && begin.partition === partition,
          )
        if (key === null || next === undefined) continue
        return moveBehind(events, first.end, next.begin)
      }
      return false
    },
  },
}

/** Every mutation is tried on the same histories: to make them takes longer than to check them. */
const histories = new Map<number, History>()

function historyOf(seed: number): History {
  const known = histories.get(seed)
  if (known !== undefined) return known
  const history = generateHistory({ seed, turnCount: 2500, logCount: 2, memberCount: 3 })
  histories.set(seed, history)
  return history
}

describe('a valid history, changed so that', () => {
  for (const [name, { found, also, mutate }] of Object.entries(mutations)) {
    it(`${name}: ${found}`, () => {
      let occasions = 0
      fc.assert(
        fc.property(fc.nat(), (seed) => {
          const events = structuredClone(historyOf(seed).events) as Events
          if (!mutate(events)) return
          occasions += 1
          const report = checkHistory({ events: renumber(events) }, { rebalancesRecorded: true })
          const seen = report.violations.map(({ anomaly }) => anomaly)
          expect(seen, report.toString()).toContain(found)
          expect([found, ...also]).toEqual(expect.arrayContaining(seen))
        }),
        { seed: 7, numRuns: 20 },
      )
      expect(occasions).toBeGreaterThan(5)
    })
  }
})

/** Operations are numbered in the order of their beginnings, and time goes with the events. */
function renumber(events: Events): HistoryEvent[] {
  const numbers = new Map<number, number>()
  for (const event of events) if (event.event === 'begin') numbers.set(event.id, numbers.size)
  return events.map((event, atMs) => ({ ...event, id: numbers.get(event.id) ?? -1, atMs }))
}
