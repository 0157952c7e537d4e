import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createNodePlatform } from '../platform/index.ts'
import { createTopicsApi, metadataApi } from '../protocol/index.ts'
import { WireClient } from '../testing/index.ts'
import { launch } from './launcher-fixture.ts'
import type { Launched } from './launcher-fixture.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-cli-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

async function portOf(broker: Launched): Promise<number> {
  const [, port] = await broker.said(/listening on 127\.0\.0\.1:(\d+)\n/)
  return Number(port)
}

function wireClient(port: number): Promise<WireClient> {
  return WireClient.connect({ platform: createNodePlatform(), host: '127.0.0.1', port })
}

async function createTopic(client: WireClient, name: string): Promise<void> {
  await client.request(createTopicsApi, 7, {
    topics: [{ name, numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }],
    timeoutMs: 10_000,
  })
}

describe('millrace broker, as a process', () => {
  it('says where it listens, answers there, and ends in order at SIGTERM', async () => {
    await using broker = launch(['broker', '--port', '0'])
    {
      await using client = await wireClient(await portOf(broker))
      const { brokers } = await client.request(metadataApi, 12, { topics: [] })
      expect(brokers.map((node) => node.nodeId)).toEqual([1])
    }
    broker.kill('SIGTERM')
    expect(await broker.ended()).toMatchObject({ code: 0, errors: '' })
  })

  it('keeps what it was given in its data folder, which the next process opens', async () => {
    const data = join(folder, 'kept')
    {
      await using broker = launch(['broker', '--port', '0', '--data', data])
      await using client = await wireClient(await portOf(broker))
      await createTopic(client, 'orders')
      broker.kill('SIGTERM')
      expect(await broker.ended()).toMatchObject({ code: 0, errors: '' })
    }
    await using broker = launch(['broker', '--port', '0', '--data', data])
    await using client = await wireClient(await portOf(broker))
    const { topics } = await client.request(metadataApi, 12, { topics: null })
    expect(topics.map((topic) => topic.name)).toEqual(['orders'])
  })

  it('ends at once at a second signal, although a client holds its connection open', async () => {
    await using broker = launch(['broker', '--port', '0'])
    const socket = connect({ port: await portOf(broker), host: '127.0.0.1', allowHalfOpen: true })
    await once(socket, 'connect')
    socket.resume()
    // Answered only once the broker has taken the connection.
    socket.write(apiVersionsRequest)
    await once(socket, 'data')
    broker.kill('SIGTERM')
    await once(socket, 'end')
    broker.kill('SIGTERM')
    expect(await broker.ended()).toMatchObject({ code: 143 })
    socket.destroy()
  })

  it('ends with exit code 1 when the disk fails', async () => {
    const failing = join(folder, 'disk-fails')
    await using broker = launch(
      ['broker', '--port', '0', '--data', join(folder, 'failed')],
      `import fs from 'node:fs'
       const { fdatasync } = fs
       fs.fdatasync = (descriptor, done) => {
         if (!fs.existsSync(${JSON.stringify(failing)})) return fdatasync(descriptor, done)
         const error = new Error('EIO: i/o error, fdatasync')
         process.nextTick(done, Object.assign(error, { code: 'EIO' }))
       }`,
    )
    await using client = await wireClient(await portOf(broker))
    writeFileSync(failing, '')
    await Promise.allSettled([createTopic(client, 'orders')])
    const { code, errors } = await broker.ended()
    expect(code).toBe(1)
    expect(errors).toMatch(
      /^error: the disk has failed: the broker ends path=.* reason=.*i\/o error/m,
    )
  })

  it('ends with exit code 1 and one line when it cannot start on its disk', async () => {
    const data = join(folder, 'full')
    {
      await using broker = launch(['broker', '--port', '0', '--data', data])
      await portOf(broker)
      broker.kill('SIGTERM')
      await broker.ended()
    }
    await using broker = launch(
      ['broker', '--port', '0', '--data', data],
      `import fs from 'node:fs'
       fs.writevSync = () => {
         throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' })
       }`,
    )
    const { code, output, errors } = await broker.ended()
    expect({ code, output }).toEqual({ code: 1, output: '' })
    expect(errors).toMatch(/^millrace broker: cannot write .*: no space left on device\n$/)
  })
})

describe('a command line that is wrong', () => {
  it.each([
    [['broker', '--prot', '1'], 'millrace broker: --prot is not an option; did you mean --port?'],
    [
      ['broker', '--set', 'log.retention.huors=1'],
      /^millrace broker: .*log\.retention\.huors.*log\.retention\.hours/,
    ],
    [['broker', '--port', '70000'], /^millrace broker: --port \(70000\) must be a whole number/],
    [['broker', '--super-user', 'alice'], 'millrace broker: --super-user needs --acl'],
    [['broker', '--oauth-issuer', 'x'], 'millrace broker: --oauth-issuer needs --oauth-jwks'],
    [
      ['broker', '--as-version', '1.0'],
      'millrace broker: --as-version (1.0) must be one of 2.8, 3.9, 4.1',
    ],
    [['broker', '--mechanism', 'PLAIN'], 'millrace broker: mechanisms (PLAIN) needs users'],
    [['brokre'], "millrace: 'brokre' is not a command; did you mean 'broker'?"],
  ])('%j ends with exit code 2 and one line that says what to change', async (words, line) => {
    await using process = launch(words)
    const { code, output, errors } = await process.ended()
    expect({ code, output, lines: errors.split('\n').length }).toEqual({
      code: 2,
      output: '',
      lines: 2,
    })
    expect(errors.trimEnd()).toMatch(line)
  })
})

/** `size`, then ApiVersions version 0, correlation id 1, no client id. */
const apiVersionsRequest = Buffer.from('0000000a' + '0012' + '0000' + '00000001' + 'ffff', 'hex')
