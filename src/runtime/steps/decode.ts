import { decodeRecord } from '../../contract/index.ts'
import type { DecodedRecord, RawRecord, TopicContract } from '../../contract/index.ts'
import type { Delivery } from '../delivery.ts'
import type { Step } from '../outcome.ts'

/**
 * Reads each record by the contract of its topic. What is wrong with a record is thrown: it is a dead letter at once. A
 * record is read anew for every attempt, so that no attempt sees what an earlier one has changed in it.
 */
export function decodeStep(
  topics: ReadonlyMap<string, TopicContract>,
  handled: ReadonlySet<string>,
): Step {
  return (delivery, next) => {
    const topic = topics.get(delivery.sourceTopic)
    if (topic === undefined) return next(delivery)
    const options = { handled, fallbackId: () => coordinatesOf(delivery) }
    const decoded = decodeRecord(topic, delivery.record as RawRecord, options)
    if (decoded instanceof Promise) {
      return decoded.then((read) => {
        delivery.decoded = read
        return next(delivery)
      })
    }
    delivery.decoded = decoded
    return next(delivery)
  }
}

/** What stands for the id of an event that has none: where it is, or was first. */
export function coordinatesOf(delivery: Delivery): string {
  const { topic, partition, offset } = delivery.copy ?? delivery
  return `${topic}-${partition}-${offset}`
}

/** The event that was read; undefined for a tombstone and for what is not decoded. */
export function eventIn(decoded: DecodedRecord | undefined) {
  return decoded?.kind === 'event' ? decoded : undefined
}
