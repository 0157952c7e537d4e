import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { startBroker } from '../src/broker/index.ts'
import { createClient } from '../src/client/index.ts'

/** Data folders of every format that there has been: see data-folder/make.ts. */
const formats = fileURLToPath(new URL('data-folder', import.meta.url))
const made = readdirSync(formats).filter((name) => /^format-\d+\.json$/.test(name))

let folder: string
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'millrace-format-'))))
afterEach(() => rmSync(folder, { recursive: true, force: true }))

function unpack(name: string): string {
  const files = JSON.parse(readFileSync(join(formats, name), 'utf8')) as Record<string, string>
  for (const [path, content] of Object.entries(files)) {
    const target = join(folder, path)
    mkdirSync(dirname(target), { recursive: true })
    writeFileSync(target, Buffer.from(content, 'base64'))
  }
  return folder
}

const users = { admin: 'secret' }
const authorizer = { superUsers: ['User:admin'] }
const sasl = {
  mechanism: 'PLAIN',
  credentials: { username: 'admin', password: 'secret' },
  allowWithoutTls: true,
} as const

describe.each(made)('a data folder as in %s', (name) => {
  it('is opened with all that is in it, and written to', async () => {
    await using broker = await startBroker({
      ...{ data: unpack(name), users, authorizer },
      // Nothing of it may be too old on the day of the test.
      properties: { 'offsets.retention.minutes': '2000000000', 'log.retention.ms': '-1' },
    })
    await using client = createClient({ brokers: broker.bootstrap, sasl, log: () => undefined })
    const admin = client.admin()
    const topics = await admin.topics.list()
    expect(topics.map((topic) => topic.name).sort()).toEqual(['latest', 'orders'])
    expect(broker.cluster.topic('orders')?.overrides.get('retention.ms')).toBe('1234567')
    expect(await admin.acls.describe()).toMatchObject([{ principal: 'User:billing' }])
    const offsets = await admin.groups.offsets('billing')
    expect(offsets).toHaveLength(2)
    expect(offsets).toContainEqual(expect.objectContaining({ partition: 0, offset: 3 }))
    expect(offsets).toContainEqual(expect.objectContaining({ partition: 1, offset: 4 }))
    await using producer = client.transactionalProducer({ transactionalId: 'payer' })
    await producer.transaction(async (transaction) => {
      await transaction.send({ topic: 'orders', partition: 1, value: 'new' })
    })
    await using reader = client.consumer({ offsetReset: 'earliest' })
    reader.assign([
      { topic: 'orders', partition: 0 },
      { topic: 'orders', partition: 1 },
      { topic: 'latest', partition: 0 },
    ])
    const values: string[] = []
    while (values.length < 7) {
      for (const batch of await reader.poll({ timeoutMs: 5_000 })) {
        for (const { value } of batch) values.push(String(value))
      }
    }
    expect(values.sort()).toEqual(
      ['committed', 'first', 'last', 'new', 'order 1', 'order 2', 'order 3'].sort(),
    )
  })
})

it('a data folder of a format that is not known yet is refused, and says so', async () => {
  const data = unpack(made[0] ?? '')
  writeFileSync(join(data, 'meta.json'), '{"format":"millrace-broker","version":99}')
  await expect(startBroker({ data })).rejects.toThrow(
    /meta\.json has format millrace-broker version 99, .*a newer release has written it/,
  )
})
