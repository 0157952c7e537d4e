import type { Span } from './terminal-picture.ts'

const columnPx = 8.4
const rowPx = 19
const marginPx = 16
const fontPx = 14

/** What a style of the terminal is drawn with. */
const attributes: Readonly<Record<string, string>> = {
  '1': 'font-weight="bold" fill="#ffffff"',
  '2': 'fill="#8b949e"',
  '31': 'fill="#ff7b72"',
}

/** What a terminal shows, as a picture. */
export function svgOf(rows: readonly (readonly Span[])[], columns: number, title: string): string {
  const width = Math.ceil(columns * columnPx + 2 * marginPx)
  const height = rows.length * rowPx + 2 * marginPx
  const texts = rows.flatMap((row, index) => textOf(row, marginPx + (index + 0.75) * rowPx))
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" role="img">`,
    `<title>${escaped(title)}</title>`,
    `<rect width="100%" height="100%" rx="8" fill="#0d1117"/>`,
    `<g font-family="ui-monospace, Menlo, Consolas, monospace" font-size="${fontPx}" fill="#c9d1d9" xml:space="preserve">`,
    ...texts,
    '</g>',
    '</svg>',
    '',
  ].join('\n')
}

/** Each span where its first column is: fonts differ in how wide they are. */
function textOf(row: readonly Span[], y: number): string[] {
  let column = 0
  return row.flatMap(({ style, text }) => {
    const x = marginPx + column * columnPx
    column += text.length
    if (text.trim() === '') return []
    const length = (text.length * columnPx).toFixed(1)
    const attribute = attributes[style]
    const drawn = attribute === undefined ? '' : ` ${attribute}`
    return [
      `<text x="${x.toFixed(1)}" y="${y}" textLength="${length}" lengthAdjust="spacingAndGlyphs"${drawn}>${escaped(text)}</text>`,
    ]
  })
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
