import type {
  Consumer,
  Kafka as KafkaClass,
  logLevel as Levels,
  Producer,
  RetryOptions,
  Transaction,
} from 'kafkajs'
import { loadPeer } from '../../../../benchmark/load-peer.ts'
import { untilToldToEnd, workOn } from '../recipe.ts'
import type { Recipe, RecipeTask } from '../recipe.ts'

interface KafkaJs {
  readonly Kafka: typeof KafkaClass
  readonly logLevel: typeof Levels
}

async function connect(
  task: RecipeTask,
  retry?: RetryOptions,
): Promise<InstanceType<typeof KafkaClass>> {
  const { default: kafkajs } = (await loadPeer(task.peers, 'kafkajs')) as { default: KafkaJs }
  const { Kafka, logLevel } = kafkajs
  const clientId = task.worker
  return new Kafka({
    ...{ clientId, brokers: [...task.brokers], logLevel: logLevel.NOTHING },
    ...(retry !== undefined && { retry }),
  })
}

async function consumerOf(
  kafka: InstanceType<typeof KafkaClass>,
  { group, source, sessionTimeoutMs, heartbeatIntervalMs }: RecipeTask,
): Promise<Consumer> {
  const consumer = kafka.consumer({
    ...{ groupId: group, readUncommitted: false },
    ...{ sessionTimeout: sessionTimeoutMs, heartbeatInterval: heartbeatIntervalMs },
  })
  await consumer.connect()
  await consumer.subscribe({ topic: source, fromBeginning: true })
  return consumer
}

const behind = (offset: string) => String(Number(offset) + 1)

/** "Manual committing": `eachMessage`, an idempotent producer, and a commit behind each message. */
export const eachMessage: Recipe = async (task) => {
  const { source: topic, target } = task
  const kafka = await connect(task)
  const producer = kafka.producer({ idempotent: true })
  await producer.connect()
  const consumer = await consumerOf(kafka, task)
  await consumer.run({
    autoCommit: false,
    eachMessage: async ({ partition, message: { key, value, offset } }) => {
      await producer.send({ topic: target, messages: [{ key, value: await workOn(value) }] })
      await consumer.commitOffsets([{ topic, partition, offset: behind(offset) }])
    },
  })
  await untilToldToEnd()
  await consumer.disconnect()
  await producer.disconnect()
}

/** "Transactions": send and `sendOffsets` in one, with a transactional id for each partition that is read. */
export const transactions: Recipe = async (task) => {
  const { group, source: topic, target } = task
  // Left to its default it waits 300 ms after each commit, and comes to three records a second.
  const kafka = await connect(task, { initialRetryTime: 10, retries: 20 })
  const producers = new Map<number, Promise<Producer>>()
  const newProducer = async (partition: number): Promise<Producer> => {
    const transactionalId = `${group}-${topic}-${partition}`
    const producer = kafka.producer({ transactionalId, maxInFlightRequests: 1, idempotent: true })
    await producer.connect()
    return producer
  }
  const producerOf = (partition: number): Promise<Producer> => {
    const producer = producers.get(partition) ?? newProducer(partition)
    producers.set(partition, producer)
    return producer
  }
  const begin = async (partition: number): Promise<Transaction> => {
    try {
      return await (await producerOf(partition)).transaction()
    } catch (error) {
      producers.delete(partition)
      throw error
    }
  }
  const consumer = await consumerOf(kafka, task)
  await consumer.run({
    autoCommit: false,
    eachMessage: async ({ partition, message: { key, value, offset } }) => {
      const made = await workOn(value)
      const transaction = await begin(partition)
      try {
        await transaction.send({ topic: target, messages: [{ key, value: made }] })
        await transaction.sendOffsets({
          consumerGroupId: group,
          topics: [{ topic, partitions: [{ partition, offset: behind(offset) }] }],
        })
        await transaction.commit()
      } catch (error) {
        // One that was fenced meanwhile, because its partition was elsewhere, never works again.
        producers.delete(partition)
        await transaction.abort().catch(() => undefined)
        throw error
      }
    },
  })
  await untilToldToEnd()
  await consumer.disconnect()
  for (const producer of producers.values()) await (await producer).disconnect()
}
