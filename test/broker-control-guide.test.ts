import { readFileSync } from 'node:fs'
import http from 'node:http'
import { expect, it } from 'vitest'
import { brokerControls } from '../src/cli/broker-controls.ts'
import { startControlServer } from '../src/cli/control-server.ts'
import { startBroker } from '../src/testing/index.ts'

const guide = readFileSync(new URL('../docs/guides/broker-control.md', import.meta.url), 'utf8')

interface Command {
  readonly method: string
  readonly path: string
  readonly headers: Record<string, string>
  readonly body: string | undefined
}

/** The commands of the guide, read as curl does. */
function commands(): Command[] {
  return [...guide.matchAll(/```sh\n(.*?)```/gs)]
    .flatMap(([, block = '']) => block.replaceAll('\\\n', ' ').split('\n'))
    .filter((line) => line.startsWith('curl '))
    .map((line) => {
      const url = /http:\/\/127\.0\.0\.1:9095([^' ]*)/.exec(line)?.[1] ?? ''
      const json = line.includes(`-H 'content-type: application/json'`)
      return {
        method: /-X (\w+)/.exec(line)?.[1] ?? 'GET',
        path: url,
        headers: json ? { 'content-type': 'application/json' } : {},
        body: /-d '([^']*)'/.exec(line)?.[1],
      }
    })
}

function run(port: number, { method, path, headers, body }: Command): Promise<number> {
  return new Promise((resolve, reject) => {
    const request = http.request({ host: '127.0.0.1', port, method, path, headers }, (response) => {
      response.resume()
      resolve(response.statusCode ?? 0)
    })
    request.on('error', reject)
    request.end(body)
  })
}

it('every command of the guide to the controls works', async () => {
  await using broker = await startBroker({
    nodes: 2,
    properties: { 'default.replication.factor': '2' },
  })
  await broker.createTopic('orders')
  const server = await startControlServer(0, brokerControls(broker))
  try {
    expect(commands().length).toBeGreaterThan(10)
    for (const command of commands()) {
      expect([command.path, await run(server.port, command)]).toEqual([command.path, 200])
    }
  } finally {
    await server.close()
  }
})

it('the guide names every control', () => {
  const nothing = {} as Parameters<typeof brokerControls>[0]
  for (const { path } of brokerControls(nothing)) {
    expect(guide).toContain(path.split('/:')[0])
  }
})
