import { makeHandling } from '../handling.ts'
import { partitionCount } from '../task.ts'
import type { Subject } from '../task.ts'

/** What is used of the package. */
interface Confluent {
  readonly KafkaJS: {
    readonly logLevel: { readonly NOTHING: number }
    readonly Kafka: new (options: object) => {
      consumer(options: object): {
        connect(): Promise<void>
        subscribe(what: { topic: string }): Promise<void>
        run(what: object): Promise<void>
      }
    }
  }
}

/** `eachMessage` with a partition each at once. */
export function subject({ KafkaJS: { Kafka, logLevel } }: Confluent): Subject {
  return {
    async consume(task, { bootstrap, stopwatch }) {
      const { handle, done } = makeHandling(task, stopwatch)
      const brokers = bootstrap.split(',')
      const kafka = new Kafka({
        kafkaJS: { clientId: 'bench', brokers, logLevel: logLevel.NOTHING },
      })
      const consumer = kafka.consumer({
        kafkaJS: { groupId: `bench-${process.pid}`, fromBeginning: true },
      })
      await consumer.connect()
      await consumer.subscribe({ topic: task.topic })
      await consumer.run({
        partitionsConsumedConcurrently: partitionCount,
        eachMessage: async () => handle(),
      })
      await done
    },
  }
}
