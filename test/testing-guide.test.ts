import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
// #region service
import { createService, defineEvent, defineTopic, Type } from '../src/index.ts'
import type { ServiceOptions } from '../src/index.ts'

const OrderCreated = defineEvent('ORDER_CREATED', { data: Type.Object({ orderId: Type.String() }) })
const orders = defineTopic('orders', {
  events: [OrderCreated],
  key: ({ data }) => data.orderId,
  partitions: 3,
})

type Surroundings = Omit<ServiceOptions, 'name'>

/** In production: createFulfilment({ kafka: kafkaFromEnv() }, ship).run() */
function createFulfilment(surroundings: Surroundings, ship: (orderId: string) => unknown) {
  const service = createService({ name: 'fulfilment', ...surroundings })
  service.consumer(orders, { start: 'earliest' }).on(OrderCreated, async ({ data }) => {
    await ship(data.orderId)
  })
  return service
}
// #endregion
// #region crash
import { startWorld } from '../src/testing/index.ts'
import { expect, it } from 'vitest'

it('ships every order though its process dies', async () => {
  const shipped = new Set<string>()
  await using world = await startWorld({
    topics: [orders],
    services: {
      fulfilment: (environment) =>
        createFulfilment(environment, async (orderId) => {
          await environment.platform.clock.sleep(200) // a warehouse takes its time
          shipped.add(orderId)
        }),
    },
  })
  world.faults.crashAfterNextCommit('fulfilment')
  world.faults.crashAtNextCommit('fulfilment')
  for (let n = 1; n <= 100; n++) {
    await world.publish(OrderCreated, { orderId: `o-${n}` })
    await world.advance(50)
  }
  await world.quiet()
  expect(shipped.size).toBe(100)
  expect(await world.deadLetters(orders)).toEqual([])
})
// #endregion
// #region seeds
for (let seed = 1; seed <= 5; seed++) {
  it(`repeats no order in a rolling update (seed ${seed})`, async () => {
    const shipped: string[] = []
    const make = (environment: Surroundings) =>
      createFulfilment(environment, (orderId) => shipped.push(orderId))
    const services = { fulfilment: { make, workers: 2 } }
    await using world = await startWorld({ seed, topics: [orders], services })
    const outgoing = Array.from({ length: 100 }, (_, n) => ({
      event: OrderCreated,
      data: { orderId: `o-${n}` },
    }))
    await Promise.all([world.publishMany(outgoing), world.restart('fulfilment')])
    await world.quiet()
    expect(new Set(shipped).size).toBe(100)
    expect(shipped).toHaveLength(100)
  })
}
// #endregion
// #region broker
import { closeConnection, startBroker } from '../src/testing/index.ts'

it('keeps what was acknowledged to nobody', async () => {
  await using broker = await startBroker()
  await broker.createTopic('orders', { partitions: 3 })
  // The write takes effect, and its answer is lost.
  using lost = broker.intercept('Produce', async (request, proceed) => {
    await proceed()
    lost[Symbol.dispose]()
    return closeConnection
  })
  await using service = createFulfilment({ kafka: { brokers: broker.bootstrap } }, () => undefined)
  await service.publish(OrderCreated, { orderId: 'o-1' })
  const records = [0, 1, 2].flatMap((partition) => broker.records('orders', partition))
  expect(records).toHaveLength(1)
  await broker.advanceTime(60_000)
})
// #endregion

const read = (path: string) => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8')
const guide = read('docs/guides/testing.md')

/** The code of this file between its marks, as a user would write it. */
function regions(): string[] {
  const code = read('test/testing-guide.test.ts')
    .replaceAll("'../src/index.ts'", "'millrace'")
    .replaceAll("'../src/testing/index.ts'", "'millrace/testing'")
  return [...code.matchAll(/^\/\/ #region \w+\n(.*?)^\/\/ #endregion$/gms)].map(
    ([, body = '']) => body,
  )
}

it('the guide has the code that runs here, and no other', () => {
  const blocks = [...guide.matchAll(/```ts\n(.*?)```/gs)].map(([, body = '']) => body)
  expect(blocks).toHaveLength(4)
  expect(blocks).toEqual(regions())
})

it('the test of the guide catches a handler that does not wait for its work', async () => {
  const shipped = new Set<string>()
  await using world = await startWorld({
    topics: [orders],
    services: {
      fulfilment: (environment) =>
        createFulfilment(environment, (orderId) => {
          const shipping = environment.platform.clock.sleep(200)
          void shipping.then(() => shipped.add(orderId))
        }),
    },
  })
  world.faults.crashAfterNextCommit('fulfilment')
  world.faults.crashAtNextCommit('fulfilment')
  for (let n = 1; n <= 100; n++) {
    await world.publish(OrderCreated, { orderId: `o-${n}` })
    await world.advance(50)
  }
  await world.quiet()
  expect(shipped.size).toBeGreaterThan(50)
  expect(shipped.size).toBeLessThan(100)
})

it('the guide shows what is said of a world that does not become quiet', async () => {
  await using world = await startWorld({
    topics: [orders],
    services: {
      fulfilment: (environment) =>
        createFulfilment(environment, async (orderId) => {
          if (orderId === 'o-7') await new Promise(() => undefined)
        }),
    },
  })
  for (let n = 1; n <= 20; n++) await world.publish(OrderCreated, { orderId: `o-${n}` })
  const error = await world.quiet().catch((thrown: unknown) => thrown as Error)
  const [, shown = ''] = /```text\n(.*?)```/s.exec(guide) ?? []
  const withoutTimes = (text: string) => text.replaceAll(/\d+ ms/g, 'ms')
  expect(withoutTimes(`NotQuietError: ${error?.message ?? ''}\n`)).toBe(withoutTimes(shown))
})

it('the guide has every option, method and fault', () => {
  const names = [
    ...membersOf(read('src/testing/world/world-options.ts'), 'export interface TestWorldOptions {'),
    ...membersOf(read('src/testing/world/test-world.ts'), 'export class TestWorld '),
    ...membersOf(read('src/testing/world/faults.ts'), 'export class WorldFaults '),
  ].filter(
    (name) =>
      !['faults', 'close', 'begin', 'constructor', 'pending', 'failure', 'intercept'].includes(
        name,
      ),
  )
  expect(names.length).toBeGreaterThan(25)
  expect(names.filter((name) => !new RegExp(`\`${name}[\`(]`).test(guide))).toEqual([])
})

/** The names of what a declaration has that is not private. */
function membersOf(code: string, declaration: string): string[] {
  const start = code.indexOf(declaration)
  expect(start).toBeGreaterThan(-1)
  const body = code.slice(start, code.indexOf('\n}', start))
  const members = body.matchAll(/^ {2}(?:readonly |async |get )*([a-z]\w*)[?:(<]/gm)
  return [...new Set([...members].map(([, member = '']) => member))]
}

it('needs nothing of a test runner', async () => {
  const program = fileURLToPath(
    new URL('../src/testing/world/fixture/under-node-test.ts', import.meta.url),
  )
  const { stdout } = await promisify(execFile)(process.execPath, [
    ...['--import', 'tsx', '--test', '--test-reporter', 'tap', program],
  ])
  expect(stdout).toMatch(/^# pass 1$/m)
})
