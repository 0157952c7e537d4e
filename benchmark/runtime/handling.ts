import { randomUUID } from 'node:crypto'
import { Ajv } from 'ajv'
import type { Stopwatch } from '../stopwatch.ts'
import { envelopeSchema, eventType, makeOrder } from './event.ts'
import { batchRecords, keyCount } from './task.ts'
import type { ConsumeTask } from './task.ts'

/** A handler that takes its time, and is counted. */
export interface Handling {
  /** Answers a promise only where it takes time. */
  readonly handle: () => Promise<void> | undefined
  /** Resolves when all records have been handled; the clock has stopped then. */
  readonly done: Promise<void>
}

/** The clock runs from the first record that comes to the last one that is done. */
export function makeHandling(
  { records, handlerMs: [minMs, maxMs] }: ConsumeTask,
  stopwatch: Stopwatch,
): Handling {
  let begun = 0
  let ended = 0
  let finish: () => void = () => undefined
  const done = new Promise<void>((resolve) => (finish = resolve))
  const end = () => {
    if (++ended !== records) return
    stopwatch.stop(records)
    finish()
  }
  const handle = () => {
    if (begun++ === 0) stopwatch.start()
    if (maxMs === 0) {
      end()
      return undefined
    }
    return new Promise<void>((resolve) => {
      const elapse = () => {
        end()
        resolve()
      }
      setTimeout(elapse, minMs + Math.random() * (maxMs - minMs))
    })
  }
  return { handle, done }
}

const ajv = new Ajv()

/** What is done by hand for each record that has to be an event. */
export function makeEventCheck(): (value: Buffer) => void {
  const validate = ajv.compile(envelopeSchema)
  return (value) => {
    const event: unknown = JSON.parse(value.toString())
    if (!validate(event)) throw new Error(ajv.errorsText(validate.errors))
  }
}

/** A message as it is made by hand for an event, checked. */
export function makeMessages(): (index: number) => {
  key: string
  value: string
  headers: Record<string, string>
} {
  const validate = ajv.compile(envelopeSchema)
  return (index) => {
    const data = makeOrder(index, keyCount)
    const id = randomUUID()
    const event = { id, type: eventType, timestamp: Date.now(), data }
    if (!validate(event)) throw new Error(ajv.errorsText(validate.errors))
    return {
      key: data.orderId,
      value: JSON.stringify(event),
      headers: {
        'event-type': eventType,
        'content-type': 'application/json',
        'schema-version': '1',
        'source-service': 'bench',
        'correlation-id': id,
      },
    }
  }
}

/** Sends batches, four of which are not awaited. */
export async function sendBatches(
  records: number,
  send: (first: number, count: number) => Promise<unknown>,
): Promise<void> {
  const running = new Set<Promise<unknown>>()
  for (let sent = 0; sent < records; sent += batchRecords) {
    const sending = send(sent, batchRecords).finally(() => running.delete(sending))
    running.add(sending)
    if (running.size >= 4) await Promise.race(running)
  }
  await Promise.all(running)
}
