/** A sample line of an exposition. */
export interface ParsedSample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

export interface ParsedFamily {
  readonly name: string
  readonly help: string
  readonly type: string
  readonly unit: string | undefined
  readonly samples: readonly ParsedSample[]
}

const numberPattern = /^(?:[+-]?\d+(?:\.\d*)?(?:e[+-]?\d+)?|[+-]Inf|NaN)$/

/** Reads an exposition as strictly as its format is written down; throws at what does not belong there. */
export function parseExposition(text: string, format: 'text' | 'openmetrics'): ParsedFamily[] {
  if (!text.endsWith('\n')) throw new Error('does not end with a line feed')
  const lines = text.slice(0, -1).split('\n')
  if (format === 'openmetrics' && lines.pop() !== '# EOF') throw new Error('does not end in EOF')
  const families: (ParsedFamily & { samples: ParsedSample[] })[] = []
  const seen = new Set<string>()
  for (let i = 0; i < lines.length && lines[i] !== '';) {
    const [, name = '', help = ''] = matched(/^# HELP (\S+) (.+)$/, lines[i++])
    const [, typed, type = ''] = matched(/^# TYPE (\S+) (counter|gauge|histogram)$/, lines[i++])
    if (typed !== name) throw new Error(`${String(typed)} is typed within ${name}`)
    const [, united, unit] = /^# UNIT (\S+) (\S+)$/.exec(lines[i] ?? '') ?? []
    if (unit !== undefined) i++
    if (unit !== undefined && (united !== name || !name.endsWith(`_${unit}`))) throw new Error(unit)
    const samples: ParsedSample[] = []
    for (; i < lines.length && !lines[i]!.startsWith('# '); i++) {
      const sample = parseSample(lines[i]!)
      const series = JSON.stringify([sample.name, Object.entries(sample.labels).sort()])
      if (seen.has(series)) throw new Error(`twice: ${series}`)
      seen.add(series)
      if (!endings(type, format).some((ending) => sample.name === `${name}${ending}`)) {
        throw new Error(`${sample.name} does not belong to ${name}`)
      }
      samples.push(sample)
    }
    if (format === 'openmetrics' && /(?<!\\)(?:\\\\)*"/.test(help)) throw new Error('a bare quote')
    families.push({ name, help: unescaped(help, format === 'openmetrics'), type, unit, samples })
  }
  return families
}

function endings(type: string, format: 'text' | 'openmetrics'): string[] {
  if (type === 'histogram') return ['_bucket', '_sum', '_count']
  return type === 'counter' && format === 'openmetrics' ? ['_total'] : ['']
}

function parseSample(line: string): ParsedSample {
  const [, name = '', braced = '', number = ''] = matched(
    /^([a-zA-Z_][a-zA-Z0-9_]*)(\{(?:[^"]|"(?:[^"\\]|\\.)*")*\})? (\S+)$/,
    line,
  )
  if (!numberPattern.test(number)) throw new Error(`${number} is not a number`)
  const value = Number(number.replace('Inf', 'Infinity'))
  return { name, labels: parseLabels(braced.slice(1, -1)), value }
}

function parseLabels(text: string): Record<string, string> {
  const labels: Record<string, string> = {}
  const pattern = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\[\\"n])*)"(,(?=.)|$)/suy
  while (pattern.lastIndex < text.length) {
    const at = pattern.lastIndex
    const [, name = '', value = ''] = pattern.exec(text) ?? []
    if (name === '') throw new Error(`no label at ${at} of ${text}`)
    if (Object.hasOwn(labels, name)) throw new Error(`${name} is there twice`)
    labels[name] = unescaped(value, true)
  }
  return labels
}

function unescaped(text: string, quotes: boolean): string {
  return text.replace(/\\(.)/g, (_, escaped: string) => {
    if (escaped === 'n') return '\n'
    if (escaped === '\\' || (quotes && escaped === '"')) return escaped
    throw new Error(`\\${escaped} is no escape`)
  })
}

function matched(pattern: RegExp, line = ''): RegExpExecArray {
  const match = pattern.exec(line)
  if (match === null) throw new Error(`not ${String(pattern)}: ${JSON.stringify(line)}`)
  return match
}
