import type { ProducerRecord } from '../../client/index.ts'
import type { Driver, RecordSource } from '../../driver/index.ts'
import type { Log } from '../../observe/index.ts'
import type { Platform } from '../../platform/index.ts'
import { OptionError } from '../../errors.ts'
import type { CommitStrategy } from './commit-strategy.ts'

/** How a consumer writes and commits in one. */
export interface ExactlyOnceSettings {
  /** Undefined: one of this life of the process. */
  readonly transactionalId: string | undefined
  readonly transactionTimeoutMs: number
  /** How many bytes may wait to be written with the next commit. */
  readonly stagedBytesMax: number
}

/** Looks at what is to be written before it is part of a transaction. */
export interface Staging {
  /** Rejects what could not be written: it would make the whole transaction fail. */
  check(record: ProducerRecord): Promise<void>
}

/** What commits progress and writes outputs in one. */
export interface ExactlyOnce extends Staging {
  readonly strategy: CommitStrategy
}

export interface ExactlyOnceParts {
  readonly driver: Driver
  readonly platform: Platform
  readonly log: Log
  /** The member of the group whose offsets go with what is written. */
  readonly source: RecordSource
  readonly groupId: string
  readonly transactionalId: string
  readonly transactionTimeoutMs: number
  /** Nothing can be committed any more, and nothing here will mend it: the service ends. */
  readonly failed: (error: Error) => void
}

/** Makes what commits by transactions. It lies above the runtime, and is handed to it. */
export type MakeExactlyOnce = (parts: ExactlyOnceParts) => ExactlyOnce

/** Nothing was handed in that commits by transactions. */
export function noExactlyOnce(option: string): OptionError {
  return new OptionError(
    option,
    "is not part of 'millrace/runtime': import createService or createConsumer from 'millrace'",
  )
}
