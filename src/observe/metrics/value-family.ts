import type { Log } from '../log.ts'
import type { Definition } from './definition.ts'
import { Children } from './family.ts'
import type { ObservedFamily, Report } from './family.ts'
import { labelSetOf, overflowLabels } from './labels.ts'
import type { Labels, LabelSet } from './labels.ts'
import type { ValueSeries } from './reading.ts'

/** Counts what happened. It only grows, and starts at 0 with the process. */
export interface Counter {
  /** `amount` is 0 or more: nobody checks, as this is called for each record. */
  add(amount: number): void
  readonly value: number
}

/** A value that goes up and down. */
export interface Gauge {
  set(value: number): void
  /** `amount` may be below zero. */
  add(amount: number): void
  readonly value: number
}

export type CounterFamily<Name extends string = never> = ObservedFamily<Name, Counter>
export type GaugeFamily<Name extends string = never> = ObservedFamily<Name, Gauge>

/** A counter as well as a gauge: a number. What a family hands out says which of it may be used. */
class Value implements Counter, Gauge {
  readonly labels: LabelSet
  #value = 0

  constructor(labels: LabelSet) {
    this.labels = labels
  }

  get value(): number {
    return this.#value
  }

  add(amount: number): void {
    this.#value += amount
  }

  set(value: number): void {
    this.#value = value
  }
}

type Observer = (report: Report<string>) => void

/** The family of counters and of gauges. */
export class ValueFamily implements ObservedFamily<string, Counter & Gauge> {
  readonly definition: Definition
  readonly #children: Children<Value>
  readonly #observers = new Set<Observer>()
  readonly #log: Log
  #failureTold = false

  constructor(definition: Definition, log: Log) {
    this.definition = definition
    this.#log = log
    this.#children = new Children(definition, log, (labels) => new Value(labels))
  }

  get name(): string {
    return this.definition.name
  }

  with(labels?: Labels<string>): Counter & Gauge {
    return this.#children.with(labels)
  }

  remove(labels?: Labels<string>): void {
    this.#children.remove(labels)
  }

  observe(read: Observer): () => void {
    const observer: Observer = (report) => read(report)
    this.#observers.add(observer)
    return () => this.#observers.delete(observer)
  }

  read(): readonly ValueSeries[] {
    const series = new Map<string, ValueSeries>()
    for (const { labels, value } of this.#children) series.set(labels.text, { labels, value })
    for (const observer of this.#observers) {
      for (const reported of this.#reportedBy(observer)) this.#addUp(series, reported)
    }
    return [...series.values()]
  }

  /** All that an observer reports, or nothing when it fails: half of it would look like the whole. */
  #reportedBy(observer: Observer): readonly ValueSeries[] {
    const { name, labels: names } = this.definition
    const reported: ValueSeries[] = []
    try {
      observer((...report: readonly unknown[]) => {
        const value = report.at(-1) as number
        const given = (report.length > 1 ? report[0] : {}) as Labels<string>
        reported.push({ labels: labelSetOf(name, names, given), value })
      })
      return reported
    } catch (error) {
      if (!this.#failureTold) {
        this.#log('warn', 'a metric could not be read: what computes it threw an error', {
          metric: name,
          error: error instanceof Error ? error.message : String(error),
        })
      }
      this.#failureTold = true
      return []
    }
  }

  #addUp(series: Map<string, ValueSeries>, { labels, value }: ValueSeries): void {
    const isKnown = series.has(labels.text)
    const place =
      isKnown || this.#children.hasRoom(series.size)
        ? labels
        : overflowLabels(this.definition.labels)
    const before = series.get(place.text)?.value ?? 0
    series.set(place.text, { labels: place, value: before + value })
  }
}
