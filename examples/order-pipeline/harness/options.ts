import { parseArgs } from 'node:util'

export const usage = `npm start -- [options]

  --for 10s              how long orders come in (s or m)
  --rate 500             orders a second
  --workers 2            runs each service in so many processes of its own
  --chaos                kills one of these processes now and then, and the embedded broker; 2 workers, where nothing else is said
  --kafka HOST:PORT,...  a cluster that is there already, instead of the embedded broker
  --plain                lines, also where there is a terminal that could be drawn on; --live draws, also where there is none

Examples: npm start -- --for 1m --rate 2000
          npm start -- --for 30s --chaos
`

/** What was asked for on the command line. */
export interface Options {
  readonly lastsMs: number
  readonly rate: number
  /** Processes of each service; 0 for all services in this process. */
  readonly workers: number
  readonly chaos: boolean
  readonly brokers: string | undefined
  readonly isLive: boolean
  readonly colors: boolean
}

/** What is drawn on, as far as it matters here. */
export interface Surface {
  readonly isTerminal: boolean
  readonly env: Readonly<Record<string, string | undefined>>
}

/** Undefined where help is asked for. */
export function optionsIn(args: readonly string[], surface: Surface): Options | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      for: { type: 'string', default: '10s' },
      rate: { type: 'string', default: '500' },
      workers: { type: 'string' },
      chaos: { type: 'boolean', default: false },
      kafka: { type: 'string' },
      plain: { type: 'boolean', default: false },
      live: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return undefined
  const { chaos, live, plain } = values
  const workers = countIn('--workers', values.workers ?? (chaos ? '2' : '0'))
  if (chaos && workers === 0) throw new Error('--chaos needs --workers 1 or more')
  const { env, isTerminal } = surface
  return {
    lastsMs: millisecondsIn('--for', values.for),
    rate: countIn('--rate', values.rate),
    ...{ workers, chaos, brokers: values.kafka },
    isLive: live || (isTerminal && !plain && env['TERM'] !== 'dumb'),
    colors: (env['NO_COLOR'] ?? '') === '',
  }
}

function millisecondsIn(option: string, text: string): number {
  const [, count, unit] = /^(\d+)(s|m)$/.exec(text) ?? []
  if (count === undefined) throw new Error(`${option} (${text}) must be a time such as 30s or 2m`)
  return Number(count) * (unit === 'm' ? 60_000 : 1_000)
}

function countIn(option: string, text: string): number {
  if (/^\d{1,6}$/.test(text)) return Number(text)
  throw new Error(`${option} (${text}) must be a whole number`)
}
