import { readFileSync } from 'node:fs'
import { transform } from 'esbuild'
import { expect, it, vi } from 'vitest'
import * as contract from '../src/contract/index.ts'
import * as runtime from '../src/runtime/index.ts'
import { startBroker } from '../src/testing/index.ts'

const read = (path: string) => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8')
const guide = read('docs/guides/failures.md')
const blocks = (language: string) =>
  [...guide.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\`$`, 'gms'))].map(
    ([, code]) => code,
  )

function optionsOf(path: string, name: string): string[] {
  const [, body = ''] = new RegExp(`interface ${name} \\{\n(.*?)\n\\}`, 's').exec(read(path)) ?? []
  return [...body.matchAll(/^ {2}readonly (\w+)\??:/gm)].map(([, option = '']) => option)
}

it('the guide has every option of what is done about failures', () => {
  const retry = [
    ...optionsOf('src/runtime/failure/failures.ts', 'RetryOptions'),
    ...optionsOf('src/runtime/retry/retry-settings.ts', 'RetryCopyOptions'),
  ]
  const letters = optionsOf('src/runtime/service/consumer-options.ts', 'DeadLetterOptions')
  expect([retry.length, letters.length]).toEqual([7, 4])
  const names = [
    ...retry.map((name) => `retry.${name}`),
    ...letters.map((name) => `deadLetter.${name}`),
  ]
  expect(names.filter((name) => !guide.includes(`| \`${name}\``))).toEqual([])
})

it('the code of the guide runs, and prints what the guide says; then all of it is read again', async () => {
  await using broker = await startBroker()
  await broker.createTopic('orders', { partitions: 3 })
  const [first = '', replay = ''] = blocks('ts')
  const script = first.replace(/^import (\{.*?\}) from '(.*?)'$/gms, "const $1 = modules['$2']")
  const { code } = await transform(`(async () => {${script}; return { service, orders }})()`, {
    loader: 'ts',
  })
  const createService = (options: runtime.ServiceOptions) =>
    runtime.createService({ ...options, metrics: false, log: () => undefined })
  const modules = {
    'millrace/contract': contract,
    millrace: { createService, FailureDecision: runtime.FailureDecision },
  }
  const printed: string[] = []
  const console = { log: (line: string) => void printed.push(line) }
  const kafka = { brokers: broker.bootstrap }
  // eslint-disable-next-line @typescript-eslint/no-implied-eval, @typescript-eslint/no-unsafe-call
  const running = new Function('modules', 'console', 'kafka', `return ${code}`)(
    modules,
    console,
    kafka,
  ) as Promise<{ service: runtime.Service; orders: contract.TopicContract }>
  const { service, orders } = await running
  await using _ = service
  await vi.waitFor(() => expect(printed).toHaveLength(6), { timeout: 20_000 })
  expect(printed.sort()).toEqual(blocks('text')[0]?.trim().split('\n'))
  const letters = () => [0, 1, 2].flatMap((partition) => broker.records('orders.dlq', partition))
  await vi.waitFor(() => expect(letters()).toHaveLength(1), { timeout: 20_000 })
  const { code: again } = await transform(
    `(async () => {${replay}; return { handled, skipped, deadLettered }})()`,
    { loader: 'ts' },
  )
  // eslint-disable-next-line @typescript-eslint/no-implied-eval, @typescript-eslint/no-unsafe-call
  const counts: unknown = await new Function('service', 'orders', `return ${again}`)(
    service,
    orders,
  )
  expect(counts).toEqual({ handled: 0, skipped: 0, deadLettered: 0 })
})
