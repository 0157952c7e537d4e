import * as runtime from '../runtime/index.ts'
import type {
  RecordConsumerOptions,
  RecordReader,
  Service,
  ServiceOptions,
} from '../runtime/index.ts'
import { makeExactlyOnce } from './exactly-once.ts'

/**
 * Makes a service.
 *
 * @example
 * const service = createService({ name: 'fulfilment', kafka: { brokers: 'localhost:9092' } })
 * service.consumer(orders).on(OrderCreated, async (event) => ship(event.data))
 * await service.run()
 */
export function createService(options: ServiceOptions): Service {
  return runtime.createService(options, { makeExactlyOnce })
}

/**
 * Makes a consumer without contracts. Metrics and health are served when `metrics` says where.
 *
 * @example
 * const consumer = createConsumer({
 *   kafka: { brokers: 'localhost:9092' },
 *   groupId: 'audit',
 *   topics: ['orders', 'payments'],
 *   handler: async (record, { topic, signal }) => store(topic, record.value, signal),
 * })
 * await consumer.run()
 */
export function createConsumer(options: RecordConsumerOptions): RecordReader {
  return runtime.createConsumer(options, { makeExactlyOnce })
}
