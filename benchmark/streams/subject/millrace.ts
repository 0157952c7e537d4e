import { readdirSync, statSync } from 'node:fs'
import { join as joinPath } from 'node:path'
import {
  createService,
  createStream,
  defineEvent,
  defineTopic,
  join,
  jsonSchema,
  lmdbStateStores,
  streamOf,
} from '../../../src/index.ts'
import type { Service, StateStores, StreamOptions } from '../../../src/index.ts'
import { committed } from '../committed.ts'
import {
  dataSchema,
  eventType,
  paid,
  paidSchema,
  paidType,
  paymentSchema,
  paymentType,
  priced,
  pricedType,
} from '../shop.ts'
import type { OrderPaid, OrderPlaced, PaymentCompleted } from '../shop.ts'
import { commitMs, windowHours } from '../task.ts'
import type { HalfwayClock, JoinTask, OpenTask, RestoreTask, Subject, WatchTask } from '../task.ts'

type JoinLike = JoinTask | OpenTask | RestoreTask | WatchTask

export interface Variant {
  /** A flow, or a consumer with a handler. */
  readonly as: 'flow' | 'consumer'
  /** One order and one payment of a key, or as many as there are. */
  readonly unique?: 'both'
}

const OrderEvent = defineEvent(eventType, { data: jsonSchema<OrderPlaced>(dataSchema) })
const PricedEvent = defineEvent(pricedType, { data: jsonSchema<OrderPlaced>(dataSchema) })
const PaymentEvent = defineEvent(paymentType, { data: jsonSchema<PaymentCompleted>(paymentSchema) })
const PaidEvent = defineEvent(paidType, { data: jsonSchema<OrderPaid>(paidSchema) })

const byOrder = ({ data }: { readonly data: { readonly orderId: string } }) => data.orderId

function topicsOf({ orders, payments, output }: JoinLike) {
  return {
    orders: defineTopic(orders, { events: [OrderEvent], key: byOrder }),
    payments: defineTopic(payments, { events: [PaymentEvent], key: byOrder }),
    paidOrders: defineTopic(output, { events: [PaidEvent], key: byOrder }),
  }
}

function service(bootstrap: string, name: string, log: (message: string) => void): Service {
  return createService({
    ...{ name, metrics: false, signals: false },
    kafka: { brokers: bootstrap, log: () => undefined },
    log: (_level, message) => log(message),
  })
}

const quiet = () => undefined

/** A join in a service; `restored` is told of each task whose state is there. */
function runJoin(
  task: JoinLike,
  bootstrap: string,
  parts: {
    readonly variant: Variant
    readonly clock?: HalfwayClock
    readonly log?: (message: string) => void
    readonly stores?: (stores: StateStores) => StateStores
    readonly options?: StreamOptions
  },
): Service {
  const { variant, clock, log = quiet, stores = (own) => own, options = {} } = parts
  const { orders, payments, paidOrders } = topicsOf(task)
  const flow = join(orders, payments, {
    name: 'paid',
    within: `${windowHours}h`,
    grace: '15m',
    ...(variant.unique !== undefined && { unique: variant.unique }),
  })
  flow.send(paidOrders, PaidEvent, ({ left, right }) => {
    clock?.worked()
    return paid(left.data, right.data)
  })
  const running = service(bootstrap, 'bench', log)
  running.add(
    createStream(flow, {
      groupId: task.group,
      commit: { intervalMs: commitMs },
      stores: stores(lmdbStateStores({ path: task.folder, log: quiet })),
      ...options,
    }),
  )
  return running
}

function started(running: Service): Promise<void> {
  return running.run()
}

export function subject(variant: Variant): Subject {
  return {
    async transform(task, { bootstrap, clock }) {
      const { input, output, group, guarantee, records, handlerMs = 0 } = task
      const orders = defineTopic(input, { events: [OrderEvent], key: byOrder })
      const pricedOrders = defineTopic(output, { events: [PricedEvent], key: byOrder })
      const running = createService({
        ...{ name: group, metrics: false, signals: false, log: quiet, topics: [pricedOrders] },
        kafka: { brokers: bootstrap },
      })
      const commit = { intervalMs: commitMs }
      if (variant.as === 'flow') {
        const flow = streamOf(orders, { name: 'priced' })
          .map(({ data }) => {
            clock.worked()
            return priced(data)
          })
          .send(pricedOrders, PricedEvent, (data) => data)
        running.add(createStream(flow, { groupId: group, commit }))
      } else {
        running
          .consumer(orders, {
            ...{ groupId: group, start: 'earliest', commit },
            exactlyOnce: guarantee === 'exactly-once',
            ...(handlerMs > 0 && { concurrency: 1_000 }),
          })
          .on(OrderEvent, async ({ data }, { send }) => {
            if (handlerMs > 0) await pause(handlerMs)
            clock.worked()
            await send(PricedEvent, priced(data))
          })
      }
      await Promise.race([clock.allWorked, started(running)])
      await committed(bootstrap, group, records)
      return clock.measurement()
    },

    async join(task, { bootstrap, clock }) {
      const running = runJoin(task, bootstrap, { variant, clock })
      await Promise.race([clock.allWorked, started(running)])
      await committed(bootstrap, task.group, 2 * task.records)
      return { ...clock.measurement(), diskMb: diskMb(task.folder) }
    },

    async open(task, { bootstrap, clock }) {
      const running = runJoin(task, bootstrap, { variant })
      clock.worked()
      await Promise.race([committed(bootstrap, task.group, task.records), started(running)])
      return { ...clock.measurement(), diskMb: diskMb(task.folder) }
    },

    async restore(task, { bootstrap }) {
      const beganMs = performance.now()
      let first = moment()
      let isFirst = true
      let restored = 0
      let finish: () => void = () => undefined
      const allRestored = new Promise<void>((resolve) => (finish = resolve))
      const running = runJoin(task, bootstrap, {
        variant,
        log: (message) => {
          if (message === 'a task is restored' && ++restored === 12) finish()
        },
        stores: (own) => ({
          has: (name) => own.has(name),
          close: () => own.close(),
          open: (name) => {
            if (isFirst) first = moment()
            isFirst = false
            return own.open(name)
          },
        }),
      })
      await Promise.race([allRestored, started(running)])
      const end = moment()
      const rate = (task.records * 1_000) / (end.ms - first.ms)
      const cpu = ((end.cpuSeconds - first.cpuSeconds) * 1e6) / task.records
      return {
        ...{ rate, cpuSecondsPerMillion: cpu, steadyRate: rate, steadyCpuSecondsPerMillion: cpu },
        peakMb: process.resourceUsage().maxRSS / 1024,
        diskMb: diskMb(task.folder),
        startMs: performance.now() - beganMs,
      }
    },

    async watch(task, { bootstrap }) {
      const { member, sessionTimeoutMs } = task
      let restored = 0
      const running = runJoin(task, bootstrap, {
        variant,
        log: (message) => {
          if (message === 'a task is restored') process.stdout.write(`running ${++restored}\n`)
        },
        options: {
          group: { groupInstanceId: member, sessionTimeoutMs, heartbeatIntervalMs: 1_000 },
        },
      })
      await started(running)
      return undefined
    },
  }
}

function moment() {
  const { user, system } = process.cpuUsage()
  return { ms: performance.now(), cpuSeconds: (user + system) / 1e6 }
}

function diskMb(folder: string): number {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
  const bytes = files
    .filter((file) => file.isFile())
    .reduce((sum, file) => sum + statSync(joinPath(file.parentPath, file.name)).blocks * 512, 0)
  return bytes / 2 ** 20
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))
