import { baseName } from './definition.ts'
import type { LabelSet } from './labels.ts'
import type { FamilyReading, HistogramSeries, ValueSeries } from './reading.ts'

/** The two formats that Prometheus and what is compatible with it read. */
export type ExpositionFormat = 'text' | 'openmetrics'

/** What an HTTP response with each format says that it is. */
export const expositionContentTypes = {
  text: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
} as const satisfies Record<ExpositionFormat, string>

/** Families as text: Prometheus' format 0.0.4, or OpenMetrics 1.0. */
export function exposition(families: readonly FamilyReading[], format: ExpositionFormat): string {
  const lines = families.flatMap((family) => familyLines(family, format))
  if (format === 'openmetrics') lines.push('# EOF')
  return lines.map((line) => `${line}\n`).join('')
}

function familyLines(family: FamilyReading, format: ExpositionFormat): string[] {
  const { kind, name, help, unit } = family
  // OpenMetrics names the family of a counter without the ending of its one sample.
  const familyName = format === 'openmetrics' ? baseName(kind, name) : name
  const lines = [`# HELP ${familyName} ${escapeHelp(help, format)}`, `# TYPE ${familyName} ${kind}`]
  if (format === 'openmetrics' && unit !== undefined) lines.push(`# UNIT ${familyName} ${unit}`)
  if (family.kind !== 'histogram') {
    for (const series of family.series) lines.push(valueLine(name, series))
    return lines
  }
  const ends = [...family.buckets, Infinity].map((end) => bucketEnd(end, format))
  for (const series of family.series) lines.push(...histogramLines(name, series, ends))
  return lines
}

function valueLine(name: string, { labels, value }: ValueSeries): string {
  return `${name}${braced(labels.text)} ${numberText(value)}`
}

function histogramLines(name: string, series: HistogramSeries, ends: readonly string[]): string[] {
  const { labels, counts, sum } = series
  const lines = ends.map((end, i) => {
    const text = `${labels.text}${labels.text === '' ? '' : ','}le="${end}"`
    return `${name}_bucket{${text}} ${numberText(counts[i] ?? 0)}`
  })
  lines.push(`${name}_sum${braced(labels.text)} ${numberText(sum)}`)
  lines.push(`${name}_count${braced(labels.text)} ${numberText(counts.at(-1) ?? 0)}`)
  return lines
}

function braced(text: LabelSet['text']): string {
  return text === '' ? '' : `{${text}}`
}

function escapeHelp(help: string, format: ExpositionFormat): string {
  const escaped = help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')
  return format === 'openmetrics' ? escaped.replaceAll('"', '\\"') : escaped
}

function numberText(value: number): string {
  if (value === Infinity) return '+Inf'
  if (value === -Infinity) return '-Inf'
  return String(value)
}

/**
 * The end of a bucket is a label value, so it has to be the same text from every exporter: as Go writes it
 * with `%g`, and in OpenMetrics with `.0` where nothing shows that it is no whole number.
 */
function bucketEnd(end: number, format: ExpositionFormat): string {
  if (end === Infinity) return '+Inf'
  const text = goNumber(end)
  return format === 'openmetrics' && /^\d+$/.test(text) ? `${text}.0` : text
}

/** Shortest digits, with an exponent below 10^-4 and from 10^6 on. */
function goNumber(value: number): string {
  const [digits = '', exponentText = '0'] = value.toExponential().split('e')
  const exponent = Number(exponentText)
  if (exponent >= -4 && exponent < 6) return String(value)
  const sign = exponent < 0 ? '-' : '+'
  return `${digits}e${sign}${String(Math.abs(exponent)).padStart(2, '0')}`
}
