import { readFileSync } from 'node:fs'
import { transform } from 'esbuild'
import * as kafkajs from 'kafkajs'
import { expect, it, vi } from 'vitest'
import * as contract from '../src/contract/index.ts'
import * as driver from '../src/driver/index.ts'
import * as runtime from '../src/runtime/index.ts'
import { startBroker } from '../src/testing/index.ts'

const read = (path: string) => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8')
const guide = read('docs/guides/drivers.md')

it('the guide has every promise, and says of each driver whether it makes it', () => {
  const native = driver.createNativeDriver({ brokers: '127.0.0.1:1' }).features
  const other = driver.createKafkaJsDriver(
    new kafkajs.Kafka({ brokers: ['127.0.0.1:1'], logLevel: kafkajs.logLevel.NOTHING }),
  ).features
  const rows = [...guide.matchAll(/^\| `(\w+)` +\| (yes|no) +\| (yes|no) +\|/gm)]
  const told = Object.fromEntries(rows.map(([, name, ...promised]) => [name ?? '', promised]))
  const names = Object.keys(native) as (keyof driver.DriverFeatures)[]
  const word = (promised: driver.Promised) => (promised === true ? 'yes' : 'no')
  expect(told).toEqual(
    Object.fromEntries(names.map((name) => [name, [word(native[name]), word(other[name])]])),
  )
})

it('the guide has every option of the kafkajs driver', () => {
  const options = read('src/driver/kafkajs.ts')
  const [, body = ''] = /export interface KafkaJsDriverOptions \{\n(.*?)\n\}/s.exec(options) ?? []
  const names = [...body.matchAll(/^ {2}readonly (\w+)\?:/gm)].map(([, name = '']) => name)
  expect(names.length).toBeGreaterThan(0)
  expect(names.filter((name) => !guide.includes(`| \`${name}\``))).toEqual([])
})

it('the service of the guide runs on kafkajs', async () => {
  await using broker = await startBroker()
  await broker.createTopic('orders', { partitions: 3 })
  const [, code = ''] = /^```ts\n(.*?)^```$/ms.exec(guide) ?? []
  const script = code.replace(/^import (\{.*?\}) from '(.*?)'$/gm, "const $1 = modules['$2']")
  const built = await transform(`(async () => {${script}; return service})()`, { loader: 'ts' })
  const createService = (options: runtime.ServiceOptions) =>
    runtime.createService({ ...options, metrics: false, log: () => undefined })
  class Kafka extends kafkajs.Kafka {
    constructor(config: kafkajs.KafkaConfig) {
      super({ ...config, logLevel: kafkajs.logLevel.NOTHING })
    }
  }
  const modules = {
    kafkajs: { Kafka },
    millrace: { createService },
    'millrace/contract': contract,
    'millrace/driver': driver,
  }
  const printed: string[] = []
  const console = { log: (line: string) => void printed.push(line) }
  const brokers = broker.bootstrap.split(',')
  // eslint-disable-next-line @typescript-eslint/no-implied-eval, @typescript-eslint/no-unsafe-call
  const running = new Function('modules', 'console', 'brokers', `return ${built.code}`)(
    modules,
    console,
    brokers,
  ) as Promise<runtime.Service>
  await using service = await running
  await vi.waitFor(() => expect(printed).toEqual(['shipped o-1']), { timeout: 20_000 })
  expect(service.metrics.expose()).toContain('ORDER_CREATED')
})
