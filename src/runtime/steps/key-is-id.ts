import type { Log } from '../../observe/index.ts'
import type { Step } from '../outcome.ts'
import { eventIn } from './decode.ts'

/** So many events of a topic are looked at. */
const lookedAtMax = 100

/**
 * Warns once of a topic whose records have their event's id as key. Either every record is alone in its key, and
 * nothing keeps an order; or the id is a business key, and later events of it look like repetitions of the first.
 */
export function keyIsIdStep(log: Log): Step {
  const left = new Map<string, number>()
  return (delivery, next) => {
    const { topic, record } = delivery
    const rest = left.get(topic) ?? lookedAtMax
    if (rest === 0) return next(delivery)
    const id = eventIn(delivery.decoded)?.id
    if (id === undefined || record.key === null) return next(delivery)
    const isSame = record.key.toString() === id
    left.set(topic, isSame ? 0 : rest - 1)
    if (isSame) {
      const problem = `records of ${topic} have the id of their event as key`
      const harm = 'no two of them keep an order, or the id is a business key and is not unique'
      log('warn', `${problem}: ${harm}; let the contract's key be what has to stay in order`, {
        topic,
        offset: delivery.offset,
      })
    }
    return next(delivery)
  }
}
