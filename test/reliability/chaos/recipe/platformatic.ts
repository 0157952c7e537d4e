import type { Readable } from 'node:stream'
import { loadPeer } from '../../../../benchmark/load-peer.ts'
import { untilToldToEnd, workOn } from '../recipe.ts'
import type { Recipe } from '../recipe.ts'

interface Message {
  readonly key: Buffer
  readonly value: Buffer
  commit(): Promise<void>
}

/** What is used of the package. */
interface Platformatic {
  readonly Producer: new (options: object) => {
    send(options: object): Promise<unknown>
    close(): Promise<void>
  }
  readonly Consumer: new (options: object) => {
    consume(
      options: object,
    ): Promise<Readable & AsyncIterable<Message> & { close(): Promise<void> }>
    close(force: boolean): Promise<void>
  }
}

/** `for await` over the stream of a consumer without automatic commits, and `message.commit()` behind each. */
export const recipe: Recipe = async (task) => {
  const { Producer, Consumer } = (await loadPeer(task.peers, 'platformatic-2')) as Platformatic
  const connection = { clientId: task.worker, bootstrapBrokers: [...task.brokers] }
  const producer = new Producer({ ...connection, idempotent: true, autocreateTopics: false })
  const consumer = new Consumer({
    ...connection,
    ...{ groupId: task.group, autocommit: false, sessionTimeout: task.sessionTimeoutMs },
    ...{ heartbeatInterval: task.heartbeatIntervalMs },
  })
  const stream = await consumer.consume({
    ...{ topics: [task.source], mode: 'committed', fallbackMode: 'earliest' },
  })
  void untilToldToEnd().then(() => stream.close())
  for await (const message of stream) {
    const value = Buffer.from(await workOn(message.value))
    await producer.send({ messages: [{ topic: task.target, key: message.key, value }] })
    await message.commit()
  }
  await consumer.close(true)
  await producer.close()
}
