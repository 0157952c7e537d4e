import http from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createNodePlatform } from '../platform/index.ts'
import { metadataApi } from '../protocol/index.ts'
import { startBroker, WireClient } from '../testing/index.ts'
import type { TestBroker } from '../testing/index.ts'
import { brokerControls } from './broker-controls.ts'
import { startControlServer } from './control-server.ts'
import type { ControlServer } from './control-server.ts'
import { launch } from './launcher-fixture.ts'

let broker: TestBroker
let server: ControlServer
beforeAll(async () => {
  broker = await startBroker({ nodes: 2, properties: { 'default.replication.factor': '2' } })
  await broker.createTopic('orders')
  server = await startControlServer(0, brokerControls(broker))
})
afterAll(async () => {
  await server.close()
  await broker.close()
})

interface Answer {
  readonly status: number
  readonly body: unknown
}

/** Asks as a program does; headers come on top. */
function ask(
  method: string,
  path: string,
  body?: object | string,
  headers: Record<string, string> = {},
  port = server.port,
): Promise<Answer> {
  const sent = typeof body === 'object' ? JSON.stringify(body) : body
  return new Promise((resolve, reject) => {
    const request = http.request(
      {
        host: '127.0.0.1',
        port,
        method,
        path,
        headers: { ...(method === 'POST' && { 'content-type': 'application/json' }), ...headers },
      },
      (response) => {
        let text = ''
        response.on('data', (chunk) => (text += String(chunk)))
        response.on('end', () => {
          resolve({ status: response.statusCode ?? 0, body: JSON.parse(text) as unknown })
        })
      },
    )
    request.on('error', reject)
    request.end(sent)
  })
}

async function connect(): Promise<WireClient> {
  const port = Number(/:(\d+)/.exec(broker.bootstrap)?.[1])
  return WireClient.connect({ platform: createNodePlatform(), host: '127.0.0.1', port })
}

const metadata = (client: WireClient) => client.request(metadataApi, 9, { topics: [] })

describe('the controls of a broker', () => {
  it('are listed', async () => {
    const { status, body } = await ask('GET', '/')
    expect(status).toBe(200)
    expect(body).toContainEqual({ control: 'POST /nodes/:id/start', help: 'brings a node back' })
  })

  it.each(['close', 'lose-answer'])('let one request of an API fail (%s)', async (action) => {
    const { body } = await ask('POST', '/faults', { api: 'Metadata', action })
    expect(body).toMatchObject({ api: 'Metadata', action, left: 1 })
    await using client = await connect()
    await expect(metadata(client)).rejects.toThrow(/closed/)
    await using next = await connect()
    await expect(metadata(next)).resolves.toHaveProperty('clusterId')
    const { id } = body as { id: number }
    expect((await ask('GET', '/faults')).body).toContainEqual(
      expect.objectContaining({ id, left: 0 }),
    )
    expect((await ask('DELETE', `/faults/${id}`)).status).toBe(200)
  })

  it('let requests fail until the fault is taken away', async () => {
    const fault = { api: 'Metadata', action: 'close', times: null }
    const { id } = (await ask('POST', '/faults', fault)).body as { id: number }
    for (let attempt = 1; attempt <= 2; attempt++) {
      await using client = await connect()
      await expect(metadata(client)).rejects.toThrow(/closed/)
    }
    await ask('DELETE', `/faults/${id}`)
    await using client = await connect()
    await expect(metadata(client)).resolves.toHaveProperty('clusterId')
  })

  it('delay a request', async () => {
    await ask('POST', '/faults', { api: 'Metadata', action: 'delay', delayMs: 20 })
    await using client = await connect()
    await expect(metadata(client)).resolves.toHaveProperty('clusterId')
  })

  it('move leaders, nodes and time', async () => {
    const other = broker.leader('orders', 0) === 1 ? 2 : 1
    expect((await ask('POST', '/leaders', { topic: 'orders', node: other })).status).toBe(200)
    expect(broker.leader('orders', 0)).toBe(other)
    await ask('POST', `/nodes/${other}/stop`, { how: 'abruptly' })
    expect(broker.leader('orders', 0)).not.toBe(other)
    await ask('POST', `/nodes/${other}/start`)
    const before = broker.now()
    await ask('POST', '/time/advance', { ms: 3_600_000 })
    expect(broker.now() - before).toBeGreaterThanOrEqual(3_600_000)
    for (const path of ['/retention', '/compaction', '/offsets/expire', '/connections/drop']) {
      expect([path, (await ask('POST', path)).status]).toEqual([path, 200])
    }
    expect((await ask('GET', '/records/orders?partition=0')).body).toEqual([])
  })

  it.each([
    ['POST', '/faults', { api: 'Metdata', action: 'close' }, /did you mean 'Metadata'/],
    ['POST', '/faults', { api: 'Metadata', action: 'burn' }, /action \("burn"\) must be one of/],
    ['POST', '/faults', { api: 'Metadata', action: 'delay' }, /delayMs/],
    ['POST', '/leaders', { topic: 'none', node: 1 }, /none-0 does not exist/],
    ['POST', '/nodes/9/stop', {}, /node \(9\)/],
    ['DELETE', '/faults/99', undefined, /99/],
    ['POST', '/faults', 'no JSON', /body is not JSON/],
    ['POST', '/faults', '[]', /body must be a JSON object/],
  ] as const)('refuse %s %s %j', async (method, path, body, problem) => {
    const answer = await ask(method, path, body)
    expect(answer.status).toBe(400)
    expect(answer.body).toEqual({ error: expect.stringMatching(problem) as string })
  })

  it('are not for web pages, and not for other paths and methods', async () => {
    expect((await ask('GET', '/', undefined, { origin: 'https://page.test' })).status).toBe(403)
    expect((await ask('GET', '/', undefined, { host: 'page.test' })).status).toBe(403)
    const form = { 'content-type': 'text/plain' }
    expect((await ask('POST', '/retention', undefined, form)).status).toBe(403)
    expect((await ask('GET', '/unknown')).status).toBe(404)
    expect((await ask('GET', '/leaders')).status).toBe(405)
  })
})

it('millrace broker serves them where it was asked to', async () => {
  await using process = launch(['broker', '--port', '0', '--control', '0'])
  const [, port] = await process.said(/faults can be injected on http:\/\/127\.0\.0\.1:(\d+)\n/)
  await process.said(/listening on/)
  expect((await ask('POST', '/retention', {}, {}, Number(port))).status).toBe(200)
  process.kill('SIGTERM')
  expect(await process.ended()).toMatchObject({ code: 0, errors: '' })
})
