/**
 * Runs foreign clients against a broker: scripts/test-clients.js [options]. Says one line a client, and
 * which cases have failed or were skipped.
 *
 *   --kafka VERSION    against Apache Kafka (4.1.1 or 3.9.1) in place of the embedded broker
 *   --client NAME      only this client; a name that is none is answered with all names
 *   --only TEXT        only cases whose name contains TEXT
 *   --record           keeps the results in docs/client-compatibility.json and the table of README.md
 *
 * MILLRACE_TEST_BOOTSTRAP names a broker that is there already.
 */
import { parseArgs } from 'node:util'
import type { KafkaVersion } from '../kafka/kafka-jars.ts'
import { recordResults, type ClientResult } from './compatibility.ts'
import { confluentClient } from './confluent/toolchain.ts'
import { givenBroker, startEmbedded, startKafka, type StartedBroker } from './broker-under-test.ts'
import { franzSuite } from './go/franz-suite.ts'
import { goClient } from './go/toolchain.ts'
import { javaClients } from './java/toolchain.ts'
import { kafkajsClient } from './kafkajs/toolchain.ts'
import { kcatClient } from './kcat/toolchain.ts'
import { librdkafkaTests } from './librdkafka/toolchain.ts'
import { platformaticClient } from './platformatic/toolchain.ts'
import { pythonClients } from './python/toolchain.ts'
import { Unavailable, type Toolchain } from './toolchain.ts'
import { withJava } from './with-java/toolchain.ts'
import { withLibrdkafka } from './with-librdkafka/toolchain.ts'

const toolchains: readonly Toolchain[] = [
  javaClients('4.1.1'),
  javaClients('3.9.1'),
  goClient('franz-go', 'franz'),
  franzSuite,
  goClient('sarama', 'sarama'),
  goClient('kafka-go', 'kafkago'),
  ...pythonClients,
  librdkafkaTests,
  kcatClient,
  kafkajsClient,
  platformaticClient,
  confluentClient,
  withJava,
  withLibrdkafka,
]

const { values } = parseArgs({
  options: {
    kafka: { type: 'string' },
    client: { type: 'string' },
    only: { type: 'string', default: '' },
    record: { type: 'boolean', default: false },
  },
})
if (values.record && (values.kafka !== undefined || values.only !== '')) {
  throw new Error(
    '--record is for all cases against the embedded broker: without --kafka and --only',
  )
}

interface Tally {
  passed: number
  failed: number
  skipped: number
}

const results: ClientResult[] = []

const total: Tally = { passed: 0, failed: 0, skipped: 0 }

await using started = await start()
console.log(`Foreign clients against ${started.broker.name}`)
for (const toolchain of chosen()) await runToolchain(toolchain)
console.log(worded(total))
if (values.record) await recordResults(results)
process.exitCode = total.failed === 0 && total.passed > 0 ? 0 : 1

function start(): Promise<StartedBroker> {
  if (values.kafka !== undefined) return startKafka(values.kafka as KafkaVersion)
  const given = process.env['MILLRACE_TEST_BOOTSTRAP']
  return given === undefined ? startEmbedded() : Promise.resolve(givenBroker(given))
}

function chosen(): readonly Toolchain[] {
  if (values.client === undefined) return toolchains
  const found = toolchains.filter((toolchain) => toolchain.name === values.client)
  if (found.length > 0) return found
  const names = toolchains.map((toolchain) => toolchain.name).join(', ')
  throw new Error(`--client (${values.client}) must be one of ${names}`)
}

async function runToolchain(toolchain: Toolchain): Promise<void> {
  const missing = toolchain.missing()
  if (missing !== undefined) {
    console.log(`skipped  ${toolchain.name}: ${missing}`)
    results.push({
      ...{ client: toolchain.name, passed: 0, failed: 0, skipped: 0 },
      reason: missing,
    })
    total.skipped += 1
    return
  }
  const startedAt = Date.now()
  const tally: Tally = { passed: 0, failed: 0, skipped: 0 }
  let unavailable: string | undefined
  try {
    await toolchain.run(started.broker, values.only, (text) => count(tally, toolchain.name, text))
  } catch (error) {
    const reason = String(error).replaceAll(/\s*\n\s*/g, ' | ')
    if (error instanceof Unavailable) unavailable = 'what it needs could not be had'
    const outcome = error instanceof Unavailable ? 'SKIP all:' : 'FAIL'
    count(tally, toolchain.name, `${outcome} ${reason}`)
  }
  const seconds = ((Date.now() - startedAt) / 1000).toFixed(1)
  results.push({ client: toolchain.name, ...tally, ...(unavailable && { reason: unavailable }) })
  const label = tally.failed === 0 ? 'passed ' : 'FAILED '
  console.log(`${label}  ${toolchain.name}: ${worded(tally)} (${seconds} s)`)
  for (const outcome of ['passed', 'failed', 'skipped'] as const) total[outcome] += tally[outcome]
}

/** Counts what a line of a client says; a case that has failed or was skipped is told at once. */
function count(tally: Tally, client: string, line: string): void {
  const text = line.slice(5)
  switch (line.slice(0, 4)) {
    case 'PASS':
      tally.passed += 1
      break
    case 'FAIL':
      tally.failed += 1
      console.log(`FAILED   ${client}: ${text}`)
      break
    case 'SKIP':
      tally.skipped += 1
      console.log(`skipped  ${client}: ${text}`)
  }
}

function worded({ passed, failed, skipped }: Tally): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`
}
