import type { ExpositionFormat } from './exposition.ts'

/**
 * The format that a scraper asks for with its Accept header. It gets OpenMetrics where it names that, in version 1
 * or none, and does not like plain text better; else Prometheus' own text, which everything reads.
 */
export function expositionFormatFor(accept: string | undefined): ExpositionFormat {
  const ranges = (accept ?? '').toLowerCase().split(',').map(mediaRange)
  const quality = (type: string, version: RegExp) =>
    Math.max(
      0,
      ...ranges.flatMap((range) =>
        range.type === type && version.test(range.version) ? [range.quality] : [],
      ),
    )
  const openMetrics = quality('application/openmetrics-text', /^(?:1\.0\.0)?$/)
  return openMetrics > 0 && openMetrics >= quality('text/plain', /^/) ? 'openmetrics' : 'text'
}

interface MediaRange {
  readonly type: string
  /** Empty where none is named. */
  readonly version: string
  readonly quality: number
}

function mediaRange(text: string): MediaRange {
  const [type = '', ...parameters] = text.split(';').map((part) => part.trim())
  const value = (name: string) =>
    parameters.find((parameter) => parameter.startsWith(`${name}=`))?.slice(name.length + 1)
  const quality = Number(value('q') ?? 1)
  return {
    type,
    version: value('version')?.replaceAll('"', '') ?? '',
    quality: quality >= 0 && quality <= 1 ? quality : 0,
  }
}
