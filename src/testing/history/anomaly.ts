/** The promises that a history is judged by. The folder's README says what each means. */
export type Invariant =
  'J1' | 'J2' | 'J3' | 'J4' | 'J5' | 'J6' | 'J7' | 'J8' | 'J9' | 'J10' | 'F2' | 'F3'

interface AnomalyRow {
  readonly invariant: Invariant
  readonly meaning: string
  /** Whether Kafka allows it, so that it is only counted. */
  readonly allowed: boolean
}

/** Everything the checker can find, and which promise it breaks. */
export const anomalies = {
  'inconsistent-offsets': {
    invariant: 'J1',
    meaning: 'one offset was seen with several values',
    allowed: false,
  },
  duplicate: {
    invariant: 'J2',
    meaning: 'a value that was sent once stands at several offsets',
    allowed: false,
  },
  'aborted-read': {
    invariant: 'J3',
    meaning: 'a record was read whose send or transaction failed',
    allowed: false,
  },
  'phantom-read': {
    invariant: 'J3',
    meaning: 'a record was read that nobody sent',
    allowed: false,
  },
  'lost-write': {
    invariant: 'J4',
    meaning: 'a committed record was read by nobody, though a later one was',
    allowed: false,
  },
  'precommitted-read': {
    invariant: 'J5',
    meaning: 'a transaction read a record that it sent itself',
    allowed: false,
  },
  'internal-poll-skip': {
    invariant: 'J6',
    meaning: 'one operation read past a record',
    allowed: false,
  },
  'internal-nonmonotonic-poll': {
    invariant: 'J6',
    meaning: 'one operation read a record and then the same or an earlier one',
    allowed: false,
  },
  'poll-skip': {
    invariant: 'J7',
    meaning: 'a process read past a record from one poll to the next',
    allowed: false,
  },
  'nonmonotonic-poll': {
    invariant: 'J7',
    meaning: 'a process went back from one poll to the next',
    allowed: false,
  },
  'internal-nonmonotonic-send': {
    invariant: 'J8',
    meaning: 'two records of one transaction stand in the log the other way round',
    allowed: false,
  },
  'nonmonotonic-send': {
    invariant: 'J8',
    meaning: 'two records that a process sent one after the other stand the other way round',
    allowed: false,
  },
  'internal-send-skip': {
    invariant: 'J8',
    meaning: "another writer's record stands between two of one transaction",
    allowed: true,
  },
  unseen: {
    invariant: 'J9',
    meaning: 'an acknowledged record was read by nobody, not even in the final phase',
    allowed: false,
  },
  vanished: {
    invariant: 'J9',
    meaning: 'a record that was read before is not there in the final phase',
    allowed: false,
  },
  'information-cycle': {
    invariant: 'J10',
    meaning: 'each of these had to happen before the next, in a circle (G1c)',
    allowed: false,
  },
  'information-cycle-by-write-order': {
    invariant: 'J10',
    meaning: 'a circle (G1c) that needs the order of writes, which Kafka does not isolate',
    allowed: true,
  },
  'write-cycle': {
    invariant: 'J10',
    meaning: 'the writes of these are interleaved (G0)',
    allowed: true,
  },
  'commit-past-unended': {
    invariant: 'F2',
    meaning: 'a group committed past a record that had not ended',
    allowed: false,
  },
  'commit-decreased': {
    invariant: 'F2',
    meaning: "a group's committed offset went back without a seek",
    allowed: false,
  },
  'overlapping-handlers': {
    invariant: 'F3',
    meaning: 'two handlers of one key of a group ran at the same time',
    allowed: false,
  },
  'handler-out-of-order': {
    invariant: 'F3',
    meaning: 'a handler started before an earlier record of its key had ended',
    allowed: false,
  },
} as const satisfies Record<string, AnomalyRow>

export type Anomaly = keyof typeof anomalies
