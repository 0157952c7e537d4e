/** What `npm run test:clients -- --record` keeps, and the table that README.md makes of it. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { format } from 'prettier'

const root = fileURLToPath(new URL('../..', import.meta.url))
export const resultsFile = join(root, 'docs', 'client-compatibility.json')
export const readmeFile = join(root, 'README.md')

const begin = '<!-- compatibility:begin -->'
const end = '<!-- compatibility:end -->'

/** What came of the cases of one client. */
export interface ClientResult {
  /** As `--client` knows it. */
  readonly client: string
  readonly passed: number
  readonly failed: number
  readonly skipped: number
  /** Why the client could not be run at all where the results were made. */
  readonly reason?: string
}

/** What readers know the clients by, in the order of the table. */
const clients: Readonly<Record<string, readonly [family: string, version: string]>> = {
  'java-4.1.1': ['Java: clients, Streams and command line tools', '4.1.1'],
  'java-3.9.1': ['Java: clients, Streams and command line tools', '3.9.1'],
  'franz-go': ['Go: franz-go', '1.22.2'],
  'franz-go-tests': ["Go: franz-go's own tests", '1.22.2'],
  sarama: ['Go: sarama', '1.61.1'],
  'kafka-go': ['Go: kafka-go', '0.4.51'],
  'confluent-kafka': ['Python: confluent-kafka (librdkafka)', '2.16.1'],
  'kafka-python': ['Python: kafka-python', '3.0.12'],
  aiokafka: ['Python: aiokafka', '0.14.0'],
  'librdkafka-tests': ["C: librdkafka's own tests", 'as of kafka-javascript 1.10.1'],
  kcat: ['C: kcat', '1.7.1'],
  kafkajs: ['JavaScript: kafkajs', '2.2.4'],
  platformatic: ['JavaScript: @platformatic/kafka', '2.12.1'],
  confluent: ['JavaScript: @confluentinc/kafka-javascript', '1.10.1'],
  'millrace-with-java': ['Groups of our client and Java’s together', '4.1.1'],
  'millrace-with-librdkafka': ['Groups of our client and librdkafka’s together', '2.16.1'],
}

export function readResults(): readonly ClientResult[] {
  return JSON.parse(readFileSync(resultsFile, 'utf8')) as ClientResult[]
}

/** Keeps results, over those of the same clients that were there, and writes the table anew. */
export async function recordResults(results: readonly ClientResult[]): Promise<void> {
  const known = new Map(existing().map((result) => [result.client, result]))
  for (const result of results) known.set(result.client, result)
  const order = Object.keys(clients)
  const all = [...known.values()].sort(
    (one, other) => order.indexOf(one.client) - order.indexOf(other.client),
  )
  writeFileSync(resultsFile, await format(JSON.stringify(all), { parser: 'json', printWidth: 100 }))
  const readme = readFileSync(readmeFile, 'utf8')
  writeFileSync(readmeFile, await withTable(readme, all))
}

function existing(): readonly ClientResult[] {
  try {
    return readResults()
  } catch {
    return []
  }
}

/** The text with the table of the results between its markers. */
export async function withTable(text: string, results: readonly ClientResult[]): Promise<string> {
  const from = text.indexOf(begin)
  const to = text.indexOf(end)
  if (from === -1 || to < from) throw new Error(`there is no ${begin} … ${end} to write between`)
  const table = await format(tableOf(results), { parser: 'markdown', printWidth: 100 })
  return `${text.slice(0, from + begin.length)}\n\n${table}\n${text.slice(to)}`
}

function tableOf(results: readonly ClientResult[]): string {
  const rows = results.map(({ client, passed, failed, skipped, reason }) => {
    const [family, version] = clients[client] ?? [client, '']
    const cases = failed === 0 ? String(passed) : `${passed}, **${failed} failed**`
    const left = reason === undefined ? String(skipped) : `all: ${reason}`
    return `| ${family} | ${version} | ${cases} | ${left} |`
  })
  return ['| client | version | passed | skipped |', '| --- | --- | --- | --- |', ...rows].join(
    '\n',
  )
}
