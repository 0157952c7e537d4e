import type { ProducerRecord, RecordResult } from '../../client/index.ts'
import type { DataOf, EventContract, MessageContext } from '../../contract/index.ts'
import type { PublishOptions } from './handler-context.ts'

/** Does something with an event in the name of a message: its correlation goes on, and it is the cause. */
type Within<Answer> = <Contract extends EventContract>(
  event: Contract,
  data: DataOf<Contract>,
  options: PublishOptions | undefined,
  context: MessageContext,
) => Promise<Answer>

/** How handlers send. */
export interface Sending {
  /** Sends an event; resolves when it is acknowledged. */
  readonly publish: Within<RecordResult>
  /** Sends a record as it is; resolves when it is acknowledged. */
  readonly sendRecord: (record: ProducerRecord) => Promise<RecordResult>
  /** Under exactly-once: how what is sent becomes part of the record's end. */
  readonly staged: StagedSending | undefined
}

/** Prepares what is written together with the commit that says that a record has ended. */
export interface StagedSending {
  readonly prepare: Within<ProducerRecord>
  /** Rejects what could not be written. */
  readonly check: (record: ProducerRecord) => Promise<void>
}
