/** Everything that is shown, at a moment. */
export interface LiveState {
  /** What it runs on, and where that is. */
  readonly cluster: string
  /** What the shop does: it is open for so long, or closed. */
  readonly shop: string
  readonly topics: readonly TopicFigures[]
  readonly services: readonly ServiceFigures[]
  readonly join: {
    readonly matched: number
    readonly late: number
    readonly unmatched: number
    readonly waiting: number
  }
  readonly revenue: { readonly total: number; readonly minutes: number }
  readonly letters: ReadonlyMap<string, number>
  /** What has happened: who was killed. The last ones are shown. */
  readonly happenings: readonly string[]
}

export interface TopicFigures {
  readonly name: string
  readonly total: number
  readonly perSecond: number
}

export interface ServiceFigures {
  readonly name: string
  /** Records whose end is committed. */
  readonly perSecond: number
  readonly lag: number
  readonly inFlight: number
  readonly retries: number
  /** Of its pages of metrics, one a process. */
  readonly addresses: readonly string[]
}

export interface LiveViewOptions {
  readonly columns: number
  readonly colors: boolean
}

const happeningsMax = 3
const count = (value: number) => Math.round(value).toLocaleString('en')
const rate = (value: number) => `${count(value)}/s`

/** What a terminal shows of a state: lines that are no wider than it is. */
export function renderLive(state: LiveState, { columns, colors }: LiveViewOptions): string[] {
  const { topics, services, join, revenue, letters, happenings } = state
  const lines: Line[] = [
    [
      ['bold', 'Millrace: the order pipeline'],
      ['dim', `   ${state.shop}`],
    ],
    [['dim', state.cluster]],
    [],
    [['dim', cells(['topic', '', 'records', 'per second'])]],
    ...topics.map(({ name, total, perSecond }): Line => [
      ['plain', cells([name, '', count(total), rate(perSecond)])],
    ]),
    [],
    [['dim', serviceCells('service', 'per second', 'lag', 'in flight', 'retries', 'metrics')]],
    ...services.map(serviceLine),
    [],
    [
      ['bold', 'joined  '],
      ['plain', `${count(join.matched)} orders paid · ${count(join.waiting)} waiting`],
      ['dim', ` · ${count(join.late)} late · ${count(join.unmatched)} unmatched`],
    ],
    [
      ['bold', 'revenue '],
      ['plain', count(revenue.total)],
      ['dim', ` in ${count(revenue.minutes)} minutes that have closed`],
    ],
    ...lettersLines(letters, columns),
    ...happenings.slice(-happeningsMax).map((text): Line => [['red', text]]),
  ]
  return lines.map((line) => fitted(line, columns, colors))
}

/** The same as one line, for logs. */
export function renderPlain({ topics, services, join, letters }: LiveState): string {
  return [
    ...topics.map(({ name, total, perSecond }) => `${name} ${total} (${Math.round(perSecond)}/s)`),
    `behind: ${services.map(({ name, lag }) => `${name} ${lag}`).join(', ')}`,
    `joined ${join.matched}, ${join.waiting} waiting`,
    `dead letters ${sumOf(letters)}`,
  ].join(' · ')
}

type Style = 'plain' | 'bold' | 'dim' | 'red'
type Line = readonly (readonly [Style, string])[]

const styles: Readonly<Record<Style, string>> = { plain: '', bold: '1', dim: '2', red: '31' }

function cells([name = '', ...others]: readonly string[]): string {
  return `${name.padEnd(14)}${others.map((cell) => cell.padStart(12)).join('')}`
}

function serviceCells(name: string, ...given: readonly string[]): string {
  const [perSecond = '', lag = '', inFlight = '', retries = '', metrics = ''] = given
  const figures = [perSecond.padStart(10), lag.padStart(8), inFlight.padStart(10)]
  return `${name.padEnd(13)}${figures.join('')}${retries.padStart(8)}  ${metrics}`
}

function serviceLine({ name, perSecond, lag, inFlight, retries, addresses }: ServiceFigures): Line {
  const figures = [rate(perSecond), count(lag), count(inFlight), count(retries)]
  // The first in full, to be opened; of the others what is different.
  const shown = addresses.map((address, index) => {
    const short = address.replace('http://', '').replace('/metrics', '')
    return index === 0 ? short : short.slice(short.lastIndexOf(':'))
  })
  return [
    ['plain', serviceCells(name, ...figures, '')],
    ['dim', shown.length === 0 ? 'starting' : shown.join(' ')],
  ]
}

/** As many lines as the reasons need: none of them is cut. */
function lettersLines(letters: LiveState['letters'], columns: number): Line[] {
  const sorted = [...letters].sort(([, one], [, other]) => other - one)
  const lines: Line[] = []
  let reasons = ''
  const indent = ''.padEnd(8)
  const put = (): void => {
    const isFirst = lines.length === 0
    lines.push([
      ['bold', isFirst ? 'letters ' : indent],
      ['dim', reasons],
    ])
    reasons = ''
  }
  for (const [reason, times] of [['in all', sumOf(letters)] as const, ...sorted]) {
    const told = `${count(times)} ${reason}`
    if (reasons !== '' && indent.length + reasons.length + 3 + told.length > columns) put()
    reasons += reasons === '' ? told : ` · ${told}`
  }
  put()
  return lines
}

function sumOf(letters: LiveState['letters']): number {
  return [...letters.values()].reduce((sum, each) => sum + each, 0)
}

/** Cut where the terminal ends: a line that goes on in the next would shift all that follow. */
function fitted(line: Line, columns: number, colors: boolean): string {
  let left = columns
  let text = ''
  for (const [style, part] of line) {
    const shown = part.length > left ? `${part.slice(0, Math.max(0, left - 1))}…` : part
    left -= shown.length
    const code = colors ? styles[style] : ''
    if (shown !== '') text += code === '' ? shown : `\u001B[${code}m${shown}\u001B[0m`
    if (left <= 0) break
  }
  return text
}
