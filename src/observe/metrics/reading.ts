import type { MetricKind } from './definition.ts'
import type { LabelSet } from './labels.ts'

/** The value of a counter or gauge at a moment. */
export interface ValueSeries {
  readonly labels: LabelSet
  readonly value: number
}

/** What a histogram holds at a moment. */
export interface HistogramSeries {
  readonly labels: LabelSet
  /** How many were at most each of the ends; last, how many there were at all. */
  readonly counts: readonly number[]
  readonly sum: number
}

interface ReadingOf<Kind extends MetricKind, Series> {
  readonly kind: Kind
  readonly name: string
  readonly help: string
  readonly unit: string | undefined
  /** Ordered by their labels. */
  readonly series: readonly Series[]
}

/** A family and its values at a moment. */
export type FamilyReading =
  | ReadingOf<'counter' | 'gauge', ValueSeries>
  | (ReadingOf<'histogram', HistogramSeries> & { readonly buckets: readonly number[] })
