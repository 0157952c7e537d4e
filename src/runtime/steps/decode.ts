import { decodeRecord } from '../../contract/index.ts'
import type { DecodedRecord, RawRecord, TopicContract } from '../../contract/index.ts'
import type { Delivery } from '../delivery.ts'
import { LatestLookup } from '../latest-lookup.ts'
import type { LatestTime } from '../latest-time.ts'
import type { Outcome, Step, Way } from '../outcome.ts'

/**
 * Reads each record by the contract of its topic. What is wrong with a record is thrown: it is a dead letter at once. A
 * record is read anew for every attempt, so that no attempt sees what an earlier one has changed in it.
 */
export function decodeStep(
  topics: ReadonlyMap<string, TopicContract>,
  handled: ReadonlySet<string>,
  time: Pick<LatestTime, 'passes'>,
): Step {
  const contracts = new LatestLookup((name) => topics.get(name))
  const options = { handled }
  return (delivery, next) => {
    const topic = contracts.get(delivery.sourceTopic)
    if (topic === undefined) return next(delivery)
    const decoded = decodeRecord(topic, delivery.record as RawRecord, options)
    time.passes()
    if (decoded instanceof Promise) return goOnWith(decoded, delivery, next)
    delivery.decoded = identified(decoded, delivery)
    return next(delivery)
  }
}

async function goOnWith(
  decoded: Promise<DecodedRecord>,
  delivery: Delivery,
  next: Way,
): Promise<Outcome> {
  delivery.decoded = identified(await decoded, delivery)
  return next(delivery)
}

/** An event that has no id gets what stands for it. */
function identified(decoded: DecodedRecord, delivery: Delivery): DecodedRecord {
  if (decoded.kind !== 'event' || decoded.id !== undefined) return decoded
  return { ...decoded, event: { ...decoded.event, id: coordinatesOf(delivery) } }
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
