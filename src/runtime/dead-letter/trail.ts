import type { RecordBytes } from '../../client/index.ts'
import type { Delivery } from '../delivery.ts'
import { classOf, messageOf, originIn, originNames, timeIn } from './origin.ts'

export type TrailHeader = readonly [name: string, value: RecordBytes]

/** A record, and where it was read. */
export type TrailPlace = Pick<Delivery, 'topic' | 'partition' | 'offset' | 'record' | 'copy'>

const errorCharactersMax = 1_024

/** Where the record was read now, where it was first, and when it was written there. */
export function placeHeaders(delivery: TrailPlace): TrailHeader[] {
  const { topic, partition, offset } = delivery
  const origin = originOf(delivery)
  const first = [origin.topic, String(origin.partition), String(origin.offset)]
  const timestamp = timeIn(delivery.record.headers) ?? delivery.record.timestamp
  return [
    ['source-topic', topic],
    ['source-partition', String(partition)],
    ['source-offset', String(offset)],
    ...originNames.map((name, index): TrailHeader => [name, first[index] as string]),
    ...(timestamp < 0 ? [] : [['original-timestamp', String(timestamp)] as TrailHeader]),
  ]
}

/** Why it is here. */
export function errorHeaders(error: unknown): TrailHeader[] {
  return [
    ['error-message', messageOf(error).slice(0, errorCharactersMax)],
    ['error-class', classOf(error)],
  ]
}

/** As an earlier move has written it, if that is well formed; else where the record is. */
function originOf(delivery: TrailPlace) {
  return originIn(delivery.record.headers) ?? delivery.copy ?? delivery
}
