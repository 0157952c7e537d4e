import { OptionError } from '../../errors.ts'

export type MetricKind = 'counter' | 'gauge' | 'histogram'

/** What a family of metrics is. */
export interface MetricOptions<Name extends string = never> {
  /** Lower case words with `_` between them; the unit last, `_total` behind it if it is a counter. */
  readonly name: string
  /** One sentence for whoever reads the exposition. */
  readonly help: string
  /** The base unit at the end of the name, such as `seconds` or `bytes`. */
  readonly unit?: string
  /** @defaultValue none */
  readonly labels?: readonly Name[]
  /**
   * How many sets of label values have a child of their own.
   * @defaultValue that of the registry
   */
  readonly labelSetsMax?: number
}

export interface HistogramOptions<Name extends string = never> extends MetricOptions<Name> {
  /** The upper ends of the buckets, growing and above zero. One without an end is added. */
  readonly buckets: readonly number[]
}

/** A family with its options checked and complete. */
export interface Definition {
  readonly kind: MetricKind
  readonly name: string
  readonly help: string
  readonly unit: string | undefined
  readonly labels: readonly string[]
  readonly labelSetsMax: number
  /** Of histograms; else empty. */
  readonly buckets: readonly number[]
}

const namePattern = /^[a-zA-Z_][a-zA-Z0-9_]*$/

/**
 * What the formats put behind a name themselves. A gauge `sent_count` beside a histogram `sent` would be the
 * same series twice.
 */
const reservedEnding = /_(?:total|bucket|sum|count|created)$/

/** Checks what was given; names what is wrong. */
export function definitionOf(
  kind: MetricKind,
  options: MetricOptions<string> & { readonly buckets?: readonly number[] },
  labelSetsMaxAbsent: number,
): Definition {
  const { name, help, unit, labels = [], buckets = [], labelSetsMax = labelSetsMaxAbsent } = options
  checkName(kind, name)
  if (help.trim() === '') throw new OptionError(`${name}.help`, 'must say what is measured')
  if (unit !== undefined && !baseName(kind, name).endsWith(`_${unit}`)) {
    throw new OptionError(`${name}.unit`, `('${unit}') must be the end of the metric's name`)
  }
  for (const label of labels) checkLabel(name, label)
  if (new Set(labels).size !== labels.length) {
    throw new OptionError(`${name}.labels`, `(${labels.join(', ')}) must differ from each other`)
  }
  checkLabelSetsMax(`${name}.labelSetsMax`, labelSetsMax)
  if (kind === 'histogram') checkBuckets(name, buckets)
  return { kind, name, help, unit, labels: [...labels], labelSetsMax, buckets: [...buckets] }
}

/** The name of a family without what its kind puts behind it: unique in a registry. */
export function baseName(kind: MetricKind, name: string): string {
  return kind === 'counter' ? name.replace(/_total$/, '') : name
}

export function checkLabelSetsMax(option: string, value: number): void {
  if (Number.isSafeInteger(value) && value >= 1 && value <= 1_000_000) return
  throw new OptionError(option, `(${value}) must be a whole number from 1 to 1000000`)
}

function checkName(kind: MetricKind, name: string): void {
  if (!namePattern.test(name)) {
    throw new OptionError(
      `${kind}.name`,
      `('${name}') must be letters, digits and _, and not begin with a digit`,
    )
  }
  if (kind === 'counter' && !/._total$/.test(name)) {
    throw new OptionError('counter.name', `('${name}') must end in _total`)
  }
  if (reservedEnding.test(baseName(kind, name))) {
    throw new OptionError(
      `${kind}.name`,
      `('${name}') must not end in what the formats add to names: _total, _bucket, _sum, _count, _created`,
    )
  }
}

function checkLabel(metric: string, label: string): void {
  const reserved = label.startsWith('__') || label === 'le' || label === 'quantile'
  if (namePattern.test(label) && !reserved) return
  throw new OptionError(
    `${metric}.labels`,
    `('${label}') must be letters, digits and _, not begin with a digit or __, and not be le or quantile`,
  )
}

function checkBuckets(name: string, buckets: readonly number[]): void {
  const growing = buckets.every((end, i) => end > (buckets[i - 1] ?? 0) && end < Infinity)
  if (buckets.length > 0 && growing) return
  throw new OptionError(
    `${name}.buckets`,
    `(${buckets.join(', ')}) must be growing numbers above zero`,
  )
}
