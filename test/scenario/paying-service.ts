/**
 * A service that pays orders, and can run as a process of its own. `MODE` says how it works (`records`, `exactly-once` or
 * `stream`), `COMMIT_INTERVAL_MS` how long it leaves what has ended without a commit.
 */
import { pathToFileURL } from 'node:url'
import { createService, createStream, defineEvent, defineTopic, join } from '../../src/index.ts'
import { kafkaFromEnv, Type } from '../../src/index.ts'
import type { Service, ServiceOptions } from '../../src/index.ts'

export type Mode = 'records' | 'exactly-once' | 'stream'

const data = Type.Object({ orderId: Type.String() })
const key = (event: { readonly data: { readonly orderId: string } }) => event.data.orderId

export const OrderCreated = defineEvent('ORDER_CREATED', { data })
export const PaymentCompleted = defineEvent('PAYMENT_COMPLETED', { data })
export const OrderPaid = defineEvent('ORDER_PAID', { data })
export const orders = defineTopic('orders', { events: [OrderCreated], key, partitions: 2 })
export const payments = defineTopic('payments', { events: [PaymentCompleted], key, partitions: 2 })
export const paid = defineTopic('paid', { events: [OrderPaid], key, partitions: 2 })

export interface PayingOptions {
  readonly mode: Mode
  readonly commitIntervalMs: number
  /** Is told of each order before anything of it is committed. */
  readonly tell: (orderId: string) => void
}

export function payingService(
  surroundings: Pick<ServiceOptions, 'kafka' | 'log' | 'platform' | 'signals' | 'topicPolicy'>,
  { mode, commitIntervalMs, tell }: PayingOptions,
): Service {
  const service = createService({
    ...{ name: 'paying', metrics: false, topics: [orders, payments, paid] },
    ...surroundings,
  })
  const group = { sessionTimeoutMs: 2_000, heartbeatIntervalMs: 300 }
  const options = { drainMs: 1_000, commit: { intervalMs: commitIntervalMs }, group }
  if (mode === 'stream') {
    const flow = join(orders, payments, { name: 'paid', within: '1h', grace: '1m' })
    flow.send(paid, OrderPaid, ({ right }) => {
      tell(right.data.orderId)
      return right.data
    })
    return service.add(createStream(flow, options))
  }
  const exactlyOnce = mode === 'exactly-once'
  service
    .consumer(orders, { ...options, exactlyOnce, start: 'earliest' })
    .on(OrderCreated, async (event, { send }) => {
      if (exactlyOnce) await send(OrderPaid, event.data)
      tell(event.data.orderId)
    })
  return service
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const service = payingService(
    {
      kafka: kafkaFromEnv(),
      log: (level, message) => process.stderr.write(`${level} ${message}\n`),
    },
    {
      mode: process.env['MODE'] as Mode,
      commitIntervalMs: Number(process.env['COMMIT_INTERVAL_MS'] ?? 100),
      tell: (orderId) => process.stdout.write(`worked ${orderId}\n`),
    },
  )
  await service.run()
  process.stdout.write('the program goes on\n')
}
