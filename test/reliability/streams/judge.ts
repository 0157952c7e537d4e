import { deadLetterTopicName, poisonTopicName } from '../../../src/contract/index.ts'
import type { TopicContract } from '../../../src/contract/index.ts'
import { joinOracle } from '../../../src/stream/fixture/join-oracle.ts'
import type {
  LoggedEvent,
  OracleAnswer,
  OracleHappening,
} from '../../../src/stream/fixture/join-oracle.ts'
import { readTimeRecord, timeKey } from '../../../src/stream/index.ts'
import type { TimeStep } from '../../../src/stream/index.ts'
import { eventIn, headerOf } from './found-records.ts'
import type { FoundRecord, FoundTopics } from './found-records.ts'
import {
  changelogName,
  inputsOf,
  leftOvers,
  notTotalled,
  orders,
  paid,
  paymentsOf,
  totals,
} from './shop-flow.ts'
import type { ShopOptions } from './shop-flow.ts'
import type { RecordKind } from './shop-records.ts'
import { totalsOf } from './totals-oracle.ts'
import type { OracleTotals } from './totals-oracle.ts'

export interface JudgeFacts {
  readonly shop: ShopOptions
  readonly partitions: number
  readonly found: FoundTopics
  /** Whether a record that the changelog takes is smaller than those that are called oversized. */
  readonly isChangelogSmall: boolean
  /** Whether no event comes later than the grace allows. */
  readonly isDisorderBelowGrace: boolean
}

/** What must be true of a task, by the rules alone. */
export interface TaskTruth {
  readonly steps: readonly TimeStep[]
  readonly join: OracleAnswer
  readonly totals: OracleTotals
}

/** Every topic that a judge wants to read. */
export function judgedTopics(shop: ShopOptions): string[] {
  return [...new Set([...writtenTopics(shop), ...sourceTopics(shop)])]
}

/** What the shop reads, and what it writes again under another key. */
export function sourceTopics(shop: ShopOptions): string[] {
  return [...new Set([orders.name, paymentsOf(shop).name, ...inputsOf(shop)])]
}

export function letterTopics(shop: ShopOptions): string[] {
  return [orders.name, paymentsOf(shop).name].flatMap((name) => [
    deadLetterTopicName(name),
    poisonTopicName(name),
  ])
}

function writtenTopics(shop: ShopOptions): string[] {
  const events = [paid, leftOvers, totals, notTotalled].map(({ name }) => name)
  return [...events, ...letterTopics(shop), changelogName]
}

/**
 * Judges a shop by what is committed alone: what each task took in which order lies in its changelog, and a naive join over the logs
 * says what must have come of it. Everything must be there exactly once, and nothing else.
 */
export class StreamJudge {
  readonly violations: string[] = []
  readonly figures: Record<string, number> = {}
  readonly truths: readonly TaskTruth[]
  readonly #facts: JudgeFacts

  constructor(facts: JudgeFacts) {
    this.#facts = facts
    this.truths = Array.from({ length: facts.partitions }, (_, task) => this.#truthOf(task))
  }

  judge(): readonly string[] {
    this.truths.forEach((truth, task) => {
      this.#checkTaken(task, truth)
      this.#checkPairs(task, truth)
      this.#checkTotals(task, truth)
      this.#checkLateness(task, truth)
      const { happened } = truth.join
      for (const what of ['matched', 'unmatched', 'late', 'too-large'] as const) {
        this.#count(what, happened.filter((each) => each.what === what).length)
      }
      this.#count('steps', truth.steps.length)
      this.#count('advances', truth.steps.filter((step) => 'advancedTo' in step).length)
    })
    this.#checkLeftOvers()
    this.#checkLetters()
    this.#checkRekeyed()
    return this.violations
  }

  #truthOf(task: number): TaskTruth {
    const { shop } = this.#facts
    const steps = this.#stepsOf(task)
    const isUnique = (side: string) => shop.unique === side || shop.unique === 'both'
    const join = joinOracle([this.#logOf(0, task), this.#logOf(1, task)], steps, {
      ...{ withinMs: shop.withinMs, graceMs: shop.graceMs },
      unique: [isUnique('left'), isUnique('right')],
      sourceCounts: [1, shop.isRekeyed ? this.#facts.partitions : 1],
    })
    return { steps, join, totals: totalsOf(join, shop) }
  }

  #stepsOf(task: number): TimeStep[] {
    let before = { joinTime: -1, highest: [] as readonly (readonly number[])[] }
    return this.#records(changelogName, task).flatMap(({ key, value, offset }) => {
      if (key?.toString('latin1') !== timeKey || value === null) return []
      const time = readTimeRecord(value)
      if (time === undefined) return []
      const isLower = time.highest.some((sources, input) =>
        sources.some((each, source) => each < (before.highest[input]?.[source] ?? -1)),
      )
      if (time.joinTime < before.joinTime || isLower) {
        this.#violated(`the time of task ${task} went back at ${offset} of its changelog`)
      }
      before = time
      return time.steps
    })
  }

  #logOf(side: 0 | 1, task: number): LoggedEvent[] {
    const { shop, found, isChangelogSmall } = this.#facts
    const topic = inputsOf(shop)[side]
    const contract = this.#contractOf(side)
    return (found.get(topic)?.[task] ?? []).map((record) => {
      const kind = headerOf(record, 'kind') as RecordKind
      const isRefused =
        kind === 'malformed' || kind === 'ahead' || (kind === 'keyless' && record.key === null)
      if (isRefused) return { id: `refused@${record.offset}`, key: '', time: 0, isRefused }
      const { id, timestamp, data } = eventIn(contract, record)
      const { cents } = data as { cents: number }
      const isCopy = side === 1 && shop.isRekeyed
      return {
        source: isCopy ? Number(headerOf(record, 'original-partition')) : 0,
        ...{ id, cents, key: String(record.key), time: timestamp, offset: record.offset },
        isTooLarge: kind === 'oversized' && isChangelogSmall,
      }
    })
  }

  #contractOf(side: 0 | 1): TopicContract {
    return side === 0 ? orders : paymentsOf(this.#facts.shop)
  }

  /** All that is in the logs was taken, and nothing twice: the journal is as long as they are. */
  #checkTaken(task: number, { join }: TaskTruth): void {
    for (const side of [0, 1] as const) {
      const length = this.#logOf(side, task).length
      const taken = join.taken[side]
      if (taken !== length) {
        this.#violated(`task ${task} took ${taken} of ${length} records of input ${side}`)
      }
    }
  }

  #checkPairs(task: number, { join }: TaskTruth): void {
    const isMatch = (pair: string) => !pair.includes('null')
    const written = this.#records(paid.name, task).map((record) => {
      const { left, right } = eventIn(paid, record).data as { left: string; right: string }
      return `${left}+${right}`
    })
    const expected = join.happened.flatMap((each) => this.#resultOf(each) ?? [])
    this.#same(`pairs of task ${task}`, written.filter(isMatch), expected.filter(isMatch))
    this.#same(`results of task ${task}`, written.toSorted(), expected.toSorted())
  }

  #resultOf(happening: OracleHappening): string | undefined {
    const { what, left, right } = happening
    const isAlone = what === 'unmatched' && this.#isResult(happening)
    return what === 'matched' || isAlone
      ? `${left?.id ?? 'null'}+${right?.id ?? 'null'}`
      : undefined
  }

  /** Whether an event without a match is a result all the same. */
  #isResult({ left }: OracleHappening): boolean {
    const { type } = this.#facts.shop
    return type === 'outer' || (type === 'left' && left !== undefined)
  }

  #checkTotals(task: number, { totals: expected }: TaskTruth): void {
    const written = this.#records(totals.name, task).map((record) => {
      const { start, cents } = eventIn(totals, record).data as { start: number; cents: number }
      return { key: String(record.key), start, cents }
    })
    const told = ({ key, start, cents }: (typeof written)[number]) => `${key}@${start}: ${cents}`
    const isUpdate = this.#facts.shop.emit === 'update'
    const wanted = isUpdate ? expected.updates : expected.closed
    this.#same(`totals of task ${task}`, written.map(told).sort(), [...wanted].sort())
    const late = this.#records(notTotalled.name, task).map((record) => {
      const { left, right } = eventIn(notTotalled, record).data as { left: string; right: string }
      return `${left}+${right}`
    })
    this.#same(`late for the table of task ${task}`, late.sort(), [...expected.late].sort())
    this.#count('totals', written.length)
    this.#count('late totals', late.length)
  }

  /** With disorder below the grace, and no input that was idle alone, nothing is late. */
  #checkLateness(task: number, { join, steps }: TaskTruth): void {
    const late = join.happened.filter(({ what }) => what === 'late')
    const isIdle = steps.some((step) => 'advancedTo' in step)
    if (!this.#facts.isDisorderBelowGrace || isIdle || late.length === 0) return
    this.#violated(`${late.length} are late in task ${task}, and none can be`)
  }

  #checkLeftOvers(): void {
    const { shop, partitions } = this.#facts
    const written = Array.from({ length: partitions }, (_, task) => task)
      .flatMap((task) => this.#records(leftOvers.name, task))
      .map((record) => {
        const { why, side, id } = eventIn(leftOvers, record).data as Record<string, string>
        return `${why} ${side} ${id}`
      })
    const expected = this.truths.flatMap(({ join }) =>
      join.happened.flatMap((each) => {
        const { what, left, right } = each
        const isLeftOver = what === 'late' || (what === 'unmatched' && !this.#isResult(each))
        if (shop.leftOvers !== 'events' || !isLeftOver) return []
        return `${what} ${left === undefined ? 'right' : 'left'} ${(left ?? right)?.id}`
      }),
    )
    this.#same('left-over events', written.sort(), expected.sort())
  }

  /** Each letter by where its record was read, and why it is one. */
  #checkLetters(): void {
    const { shop, found } = this.#facts
    const letters = letterTopics(shop)
      .flatMap((topic) => found.get(topic)?.flat() ?? [])
      .map((record) => {
        const told = (name: string) => headerOf(record, name) ?? '?'
        const place = `${told('source-topic')}-${told('source-partition')}@${told('source-offset')}`
        return `${place}: ${told('error-class')}`
      })
    const expected = [...this.#refused(), ...this.#lettered()]
    this.#count('letters', letters.length)
    this.#same('dead letters', letters.sort(), expected.sort())
  }

  #refused(): string[] {
    const { shop, found } = this.#facts
    const [, right] = inputsOf(shop)
    const sources = new Set([orders.name, paymentsOf(shop).name, right])
    return [...sources].flatMap((topic) =>
      (found.get(topic)?.flat() ?? []).flatMap((record) => {
        const kind = headerOf(record, 'kind')
        const isKeyless = kind === 'keyless' && record.key === null
        const isRead = shop.isRekeyed && topic !== orders.name && topic !== right
        const place = `${topic}-${record.partition}@${record.offset}`
        if (kind === 'malformed') return `${place}: DecodeError`
        return kind === 'ahead' || (isKeyless && !isRead) ? `${place}: StreamViolation` : []
      }),
    )
  }

  #lettered(): string[] {
    const { shop } = this.#facts
    const inputs = inputsOf(shop)
    return this.truths.flatMap(({ join }, task) =>
      join.happened.flatMap((each) => {
        const { what, left, right } = each
        const event = (left ?? right) as LoggedEvent & { readonly offset: number }
        const place = `${inputs[left === undefined ? 1 : 0]}-${task}@${event.offset}`
        if (what === 'too-large') return `${place}: Error`
        if (shop.leftOvers === 'events' || what === 'matched' || this.#isUsed(each)) return []
        return `${place}: ${what === 'late' ? 'LateRecord' : 'UnmatchedRecord'}`
      }),
    )
  }

  #isUsed(each: OracleHappening): boolean {
    return each.what === 'unmatched' && this.#isResult(each)
  }

  /** What is written again under another key is each record once. */
  #checkRekeyed(): void {
    const { shop, found } = this.#facts
    if (!shop.isRekeyed) return
    const [, byKey] = inputsOf(shop)
    const wanted = (found.get(paymentsOf(shop).name)?.flat() ?? []).flatMap((record) => {
      const kind = headerOf(record, 'kind')
      return kind === 'malformed' || kind === 'ahead' ? [] : `${record.partition}@${record.offset}`
    })
    const copies = (found.get(byKey)?.flat() ?? []).map((record) => {
      const told = (name: string) => headerOf(record, name) ?? '?'
      return `${told('original-partition')}@${told('original-offset')}`
    })
    this.#same('records under another key', copies.sort(), wanted.sort())
  }

  #records(topic: string, partition: number): readonly FoundRecord[] {
    return this.#facts.found.get(topic)?.[partition] ?? []
  }

  #same(what: string, found: readonly string[], expected: readonly string[]): void {
    const left = new Map<string, number>()
    for (const each of expected) left.set(each, (left.get(each) ?? 0) + 1)
    for (const each of found) left.set(each, (left.get(each) ?? 0) - 1)
    const differences = [...left].filter(([, count]) => count !== 0)
    for (const [each, count] of differences.slice(0, 10)) {
      this.#violated(
        `${what}: ${each} is ${count > 0 ? `missing ${count}` : `there ${-count}`} times`,
      )
    }
    if (differences.length > 0 || found.every((each, index) => each === expected[index])) return
    const at = found.findIndex((each, index) => each !== expected[index])
    this.#violated(`${what}: ${found[at]} is where ${expected[at]} must be (${at})`)
  }

  #count(what: string, times: number): void {
    this.figures[what] = (this.figures[what] ?? 0) + times
  }

  #violated(what: string): void {
    this.violations.push(what)
  }
}
