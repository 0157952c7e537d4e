/**
 * Records what Java's assignors make of random groups: `npx tsx test/golden/record-assignors.ts`. The
 * test beside our assignors holds them to it. Every release of Kafka must answer the same.
 */
import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { kafkaClassPath, type KafkaVersion } from '../kafka/kafka-jars.ts'

const here = dirname(fileURLToPath(import.meta.url))
const target = join(here, '../../src/client/consumer/group/assignors/golden/assignments.jsonl')
const releases: readonly KafkaVersion[] = ['4.2.1', '4.1.1', '3.9.1']
const [groups = '12', generations = '6', output = target] = process.argv.slice(2)

let recorded: string | undefined
for (const release of releases) {
  const lines = await record(release)
  if (recorded !== undefined && lines !== recorded) {
    throw new Error(
      `The assignors of Kafka ${release} answer otherwise than those of ${releases[0]}`,
    )
  }
  recorded = lines
}
await writeFile(output, recorded ?? '')

async function record(release: KafkaVersion): Promise<string> {
  const program = join(here, 'RecordAssignors.java')
  const { stdout } = await promisify(execFile)(
    'java',
    [
      '-cp',
      await kafkaClassPath(release),
      '-Dorg.slf4j.simpleLogger.defaultLogLevel=off',
      program,
      groups,
      generations,
    ],
    { maxBuffer: 2 ** 30 },
  )
  return stdout
}
