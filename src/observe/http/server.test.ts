import { execFile, spawnSync } from 'node:child_process'
import http from 'node:http'
import { promisify } from 'node:util'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createNodePlatform } from '../../platform/index.ts'
import type { Platform, Socket } from '../../platform/index.ts'
import { createSimulation } from '../../testing/index.ts'
import type { NetworkConditions, Simulation } from '../../testing/index.ts'
import type { Route } from './connection.ts'
import { localRoute } from './routes.ts'
import { startHttpServer } from './server.ts'
import type { HttpServer, HttpServerOptions } from './server.ts'

const ok: Route = ({ path }) => ({ status: 200, contentType: 'text/plain', body: `at ${path}\n` })

const routes: Readonly<Record<string, Route>> = {
  '/metrics': ok,
  '/large': () => ({ status: 200, contentType: 'text/plain', body: `${'x'.repeat(600_000)}\n` }),
  '/empty': () => ({ status: 200, contentType: 'text/plain', body: new Uint8Array() }),
  '/throws': () => {
    throw new Error('the secret')
  },
  '/rejects': () => Promise.reject(new Error('the secret')),
  '/never': () => new Promise(() => undefined),
}

/** A route of its own for each test that needs time in the simulated world. */
const slow =
  (platform: Platform, ms: number): Route =>
  async (request) => {
    await platform.clock.sleep(ms)
    return ok(request)
  }

interface World {
  readonly simulation: Simulation
  readonly server: () => HttpServer
  readonly lines: string[]
}

/** A simulated machine that serves until the simulation is over. */
async function startWorld(
  options: Partial<HttpServerOptions> = {},
  network: Partial<NetworkConditions> = {},
  seed = 1,
): Promise<World> {
  const simulation = createSimulation({ seed, network })
  const lines: string[] = []
  let server: HttpServer | undefined
  simulation.host('server').start('server', async (platform) => {
    server = await startHttpServer({
      platform,
      host: '0.0.0.0',
      port: 9464,
      routes: { ...routes, '/slow': slow(platform, 3_000) },
      log: (level, message, fields) => lines.push(JSON.stringify({ level, message, ...fields })),
      ...options,
    })
    await new Promise(() => undefined)
  })
  await simulation.runUntil(() => server !== undefined, { withinMs: 1_000 })
  return { simulation, server: () => server as HttpServer, lines }
}

interface Client {
  readonly socket: Socket
  received: string
  closedAtMs: number | undefined
}

async function connect(platform: Platform): Promise<Client> {
  const socket = await platform.network.connect({ host: 'server', port: 9464, timeoutMs: 5_000 })
  const client: Client = { socket, received: '', closedAtMs: undefined }
  socket.start({
    data: (chunk) => (client.received += chunk.toString('latin1')),
    drained: () => undefined,
    ended: () => undefined,
    closed: () => (client.closedAtMs = platform.clock.elapsedMs()),
  })
  return client
}

const bytes = (text: string) => [Buffer.from(text, 'latin1')]

/** Sends text, and answers all that came back, and when the connection closed, if within 200 s. */
function exchange(world: World, ...texts: readonly string[]): Promise<Exchanged> {
  return exchangeWithPauses(world, 100, texts)
}

function exchangeWithPauses(
  { simulation }: World,
  pauseMs: number,
  texts: readonly string[],
): Promise<Exchanged> {
  return simulation.runProcess(
    'client',
    'client',
    async (platform) => {
      const client = await connect(platform)
      const beganMs = platform.clock.elapsedMs()
      for (const text of texts) {
        client.socket.write(bytes(text))
        await platform.clock.sleep(pauseMs)
      }
      await platform.clock.sleep(200_000)
      const closedAfterMs =
        client.closedAtMs === undefined ? undefined : client.closedAtMs - beganMs
      return { text: client.received, closedAfterMs }
    },
    { withinMs: 600_000 },
  )
}

interface Exchanged {
  readonly text: string
  readonly closedAfterMs: number | undefined
}

const get = (path: string, ...headers: readonly string[]) =>
  [`GET ${path} HTTP/1.1`, 'Host: a', ...headers, '', ''].join('\r\n')
const statuses = (text: string) => [...text.matchAll(/^HTTP\/1\.1 (\d+)/gm)].map(([, code]) => code)

describe('a server', () => {
  it('answers with the length, the type and the date of the answer', async () => {
    const { text } = await exchange(await startWorld(), get('/metrics', 'Connection: close'))
    expect(text.replace(/^Date: Thu, 01 Jan 2026 \S+ GMT\r\n/m, '')).toBe(
      [
        'HTTP/1.1 200 OK',
        'Connection: close',
        'Content-Type: text/plain',
        'Content-Length: 12',
        'Cache-Control: no-store',
        'X-Content-Type-Options: nosniff',
        '',
        'at /metrics\n',
      ].join('\r\n'),
    )
    expect(text).toContain('Date: ')
  })

  it('answers HEAD with the same and no body', async () => {
    const head = get('/large').replace('GET', 'HEAD')
    const { text } = await exchange(await startWorld(), `${head}${get('/empty')}`)
    expect(statuses(text)).toEqual(['200', '200'])
    expect([...text.matchAll(/Content-Length: (\d+)\r\n/g)].map(([, length]) => length)).toEqual([
      '600001',
      '0',
    ])
    expect(text).not.toContain('xx')
  })

  it('answers what it does not have, or does not do', async () => {
    const post = get('/metrics', 'Content-Length: 5').replace('GET', 'POST')
    const { text } = await exchange(
      await startWorld(),
      `${get('/nothing')}${post}hello${get('/__proto__')}${get('/metrics')}`,
    )
    expect(statuses(text)).toEqual(['404', '405', '404', '200'])
    expect(text).toContain('\r\nAllow: GET, HEAD\r\n')
  })

  it('answers requests in their order, also when a later one is quicker, one at a time', async () => {
    const requests = [get('/slow'), get('/metrics'), get('/slow'), get('/empty')]
    const together = await exchange(await startWorld(), requests.join(''))
    const { text } = await exchange(await startWorld(), ...requests)
    const answers = (answered: string) => answered.replaceAll(/^Date: .*\r\n/gm, '')
    expect(answers(together.text)).toBe(answers(text))
    expect([...text.matchAll(/at (\/\w+)/g)].map(([, path]) => path)).toEqual([
      '/slow',
      '/metrics',
      '/slow',
    ])
    expect(statuses(text)).toEqual(['200', '200', '200', '200'])
  })

  it('goes on after a route has failed, and tells the log what the client is not told', async () => {
    const world = await startWorld()
    const { text } = await exchange(world, `${get('/throws')}${get('/rejects')}${get('/metrics')}`)
    expect(statuses(text)).toEqual(['500', '500', '200'])
    expect(text).not.toContain('secret')
    expect(world.lines.filter((line) => line.includes('the secret'))).toHaveLength(2)
  })

  it('sends large answers to one who reads slowly, one after the other', async () => {
    const world = await startWorld({}, { bytesPerMs: 100, bufferBytes: 10_000 })
    const { text } = await exchange(world, `${get('/large')}${get('/large')}${get('/metrics')}`)
    expect(statuses(text)).toEqual(['200', '200', '200'])
    expect(text.match(/x{600000}/g)).toHaveLength(2)
  })

  it('reads no more than it can answer', async () => {
    const world = await startWorld()
    const count = 30_000
    const answered = await world.simulation.runProcess(
      'client',
      'client',
      async (platform) => {
        const client = await connect(platform)
        client.socket.write(bytes(get('/slow') + get('/empty').repeat(count)))
        await platform.clock.sleep(2_000)
        const heldBackBytes = client.socket.queuedBytes
        await platform.clock.sleep(60_000)
        return { heldBackBytes, count: statuses(client.received).length }
      },
      { withinMs: 600_000 },
    )
    // All but what is in the buffers of the network and of one connection.
    expect(answered.heldBackBytes).toBeGreaterThan(get('/empty').length * count - 600_000)
    expect(answered.count).toBe(count + 1)
  })

  it('closes a connection that says nothing, or not enough, or gets no answer', async () => {
    const world = await startWorld({ idleTimeoutMs: 20_000, requestTimeoutMs: 8_000 })
    const silent = await exchange(world)
    expect([silent.text, Math.round(silent.closedAfterMs! / 1_000)]).toEqual(['', 20])
    const trickle = ['GET /metrics HTTP/1.1\r\n', 'Host: ', 'a\r\n', 'X: y', '\r\n', '\r\n']
    const half = await exchangeWithPauses(world, 2_500, trickle)
    expect([statuses(half.text), Math.round(half.closedAfterMs! / 1_000)]).toEqual([['408'], 8])
    const bodiless = await exchange(world, get('/metrics', 'Content-Length: 9'), '12345')
    expect([statuses(bodiless.text), Math.round(bodiless.closedAfterMs! / 1_000)]).toEqual([
      ['200'],
      8,
    ])
    const never = await exchange(world, `${get('/never')}${get('/metrics')}`)
    expect([statuses(never.text), Math.round(never.closedAfterMs! / 1_000)]).toEqual([['503'], 10])
    const kept = await exchange(world, get('/metrics'))
    expect([statuses(kept.text), Math.round(kept.closedAfterMs! / 1_000)]).toEqual([['200'], 20])
  })

  it('destroys the connection of one who does not take its answer', async () => {
    const world = await startWorld({ sendTimeoutMs: 7_000 }, { bufferBytes: 10_000 })
    const closedAfterMs = await world.simulation.runProcess(
      'client',
      'client',
      async (platform) => {
        const client = await connect(platform)
        client.socket.write(bytes(get('/large')))
        client.socket.pause()
        await platform.clock.sleep(60_000)
        client.socket.resume()
        await platform.clock.sleep(60_000)
        return client.closedAtMs! - platform.clock.elapsedMs() + 60_000
      },
      { withinMs: 600_000 },
    )
    // What its buffers held it still gets, and then at once the end.
    expect(closedAfterMs).toBeLessThan(1_000)
  })

  it('has room for so many, the one idle longest gives way, and those at work do not', async () => {
    const world = await startWorld({ connectionsMax: 3 })
    const closed = await world.simulation.runProcess(
      'client',
      'client',
      async (platform) => {
        const clients: Client[] = []
        const add = async (text: string): Promise<void> => {
          const client = await connect(platform)
          clients.push(client)
          client.socket.write(bytes(text))
          await platform.clock.sleep(500)
        }
        await add(get('/slow'))
        await add(get('/metrics'))
        await add('')
        // The second has been idle since its answer, for longer than the third.
        await add(get('/slow'))
        await add(get('/slow'))
        await add(get('/metrics'))
        await platform.clock.sleep(5_000)
        return clients.map(({ closedAtMs, received }) => [
          closedAtMs !== undefined,
          statuses(received),
        ])
      },
      { withinMs: 60_000 },
    )
    expect(closed).toEqual([
      [false, ['200']],
      [true, ['200']],
      [true, []],
      [false, ['200']],
      [false, ['200']],
      [true, []],
    ])
    expect(world.lines).toHaveLength(1)
    expect(world.lines[0]).toContain('no room for more connections')
  })

  it('that closes answers what is under way, and nothing else', async () => {
    const world = await startWorld({ closeTimeoutMs: 5_000 })
    let closedAtMs = 0
    const seen = await world.simulation.runProcess(
      'client',
      'client',
      async (platform) => {
        const clients = [await connect(platform), await connect(platform), await connect(platform)]
        clients[0]!.socket.write(bytes(`${get('/slow')}${get('/metrics')}`))
        clients[1]!.socket.write(bytes(get('/never')))
        await platform.clock.sleep(100)
        const beganMs = platform.clock.elapsedMs()
        void world
          .server()
          .close()
          .then(() => (closedAtMs = platform.clock.elapsedMs() - beganMs))
        await platform.clock.sleep(200)
        await expect(connect(platform)).rejects.toMatchObject({ reason: 'refused' })
        await platform.clock.sleep(20_000)
        return clients.map(({ received, closedAtMs: atMs }) => [
          statuses(received),
          Math.round((atMs! - beganMs) / 1_000),
        ])
      },
      { withinMs: 60_000 },
    )
    expect(seen).toEqual([
      [['200'], 3],
      [[], 5],
      [[], 0],
    ])
    expect(Math.round(closedAtMs / 1_000)).toBe(5)
  })

  it('that closes lets a large answer be taken, and waits no longer than that', async () => {
    const network = { bytesPerMs: 100, bufferBytes: 10_000 }
    const world = await startWorld({ closeTimeoutMs: 60_000 }, network)
    const [length, tookMs] = await world.simulation.runProcess(
      'client',
      'client',
      async (platform) => {
        const client = await connect(platform)
        client.socket.write(bytes(get('/large')))
        await platform.clock.sleep(1_000)
        const beganMs = platform.clock.elapsedMs()
        await world.server().close()
        await platform.clock.sleep(100)
        return [client.received.length, platform.clock.elapsedMs() - beganMs] as const
      },
      { withinMs: 600_000 },
    )
    expect(length).toBeGreaterThan(600_000)
    expect(tookMs).toBeLessThan(20_000)
  })

  it('survives anything that is sent, however it is cut', async () => {
    const part = fc.oneof(
      { weight: 3, arbitrary: fc.constantFrom(get('/metrics'), get('/slow'), get('/large')) },
      fc.constantFrom('GET / HTTP', '/1.1\r\n', 'Host: a\r\n', '\r\n', 'Content-Length: 7\r\n\r\n'),
      fc.string({ unit: 'binary', maxLength: 60 }),
      fc.constantFrom('y'.repeat(9_000), 'X: y\r\n'.repeat(400)),
    )
    const stream = fc.array(part, { maxLength: 8 })
    await fc.assert(
      fc.asyncProperty(
        fc.array(stream, { minLength: 1, maxLength: 4 }),
        fc.nat(),
        async (streams, seed) => {
          const network = { splitProbability: 0.7, mergeProbability: 0.3, resetProbability: 0.02 }
          const world = await startWorld({}, network, seed)
          const run = streams.map((texts, i) =>
            world.simulation.host(`client-${i}`).start('client', async (platform) => {
              const client = await connect(platform).catch(() => undefined)
              for (const text of texts) {
                client?.socket.write(bytes(text))
                await platform.clock.sleep(platform.random.integer(2_000))
              }
              if (platform.random.integer(2) === 0) client?.socket.end()
              await platform.clock.sleep(10_000)
            }),
          )
          expect(run).toHaveLength(streams.length)
          await world.simulation.runFor(300_000)
          // It answers as if nothing had been.
          for (let attempt = 0, text = ''; !text.includes('at /metrics'); attempt++) {
            expect(attempt).toBeLessThan(20)
            text = (await exchange(world, get('/metrics', 'Connection: close'))).text
          }
          expect(world.lines).toEqual([])
        },
      ),
      { seed: 9, numRuns: 40 },
    )
  })
})

const hasCurl = spawnSync('curl', ['--version']).status === 0

describe('on this machine', () => {
  const platform = createNodePlatform()

  it('is on loopback where no host is given, and names a port that is in use', async () => {
    await using server = await startHttpServer({ platform, port: 0, routes })
    const { host, port } = server.local
    expect(host).toBe('127.0.0.1')
    await expect(startHttpServer({ platform, port, routes })).rejects.toMatchObject({
      code: 'MILLRACE_OPTION_INVALID',
      option: 'metrics.port',
      message: `metrics.port (${port}) is in use on 127.0.0.1 already: choose another, or 0 for any that is free`,
    })
    await expect(
      startHttpServer({ platform, port: 0, host: '203.0.113.7', routes, option: 'health' }),
    ).rejects.toMatchObject({ option: 'health.host' })
    await expect(startHttpServer({ platform, port: 70_000, routes })).rejects.toMatchObject({
      option: 'metrics.port',
    })
  })

  it('serves the client of Node, which keeps its connection', async () => {
    await using server = await startHttpServer({ platform, routes, port: 0 })
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
    const call = (path: string, method = 'GET') =>
      new Promise<{ status: number | undefined; length: number; port: number }>(
        (resolve, reject) => {
          const request = http.request({ ...server.local, path, method, agent }, (response) => {
            let length = 0
            const port = response.socket.localPort ?? 0
            response.on('data', (chunk: Buffer) => (length += chunk.length))
            response.on('end', () => resolve({ status: response.statusCode, length, port }))
          })
          request.on('error', reject)
          request.end(method === 'POST' ? 'some body' : undefined)
        },
      )
    const answers = [
      await call('/metrics'),
      await call('/large'),
      await call('/large', 'HEAD'),
      await call('/nothing'),
      await call('/metrics', 'POST').catch((error: unknown) => error),
    ] as Awaited<ReturnType<typeof call>>[]
    agent.destroy()
    expect(answers.map(({ status, length }) => [status, length])).toEqual([
      [200, 12],
      [200, 600_001],
      [200, 0],
      [404, 16],
      [405, 18],
    ])
    expect(new Set(answers.map(({ port }) => port)).size).toBe(1)
  })

  it('answers what is right below a path that ends with a slash, and nothing further down', async () => {
    const below: Route = ({ path }) => ({ status: 200, contentType: 'text/plain', body: path })
    const all = { ...routes, '/state/': below }
    await using server = await startHttpServer({ platform, routes: all, port: 0 })
    const ask = (path: string) => fetch(`http://127.0.0.1:${server.local.port}${path}`)
    expect(await (await ask('/state/a')).text()).toBe('/state/a')
    expect(await (await ask('/state/')).text()).toBe('/state/')
    expect(await (await ask('/metrics')).text()).toBe('at /metrics\n')
    expect((await ask('/state')).status).toBe(404)
    expect((await ask('/state/a/b')).status).toBe(404)
  })

  it.each([
    ['127.0.0.1:9464', 200],
    ['localhost', 200],
    ['[::1]:9464', 200],
    ['rebound.example:9464', 403],
    ['127.0.0.1.rebound.example', 403],
    ['', 403],
  ])('answers programs on this machine alone, where that was said: %s', async (host, status) => {
    const route = localRoute(() => ({ status: 200, contentType: 'text/plain', body: '' }))
    const request = { method: 'GET', path: '/state/a', query: '' }
    expect((await route({ ...request, headers: new Map([['host', host]]) })).status).toBe(status)
  })

  // Not every machine has curl; the client of Node is asked the same above.
  it.skipIf(!hasCurl)('serves curl', async () => {
    await using server = await startHttpServer({ platform, routes, port: 0 })
    const url = `http://127.0.0.1:${server.local.port}`
    const write = ['--silent', '--show-error', '--max-time', '20', '--write-out', ' %{http_code}']
    const curl = async (...options: readonly string[]) => {
      const { stdout } = await promisify(execFile)('curl', [...write, ...options])
      return stdout
    }
    expect(await curl(`${url}/metrics`)).toBe('at /metrics\n 200')
    expect(await curl('--http1.0', `${url}/metrics`)).toBe('at /metrics\n 200')
    expect(await curl('--head', `${url}/metrics`)).toMatch(/^HTTP\/1\.1 200 OK\r\n.* 200$/s)
    expect(await curl(`${url}/metrics`, `${url}/empty`)).toBe('at /metrics\n 200 200')
    expect(await curl('--data', 'x'.repeat(5_000), `${url}/metrics`)).toContain(' 405')
    expect(await curl('--header', `X: ${'y'.repeat(9_000)}`, `${url}/metrics`)).toContain(' 431')
  })
})
