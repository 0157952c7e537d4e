/**
 * Runs foreign clients against a broker: scripts/test-clients.js [options]
 *
 *   --kafka VERSION    against Apache Kafka (4.1.1 or 3.9.1) in place of the embedded broker
 *   --client NAME      only this client (java-4.1.1, java-3.9.1, kafkajs)
 *   --only TEXT        only cases whose name contains TEXT
 *
 * MILLRACE_TEST_BOOTSTRAP names a broker that is there already.
 */
import { parseArgs } from 'node:util'
import type { KafkaVersion } from '../kafka/kafka-jars.ts'
import { givenBroker, startEmbedded, startKafka, type StartedBroker } from './broker-under-test.ts'
import { javaClients } from './java/toolchain.ts'
import { kafkajsClient } from './kafkajs/toolchain.ts'
import type { Toolchain } from './toolchain.ts'

const toolchains: readonly Toolchain[] = [javaClients('4.1.1'), javaClients('3.9.1'), kafkajsClient]

const { values } = parseArgs({
  options: {
    kafka: { type: 'string' },
    client: { type: 'string' },
    only: { type: 'string', default: '' },
  },
})

const total = { passed: 0, failed: 0, skipped: 0 }

await using started = await start()
console.log(`Foreign clients against ${started.broker.name}`)
for (const toolchain of chosen()) await runToolchain(toolchain)
const skipped = total.skipped > 0 ? `, ${total.skipped} skipped` : ''
console.log(`${total.passed} passed, ${total.failed} failed${skipped}`)
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
    total.skipped += 1
    return
  }
  const startedAt = Date.now()
  await toolchain.run(started.broker, values.only, (text) => count(toolchain, text))
  console.log(`${toolchain.name} took ${((Date.now() - startedAt) / 1000).toFixed(1)} s`)
}

function count(toolchain: Toolchain, text: string): void {
  const outcome = { PASS: 'passed', FAIL: 'failed', SKIP: 'skipped' } as const
  const word = text.slice(0, 4)
  if (!(word in outcome)) return
  const key = outcome[word as keyof typeof outcome]
  total[key] += 1
  const label = key === 'failed' ? 'FAILED ' : key.padEnd(7)
  console.log(`${label}  ${toolchain.name}: ${text.slice(5)}`)
}
