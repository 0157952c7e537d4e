/** Who does the work, and how: what a row of the table says of it. */
export interface ChaosClient {
  readonly name: string
  readonly title: string
  readonly recipe: string
  /** Needs a Node that the project does not. */
  readonly needsNode24?: boolean
}

export const clients: readonly ChaosClient[] = [
  { name: 'millrace', title: 'Millrace', recipe: 'a service with `exactlyOnce: true`' },
  {
    ...{ name: 'kafkajs-each-message', title: 'kafkajs 2.2.4' },
    recipe: '`eachMessage`, idempotent producer, `commitOffsets` behind each message',
  },
  {
    ...{ name: 'kafkajs-transactions', title: 'kafkajs 2.2.4' },
    recipe:
      'a transaction for each message with `sendOffsets`, an id for each partition, `initialRetryTime: 10` (its default does 3 a second)',
  },
  {
    ...{ name: 'platformatic', title: '@platformatic/kafka 2.12.1' },
    ...{ recipe: '`for await`, `autocommit: false`, `message.commit()`', needsNode24: true },
  },
  {
    ...{ name: 'confluent', title: '@confluentinc/kafka-javascript 1.10.1' },
    recipe: 'a transaction for each message with `sendOffsets`',
  },
]
