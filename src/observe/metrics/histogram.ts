import type { Log } from '../log.ts'
import type { Definition } from './definition.ts'
import { Children } from './family.ts'
import type { Family } from './family.ts'
import type { Labels, LabelSet } from './labels.ts'
import type { HistogramSeries } from './reading.ts'

/** Counts amounts, such as durations, by their size. */
export interface Histogram {
  /** What is below zero (a clock that stepped back) or not a number counts as 0. */
  observe(value: number): void
  readonly count: number
  readonly sum: number
}

export type HistogramFamily<Name extends string = never> = Family<Name, Histogram>

class Buckets implements Histogram {
  readonly labels: LabelSet
  readonly #ends: readonly number[]
  readonly #counts: Float64Array
  #sum = 0

  constructor(labels: LabelSet, ends: readonly number[]) {
    this.labels = labels
    this.#ends = ends
    this.#counts = new Float64Array(ends.length + 1)
  }

  get count(): number {
    return this.#counts.reduce((sum, count) => sum + count, 0)
  }

  get sum(): number {
    return this.#sum
  }

  observe(value: number): void {
    const amount = value > 0 ? value : 0
    const ends = this.#ends
    let bucket = 0
    // A walk is as fast as a search by halves for what is small, and most handlers are fast.
    while (bucket < ends.length && amount > (ends[bucket] as number)) bucket++
    this.#counts[bucket] = (this.#counts[bucket] as number) + 1
    this.#sum += amount
  }

  read(): HistogramSeries {
    let total = 0
    const counts = Array.from(this.#counts, (count) => (total += count))
    return { labels: this.labels, counts, sum: this.#sum }
  }
}

/** The family of histograms with the same buckets. */
export class BucketFamily implements Family<string, Histogram> {
  readonly definition: Definition
  readonly #children: Children<Buckets>

  constructor(definition: Definition, log: Log) {
    this.definition = definition
    this.#children = new Children(
      definition,
      log,
      (labels) => new Buckets(labels, definition.buckets),
    )
  }

  get name(): string {
    return this.definition.name
  }

  with(labels?: Labels<string>): Histogram {
    return this.#children.with(labels)
  }

  remove(labels?: Labels<string>): void {
    this.#children.remove(labels)
  }

  read(): readonly HistogramSeries[] {
    return Array.from(this.#children, (child) => child.read())
  }
}
