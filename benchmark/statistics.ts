/** The middle value; of an even number of values the lower of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? Number.NaN
}

export interface Figure {
  readonly name: string
  readonly unit: string
  readonly values: readonly number[]
  /** What the figure must be, in words. */
  readonly target?: string
  readonly met?: boolean
}

/** A Markdown table of figures: the median to quote, minimum and maximum to doubt it by. */
export function figureTable(figures: readonly Figure[]): string {
  const rows = figures.map(({ name, unit, values, target, met }) => {
    const verdict = target === undefined ? '' : `${target}${met === false ? ' (**missed**)' : ''}`
    const cells = [median(values), Math.min(...values), Math.max(...values)].map(format)
    return `| ${name} | ${unit} | ${cells.join(' | ')} | ${verdict} |`
  })
  return [
    '| what | unit | median | min | max | target |',
    '| --- | --- | --- | --- | --- | --- |',
    ...rows,
  ].join('\n')
}

function format(value: number): string {
  if (value >= 1000) return Math.round(value).toLocaleString('en')
  return value >= 10 ? value.toFixed(1) : value.toFixed(2)
}
