/**
 * Records what Apache Kafka's Java clients and brokers really send: `npx tsx test/golden/record.ts`.
 *
 * A proxy stands between the clients of a release and a broker of the same release, and keeps the
 * frames. A client uses the highest version that the broker offers; to see the lower ones too, the
 * proxy lowers the versions in the ApiVersions response step by step, and the clients go through
 * everything they can do once for each step. Takes about ten minutes; see README.md for the result.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import {
  addPartitionsToTxnApi,
  apiByKey,
  apiVersionsApi,
  encodeRequest,
  findCoordinatorApi,
  listConfigResourcesApi,
  metadataApi,
  offsetForLeaderEpochApi,
  produceApi,
  saslHandshakeApi,
  type Api,
} from '../../src/protocol/index.ts'
import { buildJava } from '../clients/java/build.ts'
import { FrameConnection } from '../kafka/frame-connection.ts'
import type { KafkaVersion } from '../kafka/kafka-jars.ts'
import { startRealKafka } from '../kafka/real-kafka.ts'
import { startRecordingProxy, type RecordedFrame } from '../kafka/recording-proxy.ts'
import { findBatches, GoldenBatches, GoldenFrames } from './selection.ts'

/** The highest version of any API in Kafka is Fetch's. */
const highestVersion = 18
/**
 * Below these versions the clients can do next to nothing: record sets before v2 are not of
 * interest, Metadata before 4 cannot forbid the creation of topics, FindCoordinator 0 finds no
 * coordinator of transactions, and what follows SaslHandshake 0 is not of this protocol.
 * `recordByHand` has the versions below.
 */
const lowestVersions: Readonly<Record<number, number>> = {
  [produceApi.key]: 3,
  [metadataApi.key]: 4,
  [findCoordinatorApi.key]: 1,
  [saslHandshakeApi.key]: 1,
}
/** With Produce below this version there are no transactions of version 2, which the features promise. */
const produceVersionOfTransactions2 = 12

const here = dirname(fileURLToPath(import.meta.url))
const frames = new GoldenFrames()
const batches = new GoldenBatches()

const classPaths = {
  '4.2.1': await buildJava('4.2.1'),
  '4.1.1': await buildJava('4.1.1'),
  '3.9.1': await buildJava('3.9.1'),
} satisfies Record<KafkaVersion, string>
await recordRelease('4.2.1', [undefined, 1, 0])
await recordRelease('4.1.1', [undefined, 17, 12, 10, 5, 1, 0])
await recordRelease('3.9.1', [undefined, ...versionsDownwards()])
await writeFile(join(here, 'frames.jsonl'), frames.toLines())
await writeFile(join(here, 'batches.jsonl'), batches.toLines())

/** Whether Millrace has, or could have, a codec for it. */
function isKnown({ apiKey, apiVersion }: RecordedFrame): boolean {
  const versions = apiByKey(apiKey)?.versions
  return versions !== undefined && apiVersion >= versions.first && apiVersion <= versions.last
}

function versionsDownwards(): number[] {
  return Array.from({ length: highestVersion }, (_, index) => highestVersion - 1 - index)
}

/** Records one release, once for each limit that the proxy puts on the versions. */
async function recordRelease(
  version: KafkaVersion,
  limits: readonly (number | undefined)[],
): Promise<void> {
  let target = ''
  let limit: number | undefined
  await using proxy = await startRecordingProxy({
    target: () => target,
    record: (frame) => {
      if (!isKnown(frame)) return
      frames.offer(frame, version)
      for (const batch of findBatches(frame.content)) batches.offer(batch, version)
    },
    rewrite: (frame) => (limit === undefined ? frame.content : lowered(frame, limit)),
  })
  await using kafka = await startRealKafka({
    version,
    advertised: [proxy.address],
    users: { alice: 'wonderland' },
  })
  const plain = kafka.nodes[0]?.address ?? ''
  target = plain
  using clients = startClients(version)
  for (limit of limits) {
    process.stderr.write(`${version}, versions up to ${limit ?? 'the newest'}\n`)
    await clients.run(limit === undefined ? 'newest' : `v${limit}`, proxy.address)
  }
  limit = undefined
  await recordByHand(proxy.address)
  target = kafka.saslBootstrap ?? ''
  for (limit of [undefined, 1, 0]) await clients.run(`sasl-${limit ?? 'newest'}`, proxy.address)
}

/** What the Java clients never send: encoded by us, answered by Kafka. */
async function recordByHand(address: string): Promise<void> {
  using connection = await FrameConnection.open(address)
  const send = async <A extends Api>(
    api: A,
    version: number,
    body: Parameters<A['request']['write']>[1],
  ): Promise<void> => {
    const header = { version, correlationId: 1, clientId: null }
    const frame = Buffer.concat(encodeRequest(api, header, body))
    await connection.request(frame.subarray(4))
  }
  const topic = 'records-newest'
  for (const version of [0, 1, 2]) await send(apiVersionsApi, version, {})
  for (const version of [0, 1, 2, 3]) {
    await send(metadataApi, version, { topics: [{ name: topic }, { name: 'missing?' }] })
    await send(metadataApi, version, { topics: version === 0 ? [] : null })
  }
  await send(findCoordinatorApi, 0, { key: 'group' })
  for (const version of [2, 3]) {
    await send(offsetForLeaderEpochApi, version, {
      topics: [{ topic, partitions: [{ partition: 0, leaderEpoch: 0 }] }],
    })
  }
  await send(addPartitionsToTxnApi, 4, {
    transactions: [
      {
        transactionalId: 'tx',
        producerId: 1,
        producerEpoch: 0,
        topics: [{ name: topic, partitions: [0] }],
      },
    ],
  })
  await send(saslHandshakeApi, 0, { mechanism: 'PLAIN' })
  // Not every release has it.
  await send(listConfigResourcesApi, 0, {}).catch(() => undefined)
}

/** The ApiVersions response with no version above `limit`; other responses, and those to brokers, as they are. */
function lowered(frame: RecordedFrame, limit: number): Buffer {
  const { apiKey, apiVersion, clientId, content } = frame
  const refused = content.readInt16BE(4) !== 0
  if (apiKey !== apiVersionsApi.key || refused || clientId?.startsWith('golden') !== true) {
    return content
  }
  const response = apiVersionsApi.response.decode(content.subarray(4), apiVersion)
  const apiKeys = response.apiKeys.map((range) => {
    const lowest = Math.max(range.minVersion, lowestVersions[range.apiKey] ?? 0)
    return { ...range, maxVersion: Math.min(range.maxVersion, Math.max(limit, lowest)) }
  })
  const features = limit < produceVersionOfTransactions2 ? [] : response.finalizedFeatures
  const body = apiVersionsApi.response.encode(
    { ...response, apiKeys, finalizedFeatures: features },
    apiVersion,
  )
  return Buffer.concat([content.subarray(0, 4), body])
}

interface Clients extends Disposable {
  run(name: string, bootstrap: string): Promise<void>
}

function startClients(version: KafkaVersion): Clients {
  const options = [
    '-Xmx512m',
    '-XX:TieredStopAtLevel=1',
    '-Dorg.slf4j.simpleLogger.defaultLogLevel=off',
  ]
  const child: ChildProcess = spawn(
    'java',
    [...options, '-cp', classPaths[version], 'millrace.golden.Drive'],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  )
  const { stdin, stdout } = child
  if (stdin === null || stdout === null) throw new Error('java has no pipes')
  const lines = createInterface({ input: stdout })[Symbol.asyncIterator]()
  return {
    async run(name, bootstrap) {
      stdin.write(`${name} ${bootstrap}\n`)
      for (;;) {
        const line = await lines.next()
        if (line.done === true) throw new Error('the Java clients have ended')
        if (line.value === `done ${name}`) return
        process.stderr.write(`${line.value}\n`)
      }
    },
    [Symbol.dispose]: () => void child.kill('SIGKILL'),
  }
}
