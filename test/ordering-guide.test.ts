import { readFileSync } from 'node:fs'
import { transform } from 'esbuild'
import { expect, it, vi } from 'vitest'
import * as contract from '../src/contract/index.ts'
import * as runtime from '../src/runtime/index.ts'
import { startBroker } from '../src/testing/index.ts'

const guide = readFileSync(new URL('../docs/guides/ordering.md', import.meta.url), 'utf8')
const block = (language: string) =>
  new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\`$`, 'ms').exec(guide)?.[1] ?? ''

it('the code of the guide to ordering runs, and prints what the guide says', async () => {
  await using broker = await startBroker()
  const script = block('ts').replace(
    /^import (\{.*?\}) from '(.*?)'$/gms,
    "const $1 = modules['$2']",
  )
  const { code } = await transform(`(async () => {${script}; return service })()`, { loader: 'ts' })
  const createService = (options: runtime.ServiceOptions) =>
    runtime.createService({ ...options, metrics: false, log: () => undefined })
  const modules = { 'millrace/contract': contract, millrace: { createService } }
  const printed: string[] = []
  const console = { log: (line: string) => void printed.push(line) }
  const kafka = { brokers: broker.bootstrap }
  // eslint-disable-next-line @typescript-eslint/no-implied-eval, @typescript-eslint/no-unsafe-call
  const running = new Function('modules', 'console', 'kafka', `return ${code}`)(
    modules,
    console,
    kafka,
  ) as Promise<runtime.Service>
  await using _ = await running
  await vi.waitFor(() => expect(printed).toHaveLength(6), { timeout: 20_000 })
  const expected = block('text').trim().split('\n')
  // How long a pause is that lets others go first is a matter of luck; the order of a key is not.
  for (const key of ['apple', 'pear']) {
    const ofKey = (lines: readonly string[]) => lines.filter((line) => line.startsWith(key))
    expect(ofKey(printed)).toEqual(ofKey(expected))
  }
  expect([...printed].sort()).toEqual([...expected].sort())
})
