import http from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createNodePlatform } from '../platform/index.ts'
import { createTopicsApi, metadataApi } from '../protocol/index.ts'
import { startBroker, TestBroker, WireClient } from '../testing/index.ts'
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

/** What stands for each method of a broker under test. */
const controlsOfMethods: Readonly<Record<string, readonly string[]>> = {
  intercept: ['POST /faults', 'GET /faults', 'DELETE /faults/:id'],
  requests: ['POST /requests/record', 'GET /requests', 'DELETE /requests'],
  createTopic: ['POST /topics'],
  moveLeader: ['POST /leaders'],
  moveCoordinator: ['POST /coordinators'],
  leader: ['GET /leaders/:topic'],
  stopNode: ['POST /nodes/:id/stop'],
  startNode: ['POST /nodes/:id/start'],
  dropConnections: ['POST /connections/drop'],
  expireSession: ['POST /sessions/expire'],
  applyRetention: ['POST /retention'],
  compact: ['POST /compaction'],
  expireOffsets: ['POST /offsets/expire'],
  abortTimedOutTransactions: ['POST /transactions/abort-timed-out'],
  now: ['GET /time'],
  advanceTime: ['POST /time/advance'],
  records: ['GET /records/:topic'],
  batches: ['GET /batches/:topic'],
}

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

  it.each([
    ['each', 'NOT_LEADER_OR_FOLLOWER', { topics: [{ name: 'orders', errorCode: 6 }] }],
    ['each', 41, { topics: [{ name: 'orders', errorCode: 41 }] }],
  ])('answer a request with an error (%s %s)', async (place, error, answer) => {
    await ask('POST', '/faults', { api: 'Metadata', action: 'error', error, place })
    await using client = await connect()
    const ofOrders = () => client.request(metadataApi, 9, { topics: [{ name: 'orders' }] })
    await expect(ofOrders()).resolves.toMatchObject(answer)
    await expect(ofOrders()).resolves.toMatchObject({ topics: [{ errorCode: 0 }] })
  })

  it.each([
    [false, 'COORDINATOR_NOT_AVAILABLE', 0],
    [true, 'COORDINATOR_NOT_AVAILABLE', 1],
  ])('answer with an error what has taken effect or not (%s)', async (takesEffect, error, made) => {
    const name = `effect-${String(takesEffect)}`
    const action = { action: 'error', error, place: 'each', takesEffect }
    await ask('POST', '/faults', { api: 'CreateTopics', ...action })
    await using client = await connect()
    const topic = { name, numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }
    const answer = await client.request(createTopicsApi, 5, { topics: [topic], timeoutMs: 1_000 })
    expect(answer.topics).toMatchObject([{ name, errorCode: 15 }])
    const { status } = await ask('GET', `/records/${name}`)
    expect(status).toBe(made === 1 ? 200 : 400)
  })

  it('make topics, and show leaders, batches and the time', async () => {
    const topic = { topic: 'made', partitions: 3, configs: { 'cleanup.policy': 'compact' } }
    expect((await ask('POST', '/topics', topic)).status).toBe(200)
    const node = broker.leader('made', 2)
    expect((await ask('GET', '/leaders/made?partition=2')).body).toEqual({ node })
    expect((await ask('GET', '/batches/made?partition=2')).body).toEqual([])
    const { ms } = (await ask('GET', '/time')).body as { ms: number }
    expect(broker.now() - ms).toBeGreaterThanOrEqual(0)
  })

  it('record requests', async () => {
    await ask('POST', '/requests/record')
    await using client = await connect()
    await metadata(client)
    const ofMetadata = () => ask('GET', '/requests?api=Metadata')
    expect((await ofMetadata()).body).toMatchObject([{ apiKey: 3, body: { topics: [] } }])
    expect((await ask('GET', '/requests?api=Fetch')).body).toEqual([])
    await ask('DELETE', '/requests')
    await metadata(client)
    expect((await ofMetadata()).body).toEqual([])
  })

  it('do all that millrace/testing lets a test do with its broker', async () => {
    const { body } = await ask('GET', '/')
    const offered = (body as { control: string }[]).map(({ control }) => control)
    expect(
      Object.values(controlsOfMethods)
        .flat()
        .filter((each) => !offered.includes(each)),
    ).toEqual([])
    const methods = Object.getOwnPropertyNames(TestBroker.prototype).filter(
      (name) =>
        typeof Object.getOwnPropertyDescriptor(TestBroker.prototype, name)?.value === 'function',
    )
    expect(methods.filter((name) => !(name in controlsOfMethods)).sort()).toEqual([
      // Who has started the process ends it.
      'close',
    ])
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
    ['POST', '/faults', { api: 'Metadata', action: 'error' }, /error \(undefined\)/],
    ['POST', '/faults', { api: 'Metadata', action: 'error', error: 'NO' }, /error \(NO\)/],
    [
      'POST',
      '/faults',
      { api: 'Metadata', action: 'error', error: 6, takesEffect: 1 },
      /takesEffect \(1\) must be true or false/,
    ],
    ['POST', '/topics', { topic: 'a/b' }, /'a\/b' cannot be made/],
    ['POST', '/topics', { topic: 'x', configs: [] }, /configs \(\[\]\) must be an object/],
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
