import { makeEventCheck, makeHandling } from '../handling.ts'
import type { Subject } from '../task.ts'

/** What is used of the package; both versions have it. */
interface Platformatic {
  readonly Consumer: new (options: object) => {
    consume(options: object): Promise<AsyncIterable<{ value: Buffer }>>
  }
}

/** A loop over its stream, and by hand what it does not do. */
export function subject({ Consumer }: Platformatic): Subject {
  return {
    async consume(task, { bootstrap, stopwatch }) {
      const { handle, done } = makeHandling(task, stopwatch)
      const check = task.reads === 'event' ? makeEventCheck() : undefined
      const consumer = new Consumer({
        clientId: 'bench',
        groupId: `bench-${process.pid}`,
        bootstrapBrokers: bootstrap.split(','),
        autocommit: 1_000,
      })
      const stream = await consumer.consume({ topics: [task.topic], mode: 'earliest' })
      const read = async () => {
        for await (const { value } of stream) {
          check?.(value)
          await handle()
        }
      }
      await Promise.race([done, read()])
    },
  }
}
