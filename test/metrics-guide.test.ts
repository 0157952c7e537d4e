import { readFileSync } from 'node:fs'
import { transform } from 'esbuild'
import { expect, it } from 'vitest'
import * as observe from '../src/observe/index.ts'
import * as platform from '../src/platform/index.ts'

const guide = readFileSync(new URL('../docs/guides/metrics.md', import.meta.url), 'utf8')

interface Metric {
  readonly kind: string
  readonly name: string
  readonly help: string
  readonly labels: readonly string[]
}

/** The rows of the table behind a comment, without what Prettier makes of its columns. */
function rowsBehind(comment: string): string[] {
  const [, after = ''] = guide.split(`<!-- ${comment} -->`)
  const [table = ''] = after.split('<!-- end -->')
  return table
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .slice(2)
    .map((line) => line.replace(/\s+/g, ' ').trim())
}

it.each([
  ['the metrics of the runtime', observe.runtimeMetricTable],
  ['the metrics of processes', observe.processMetricTable],
])('the guide has %s, all and no others', (comment, table: Readonly<Record<string, Metric>>) => {
  const rows = Object.values(table).map(({ name, kind, labels, help }) => {
    const names = labels.map((label) => `\`${label}\``).join(', ')
    return `| \`${name}\` | ${kind} | ${names} | ${help} |`.replace(/\s+/g, ' ')
  })
  expect(rowsBehind(comment)).toEqual(rows)
})

/** What prom-client answers to somebody who has counted one request. */
const promClient = {
  register: {
    contentType: 'text/plain; version=0.0.4; charset=utf-8',
    metrics: () =>
      Promise.resolve(
        '# HELP http_requests_total Requests.\n# TYPE http_requests_total counter\nhttp_requests_total 1\n',
      ),
  },
}

it('the code of the guide runs, and prints what the guide says', async () => {
  const blocks = [...guide.matchAll(/^```(ts|text)\n(.*?)^```$/gms)]
  const code = blocks.flatMap(([, language, text = '']) => (language === 'ts' ? [text] : []))
  const said = blocks.flatMap(([, language, text = '']) => (language === 'text' ? [text] : []))
  const module = code
    .join('\n')
    .replace(/^import (\{.*?\}) from '(.*?)'$/gms, "const $1 = modules['$2']")
  const { code: script } = await transform(`(async () => {${module}})()`, { loader: 'ts' })
  const modules = {
    'millrace/observe': observe,
    'millrace/platform': platform,
    'prom-client': promClient,
  }
  let printed = ''
  const print = { log: (...values: unknown[]) => (printed += `${values.join(' ')}\n`) }
  // The text of the guide is ours, and running it is the point.
  // eslint-disable-next-line @typescript-eslint/no-implied-eval
  const run = new Function('modules', 'console', `return ${script}`) as (
    ...given: unknown[]
  ) => Promise<void>
  await run(modules, print)
  expect(printed).toBe(said.join(''))
})
