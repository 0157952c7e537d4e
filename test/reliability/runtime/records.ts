import type { SourceRecord } from '../../../src/driver/index.ts'
import type { SeededRandom } from '../../../src/testing/index.ts'
import type { RuntimeShape, Weather } from './shape.ts'

/** What handlers make of a record, every time. */
export type RecordKind =
  | 'plain'
  /** Its handler fails each time; trying again is allowed. */
  | 'bad'
  /** Its handler says at once that it is a dead letter. */
  | 'refused'
  /** It cannot be decoded. */
  | 'malformed'
  /** A rule passes over it. */
  | 'skipped'
  /** Whoever runs it dies. */
  | 'killer'

export interface MadeRecord {
  readonly key: string | null
  readonly value: string
}

/** The records of a world, in the order in which they are written. */
export function makeRecords(shape: RuntimeShape, random: SeededRandom): MadeRecord[] {
  const killers = shape.weather === 'killer' ? 1 + random.integer(2) : 0
  const killerAt = new Set(Array.from({ length: killers }, () => random.integer(shape.records)))
  const badOneIn = random.pick([20, 60, 1_000]) ?? 20
  return Array.from({ length: shape.records }, (_, id) => {
    const key = random.integer(20) === 0 ? null : `k-${random.integer(shape.keys)}`
    const kind = killerAt.has(id) ? 'killer' : kindOf(random, shape.weather, badOneIn)
    return { key, value: `${id} ${kind}` }
  })
}

function kindOf(random: SeededRandom, weather: Weather, badOneIn: number): RecordKind {
  // Many that are bad in themselves: none of them tells that an outage is over.
  if (weather === 'outage') return random.integer(4) > 0 ? 'plain' : 'malformed'
  if (random.integer(badOneIn) > 0) return 'plain'
  return random.pick(['bad', 'bad', 'refused', 'malformed', 'skipped'] as const) ?? 'bad'
}

export function kindIn({ value }: Pick<SourceRecord, 'value'>): RecordKind {
  return String(value).split(' ')[1] as RecordKind
}
