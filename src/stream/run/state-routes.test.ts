/**
 * Promise: what tables hold is answered to whoever asks the server of the service, where that was said and only there, in answers that end.
 *
 * Proves: 9
 */
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { createService } from '../../transaction/index.ts'
import { silentLog } from '../../observe/index.ts'
import { startBroker } from '../../testing/index.ts'
import { OrderCreated, orders } from '../fixture/shop.ts'
import type { ReadableTable } from '../index.ts'
import { createStream, streamOf, tumbling } from '../index.ts'
import { writtenResult } from '../operator/kept-result.ts'
import { measured } from '../state/state-key.ts'
import { stateRoute } from './state-routes.ts'

interface Answer {
  readonly status: number
  readonly body: {
    readonly rows?: readonly {
      readonly task: number
      readonly key: string
      readonly window?: { readonly start: number; readonly end: number }
      readonly value: unknown
    }[]
    readonly [name: string]: unknown
  }
}

const minuteMs = 60_000
const timestamp = Math.floor(Date.now() / minuteMs) * minuteMs

function sales() {
  const flow = streamOf(orders, { name: 'sales', events: OrderCreated })
  const cents = flow.sum('cents', ({ data }) => data.cents)
  const byMinute = flow.window(tumbling('1m')).count('by-minute', { keep: '1d', grace: '1h' })
  const secret = flow.count('secret')
  return { flow, cents, byMinute, secret }
}

type Sales = ReturnType<typeof sales>

/** A service with a stream that has worked these orders, and a way to ask its server. */
async function startSales(
  serve: ((made: Sales) => readonly ReadableTable<unknown>[]) | undefined,
  events: readonly { readonly orderId: string; readonly minute?: number }[],
) {
  const kafka = await startBroker({ properties: { 'group.initial.rebalance.delay.ms': '0' } })
  onTestFinished(() => kafka[Symbol.asyncDispose]())
  await kafka.createTopic(orders.name, { partitions: 2 })
  const made = sales()
  let address = ''
  const stream = createStream(made.flow, serve === undefined ? {} : { serve: serve(made) })
  const service = createService({
    ...{ name: 'shop', signals: false, metrics: { port: 0 }, topics: [orders] },
    kafka: { brokers: kafka.bootstrap, log: silentLog },
    log: (_level, message) => {
      address = /metrics at (http:\S+)\/metrics/.exec(message)?.[1] ?? address
    },
  })
  service.add(stream)
  await service.start()
  onTestFinished(() => service.stop())
  await service.publishMany(
    events.map(({ orderId, minute = 0 }) => ({
      event: OrderCreated,
      data: { orderId, cents: 100 },
      options: { timestamp: timestamp + minute * minuteMs },
    })),
  )
  const keys = new Set(events.map(({ orderId }) => orderId))
  await vi.waitFor(() => expect(stream.rows(made.cents)).toHaveLength(keys.size), 20_000)
  return async (path: string, headers: Record<string, string> = {}): Promise<Answer> => {
    const response = await fetch(`${address}${path}`, { headers })
    const text = await response.text()
    const isJson = response.headers.get('content-type')?.startsWith('application/json') === true
    return {
      status: response.status,
      body: isJson ? (JSON.parse(text) as Answer['body']) : { text },
    }
  }
}

describe('what tables hold', () => {
  it('is served nowhere unless that was said', async () => {
    const ask = await startSales(undefined, [{ orderId: 'o-1' }])
    for (const path of ['/state', '/state/', '/state/sales/', '/state/sales/cents']) {
      expect((await ask(path)).status).toBe(404)
    }
  })

  it('is answered by key, and of a key by time; tables that are not served are refused by name', async () => {
    const minutes = [0, 1, 2, 3].map((minute) => ({ orderId: 'o-1', minute }))
    const ask = await startSales(
      ({ cents, byMinute }) => [cents, byMinute],
      [...minutes, { orderId: 'o-2' }],
    )
    expect(await ask('/state/sales/')).toEqual({
      status: 200,
      body: { tables: ['cents', 'by-minute'] },
    })
    const one = await ask('/state/sales/cents?key=o-1')
    const [{ task } = { task: -1 }] = one.body.rows ?? []
    const head = { table: 'cents', tasks: [0, 1], taskCount: 2 }
    expect(one.body).toEqual({ ...head, rows: [{ task, key: 'o-1', value: 400 }] })
    expect((await ask('/state/sales/cents?key=o')).body).toEqual({ ...head, rows: [] })
    const [from, to] = [timestamp + minuteMs, timestamp + 3 * minuteMs]
    const some = await ask(`/state/sales/by-minute?key=o-1&from=${from}&to=${to}`)
    expect(some.body.rows?.map(({ window, value }) => [window?.start, value])).toEqual([
      [from, 1],
      [from + minuteMs, 1],
    ])
    const refused = await ask('/state/sales/secret')
    expect(refused).toEqual({
      status: 404,
      body: { error: "there is no table 'secret' to be read; there are cents, by-minute" },
    })
  })

  it('is answered page by page, each row once', async () => {
    const orderIds = Array.from({ length: 25 }, (_, index) => `o-${index}`)
    const ask = await startSales(
      ({ cents }) => [cents],
      orderIds.map((orderId) => ({ orderId })),
    )
    const found: string[] = []
    let after = ''
    do {
      const { body } = await ask(`/state/sales/cents?limit=4${after}`)
      expect(body.rows?.length).toBeLessThanOrEqual(4)
      found.push(...(body.rows ?? []).map(({ key }) => key))
      const { next } = body as { readonly next?: string }
      after = next === undefined ? '' : `&after=${next}`
    } while (after !== '')
    expect(found.sort()).toEqual(orderIds.sort())
  })

  it('comes to its end, however much there is', async () => {
    const { cents } = sales()
    const { form } = cents.parts
    const value = writtenResult(form, { end: 0, isClosed: false, value: 'x'.repeat(300_000) })
    let taken = 0
    const store = {
      *range(from: string) {
        for (;;) {
          taken++
          const key = `${from}${measured(String(taken))}`
          yield { key, value }
        }
      },
    }
    const route = stateRoute('/state/sales/', [cents], () => ({
      taskCount: 1,
      stores: [{ task: 0, store }],
    }))
    const request = { method: 'GET', path: '/state/sales/cents', headers: new Map() }
    const { body } = await route({ ...request, query: 'limit=1000' })
    const { rows, next } = JSON.parse(String(body)) as { rows: unknown[]; next: string }
    expect(rows).toHaveLength(4)
    expect(next).toMatch(/^0\./)
    expect(taken).toBe(5)
  })

  it('refuses questions that it does not understand, and what a web page could ask', async () => {
    const ask = await startSales(({ cents }) => [cents], [{ orderId: 'o-1' }])
    for (const [query, told] of [
      ['kee=o-1', /kee is not known; there are key, from/],
      ['limit=1001', /limit must be a whole number from 0 to 1000/],
      ['from=0', /from and to are of the windows of a key/],
      ['after=x', /after must be/],
      ['after=0.AAAA', /after must be/],
    ] as const) {
      const { status, body } = await ask(`/state/sales/cents?${query}`)
      expect(status).toBe(400)
      expect(body['error']).toMatch(told)
    }
    const fromAPage = { origin: 'https://shop.example' }
    expect((await ask('/state/sales/cents', fromAPage)).status).toBe(403)
    expect((await ask('/metrics', fromAPage)).status).toBe(200)
  })

  it('is refused where there is no server for it, or of a table of another flow', () => {
    const { flow, cents } = sales()
    expect(() => createStream(sales().flow, { serve: [cents] })).toThrow(/tables of sales/)
    const service = createService({
      ...{ name: 'shop', metrics: false, log: silentLog },
      kafka: { brokers: '127.0.0.1:1' },
    })
    service.add(createStream(flow, { serve: [cents] }))
    return expect(service.connect()).rejects.toThrow(
      /metrics \(false\) leaves no server that has \/state\/sales\//,
    )
  })
})
