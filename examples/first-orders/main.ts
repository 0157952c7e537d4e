/**
 * Starts the embedded broker, sends a few orders to it with kafkajs, reads them back in a consumer
 * group, and says what happened. Nothing outside this process is needed, and nothing stays behind.
 */
import { Kafka, logLevel } from 'kafkajs'
import { startBroker } from 'millrace/broker'

interface OrderCreated {
  readonly id: string
  readonly type: 'ORDER_CREATED'
  readonly timestamp: string
  readonly data: { readonly orderId: string; readonly userId: string; readonly totalAmount: number }
}

const topic = 'orders.events.v1'
const users = ['ada', 'grace', 'barbara']
const orderCount = 6

function order(number: number): OrderCreated {
  return {
    id: crypto.randomUUID(),
    type: 'ORDER_CREATED',
    timestamp: new Date().toISOString(),
    data: {
      orderId: `order-${number}`,
      userId: users[number % users.length] ?? 'nobody',
      totalAmount: 10 * (number + 1),
    },
  }
}

const say = (text: string) => process.stdout.write(`${text}\n`)

await using broker = await startBroker({ properties: { 'num.partitions': '3' } })
say(`The embedded broker listens on ${broker.bootstrap} (in memory, gone when this ends).`)

const kafka = new Kafka({
  clientId: 'first-orders',
  brokers: broker.bootstrap.split(','),
  logLevel: logLevel.NOTHING,
})

const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 })
await producer.connect()
const sent = await producer.send({
  topic,
  messages: Array.from({ length: orderCount }, (_, number) => {
    const event = order(number)
    return { key: event.data.userId, value: JSON.stringify(event) }
  }),
})
say(`${orderCount} orders of ${users.length} users were sent to ${topic}:`)
for (const { partition, baseOffset } of sent) {
  say(`  partition ${partition}, from offset ${baseOffset ?? '?'} on`)
}
await producer.disconnect()

const consumer = kafka.consumer({ groupId: 'fulfilment' })
await consumer.connect()
await consumer.subscribe({ topic, fromBeginning: true })
let received = 0
await new Promise<void>((resolve) => {
  void consumer.run({
    eachMessage: async ({ partition, message }) => {
      const event = JSON.parse(message.value?.toString() ?? '') as OrderCreated
      const { orderId, userId, totalAmount } = event.data
      say(
        `  ${orderId} of ${userId.padEnd(8)} ${String(totalAmount).padStart(3)} EUR  (partition ${partition}, offset ${message.offset})`,
      )
      received += 1
      if (received === orderCount) resolve()
      await Promise.resolve()
    },
  })
})
await consumer.disconnect()
say(`All ${orderCount} came back, each user's in order, to the consumer group 'fulfilment'.`)
say('')
say("Your own client connects the same way: npx millrace broker, then bootstrap '127.0.0.1:9092'.")
