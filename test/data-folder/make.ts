/**
 * Makes `format-N.json`: the files of a small data folder, as the present code writes them. Run it (`npx tsx
 * test/data-folder/make.ts`) once for each format, before the code goes on to the next one: what is there
 * shows for ever that folders of that format are still opened.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createClient } from '../../src/client/index.ts'
import { startBroker } from '../../src/broker/index.ts'
import { format } from 'prettier'

const folder = mkdtempSync(join(tmpdir(), 'millrace-format-'))
const data = join(folder, 'data')

{
  await using broker = await startBroker({
    data,
    users: { admin: 'secret' },
    authorizer: { superUsers: ['User:admin'] },
    properties: {
      'offsets.topic.num.partitions': '1',
      'transaction.state.log.num.partitions': '1',
    },
  })
  await using client = createClient({
    brokers: broker.bootstrap,
    sasl: {
      mechanism: 'PLAIN',
      credentials: { username: 'admin', password: 'secret' },
      allowWithoutTls: true,
    },
    log: () => undefined,
  })
  const admin = client.admin()
  await admin.topics.create({
    name: 'orders',
    partitions: 2,
    configs: { 'retention.ms': 1_234_567 },
  })
  await admin.topics.create({
    name: 'latest',
    partitions: 1,
    configs: { 'cleanup.policy': 'compact' },
  })
  await admin.acls.createMany([
    {
      ...{ resourceType: 'topic', resourceName: 'orders', principal: 'User:billing' },
      ...{ operation: 'read', permission: 'allow' },
    },
  ])
  {
    await using producer = client.producer()
    for (const n of [1, 2, 3]) {
      await producer.send({ topic: 'orders', partition: 0, key: `o-${n}`, value: `order ${n}` })
    }
    await producer.send({ topic: 'latest', key: 'k', value: 'first' })
    await producer.send({ topic: 'latest', key: 'k', value: 'last' })
  }
  {
    await using producer = client.transactionalProducer({ transactionalId: 'payer' })
    for (const [value, commits] of [
      ['committed', true],
      ['aborted', false],
    ] as const) {
      const transaction = await producer.begin()
      await transaction.send({ topic: 'orders', partition: 1, value })
      await (commits ? transaction.commit() : transaction.abort())
    }
  }
  await using consumer = client.consumer({
    ...{ groupId: 'billing', offsetReset: 'earliest', groupProtocol: 'classic' },
  })
  consumer.subscribe(['orders'])
  let read = 0
  while (read < 4) {
    for (const batch of await consumer.poll({ timeoutMs: 5_000 })) read += batch.recordCount
  }
  await consumer.commit()
}

const files = readdirSync(data, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && entry.name !== 'lock')
  .map((entry) => join(entry.parentPath, entry.name))
  .sort()
const { version } = JSON.parse(readFileSync(join(data, 'meta.json'), 'utf8')) as { version: number }
const content = Object.fromEntries(
  files.map((path) => [relative(data, path), readFileSync(path).toString('base64')]),
)
const target = fileURLToPath(new URL(`format-${version}.json`, import.meta.url))
writeFileSync(target, await format(JSON.stringify(content), { parser: 'json' }))
rmSync(folder, { recursive: true, force: true })
