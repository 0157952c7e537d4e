import { OptionError } from '../../errors.ts'
import { silentLog } from '../log.ts'
import type { Log } from '../log.ts'
import { baseName, checkLabelSetsMax, definitionOf } from './definition.ts'
import type { Definition, HistogramOptions, MetricOptions } from './definition.ts'
import { exposition } from './exposition.ts'
import type { ExpositionFormat } from './exposition.ts'
import { BucketFamily } from './histogram.ts'
import type { HistogramFamily } from './histogram.ts'
import type { LabelSet } from './labels.ts'
import type { FamilyReading } from './reading.ts'
import { ValueFamily } from './value-family.ts'
import type { CounterFamily, GaugeFamily } from './value-family.ts'

export interface MetricsOptions {
  /**
   * How many sets of label values of a family have a child of their own.
   * @defaultValue 1000
   */
  readonly labelSetsMax?: number
  /** Told once of each family that has too many label values, or cannot be read. */
  readonly log?: Log
}

/**
 * The metrics of a service. Asked again for a family that it has, it answers the same one; what differs from
 * it in anything but the help is refused.
 */
export interface Metrics {
  counter<const Name extends string = never>(options: MetricOptions<Name>): CounterFamily<Name>
  gauge<const Name extends string = never>(options: MetricOptions<Name>): GaugeFamily<Name>
  histogram<const Name extends string = never>(
    options: HistogramOptions<Name>,
  ): HistogramFamily<Name>
  /** All families and their values, in the order of their names. */
  read(): readonly FamilyReading[]
  /** All of it as text for a scraper. */
  expose(format?: ExpositionFormat): string
}

/**
 * A registry of metrics.
 *
 * @example
 * const metrics = createMetrics()
 * const sent = metrics.counter({ name: 'mails_sent_total', help: 'Mails sent.', labels: ['kind'] })
 * const invoices = sent.with({ kind: 'invoice' })
 * invoices.add(1)
 */
export function createMetrics(options: MetricsOptions = {}): Metrics {
  const { labelSetsMax = 1_000, log = silentLog } = options
  checkLabelSetsMax('labelSetsMax', labelSetsMax)
  return new Registry(labelSetsMax, log)
}

type AnyFamily = ValueFamily | BucketFamily

class Registry implements Metrics {
  readonly #labelSetsMax: number
  readonly #log: Log
  /** By their names without endings, so that no two have the same in one of the formats. */
  readonly #families = new Map<string, AnyFamily>()

  constructor(labelSetsMax: number, log: Log) {
    this.#labelSetsMax = labelSetsMax
    this.#log = log
  }

  counter<const Name extends string = never>(options: MetricOptions<Name>): CounterFamily<Name> {
    return this.#valueFamily(definitionOf('counter', options, this.#labelSetsMax))
  }

  gauge<const Name extends string = never>(options: MetricOptions<Name>): GaugeFamily<Name> {
    return this.#valueFamily(definitionOf('gauge', options, this.#labelSetsMax))
  }

  histogram<const Name extends string = never>(
    options: HistogramOptions<Name>,
  ): HistogramFamily<Name> {
    const definition = definitionOf('histogram', options, this.#labelSetsMax)
    const family = this.#known(definition) ?? new BucketFamily(definition, this.#log)
    return this.#keep(family) as HistogramFamily<Name>
  }

  read(): readonly FamilyReading[] {
    return [...this.#families.values()].sort(byText(({ name }) => name)).map(readingOf)
  }

  expose(format: ExpositionFormat = 'text'): string {
    return exposition(this.read(), format)
  }

  #valueFamily<Name extends string>(
    definition: Definition,
  ): CounterFamily<Name> & GaugeFamily<Name> {
    const family = this.#known(definition) ?? new ValueFamily(definition, this.#log)
    return this.#keep(family) as unknown as CounterFamily<Name> & GaugeFamily<Name>
  }

  #known(definition: Definition): AnyFamily | undefined {
    const known = this.#families.get(baseName(definition.kind, definition.name))
    if (known === undefined || sameShape(known.definition, definition)) return known
    throw new OptionError(
      `${definition.kind}.name`,
      `('${definition.name}') is taken by the ${described(known.definition)}; ` +
        `this is the ${described(definition)}`,
    )
  }

  #keep<Family extends AnyFamily>(family: Family): Family {
    const { kind, name } = family.definition
    this.#families.set(baseName(kind, name), family)
    return family
  }
}

function readingOf(family: AnyFamily): FamilyReading {
  const { kind, name, help, unit, buckets } = family.definition
  const byLabels = byText(({ labels }: { readonly labels: LabelSet }) => labels.text)
  if (family instanceof BucketFamily) {
    const series = [...family.read()].sort(byLabels)
    return { kind: 'histogram', name, help, unit, buckets, series }
  }
  const series = [...family.read()].sort(byLabels)
  return { kind: kind === 'counter' ? 'counter' : 'gauge', name, help, unit, series }
}

/** By code units: the same order wherever it runs. */
function byText<Item>(textOf: (item: Item) => string): (a: Item, b: Item) => number {
  return (a, b) => {
    const [first, second] = [textOf(a), textOf(b)]
    return first < second ? -1 : Number(first > second)
  }
}

function described({ kind, name, labels, buckets }: Definition): string {
  const ends = buckets.length === 0 ? '' : ` with buckets to ${buckets.join(', ')}`
  return `${kind} ${name}{${labels.join(',')}}${ends}`
}

function sameShape(a: Definition, b: Definition): boolean {
  return described(a) === described(b) && a.unit === b.unit
}
