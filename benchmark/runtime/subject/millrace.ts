import type * as ClientModule from '../../../src/client/index.ts'
import type * as PackageModule from '../../../src/index.ts'
import { dataSchema, eventType, makeOrder } from '../event.ts'
import type { OrderPlaced } from '../event.ts'
import { makeHandling, sendBatches } from '../handling.ts'
import { keyCount, partitionCount } from '../task.ts'
import type { ConsumeTask, StallTask, Subject } from '../task.ts'

/** `async`: the handler is an async function also where it does nothing, as most are. */
export type Variant = 'plain' | 'async'

/** A service or a consumer with all that is on by default; what is set is where to begin and how many at once. */
export function subject(
  {
    createConsumer,
    createProducer,
    createService,
    defineEvent,
    defineTopic,
    jsonSchema,
  }: typeof PackageModule,
  variant: Variant,
): Subject {
  const groupId = `bench-${process.pid}`
  const quiet = { metrics: false, signals: false, log: () => undefined } as const
  const contractOf = (topic: string) => {
    const OrderPlaced = defineEvent(eventType, { data: jsonSchema<OrderPlaced>(dataSchema) })
    const orders = defineTopic(topic, {
      events: [OrderPlaced],
      key: ({ data }) => data.orderId,
      partitions: partitionCount,
    })
    return { OrderPlaced, orders }
  }
  const handlerOf = (handle: () => Promise<void> | undefined) =>
    variant === 'async' ? async () => handle() : handle

  const consumeRecords = (task: ConsumeTask, bootstrap: string, handle: () => unknown) => {
    const consumer = createConsumer({
      ...quiet,
      kafka: { brokers: bootstrap },
      groupId,
      topics: task.topic,
      start: 'earliest',
      concurrency: task.concurrency,
      handler: handle,
    })
    return consumer.run()
  }
  const consumeEvents = (task: ConsumeTask, bootstrap: string, handle: () => unknown) => {
    const { OrderPlaced, orders } = contractOf(task.topic)
    const service = createService({ ...quiet, name: groupId, kafka: { brokers: bootstrap } })
    service
      .consumer(orders, { start: 'earliest', concurrency: task.concurrency })
      .on(OrderPlaced, handle)
    return service.run()
  }

  return {
    async consume(task, { bootstrap, stopwatch }) {
      const { handle, done } = makeHandling(task, stopwatch)
      const consume = task.reads === 'event' ? consumeEvents : consumeRecords
      await Promise.race([done, consume(task, bootstrap, handlerOf(handle))])
    },

    async publish({ topic, records }, { bootstrap, stopwatch }) {
      const { OrderPlaced, orders } = contractOf(topic)
      const producer = createProducer({
        kafka: { brokers: bootstrap },
        name: 'bench',
        topics: [orders],
        log: () => undefined,
      })
      await producer.publish(OrderPlaced, makeOrder(0, keyCount))
      stopwatch.start()
      await sendBatches(records, (first, count) =>
        producer.publishMany(
          Array.from({ length: count }, (_, index) => ({
            event: OrderPlaced,
            data: makeOrder(first + index, keyCount),
          })),
        ),
      )
      stopwatch.stop(records)
    },

    async stall({ topic, handled, watchMs }: StallTask, bootstrap) {
      let begun = 0
      const stalling = { kind: 'consume', topic, concurrency: 64 } as ConsumeTask
      const running = consumeRecords(stalling, bootstrap, () =>
        ++begun <= handled ? undefined : new Promise(() => undefined),
      )
      running.catch((error: unknown) => {
        throw error
      })
      let settledAt = performance.now()
      for (let seen = -1; begun === 0 || performance.now() - settledAt < 2_000;) {
        if (begun !== seen) settledAt = performance.now()
        seen = begun
        await pause(50)
      }
      const settledMb = residentMb()
      let laterMb = settledMb
      for (const from = performance.now(); performance.now() - from < watchMs;) {
        await pause(50)
        laterMb = Math.max(laterMb, residentMb())
      }
      return { settledMb, laterMb, peakMb: process.resourceUsage().maxRSS / 1024 }
    },
  }
}

/** The client alone: a handler is called for each record, and that is all. */
export function clientSubject({ createClient }: typeof ClientModule): Subject {
  return {
    async consume(task, { bootstrap, stopwatch }) {
      const { handle, done } = makeHandling(task, stopwatch)
      await using client = createClient({ brokers: bootstrap, log: () => undefined })
      await using consumer = client.consumer({
        groupId: `bench-${process.pid}`,
        offsetReset: 'earliest',
      })
      consumer.subscribe([task.topic])
      const read = async () => {
        for await (const batch of consumer) for (const record of batch) handleOne(record, handle)
      }
      await Promise.race([done, read()])
    },
  }
}

function handleOne(_record: unknown, handle: () => unknown): void {
  handle()
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))
const residentMb = () => process.memoryUsage.rss() / 2 ** 20
