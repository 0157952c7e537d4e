import { readFileSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { transform } from 'esbuild'
import { expect, it, vi } from 'vitest'
import * as contract from '../src/contract/index.ts'
import * as runtime from '../src/runtime/index.ts'
import { startBroker } from '../src/testing/index.ts'

const read = (path: string) => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8')
const guide = read('docs/guides/deduplication.md')

it('the guide has every option of dedupe', () => {
  const options = read('src/runtime/service/consumer-options.ts')
  const [, body = ''] = /export interface DedupeOptions \{\n(.*?)\n\}/s.exec(options) ?? []
  const names = [...body.matchAll(/^ {2}readonly (\w+)\?:/gm)].map(([, name = '']) => name)
  expect(names.length).toBeGreaterThan(0)
  expect(names.filter((name) => !guide.includes(`| \`${name}\``))).toEqual([])
})

it('the code of the guide runs, and prints what the guide says', async () => {
  await using broker = await startBroker()
  await broker.createTopic('orders', { partitions: 3 })
  const block = (language: string) =>
    new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\`$`, 'ms').exec(guide)?.[1] ?? ''
  const script = block('ts').replace(
    /^import (\{.*?\}) from '(.*?)'$/gms,
    "const $1 = modules['$2']",
  )
  const { code } = await transform(`(async () => {${script}; return service})()`, { loader: 'ts' })
  const createService = (options: runtime.ServiceOptions) =>
    runtime.createService({ ...options, metrics: false, log: () => undefined })
  const modules = {
    'node:timers/promises': { setTimeout },
    'millrace/contract': contract,
    millrace: { createService },
  }
  const printed: string[] = []
  const console = { log: (line: string) => void printed.push(line) }
  const kafka = { brokers: broker.bootstrap }
  // eslint-disable-next-line @typescript-eslint/no-implied-eval, @typescript-eslint/no-unsafe-call
  const running = new Function('modules', 'console', 'kafka', `return ${code}`)(
    modules,
    console,
    kafka,
  ) as Promise<runtime.Service>
  await using service = await running
  const metric = /^millrace_dedupe_hits_total\{.*\} 1$/m
  await vi.waitFor(() => expect(service.metrics.expose()).toMatch(metric), { timeout: 20_000 })
  await vi.waitFor(() => expect(printed).toHaveLength(2), { timeout: 20_000 })
  expect(printed.sort()).toEqual(block('text').trim().split('\n'))
})
