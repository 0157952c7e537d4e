/** The records of a run, and what handlers make of them. */

/** The longest that a handler works. */
export const longestMs = 40
/** How many runs of a record may fail before it is a dead letter. */
export const attemptsMax = 4
/** One run in so many fails for no reason of the record's. */
export const failsOneIn = 20
const badOneIn = 40

/** `bad` fails each time, `refused` says at once that it is a dead letter. */
export type RecordKind = 'plain' | 'bad' | 'refused'

export function valueOf(id: number): string {
  if (Math.random() * badOneIn >= 1) return `${id} plain`
  return `${id} ${Math.random() < 0.5 ? 'bad' : 'refused'}`
}

export function kindOf(value: string): RecordKind {
  return value.split(' ')[1] as RecordKind
}
