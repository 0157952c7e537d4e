import { contextOf, createEventIds, encodeEvent } from '../../contract/index.ts'
import type { EncodedRecord } from '../../contract/index.ts'
import type { Clock, Random } from '../../platform/index.ts'
import { StateError } from '../state/state-error.ts'
import type { FlowSend } from '../task/stream-task.ts'

/** Makes records of the events that flows send. */
export class EventMaker {
  readonly #source: string
  readonly #newId: () => string

  /** `source` is the name of the service that sends them. */
  constructor(
    {
      clock,
      random,
    }: { readonly clock: Pick<Clock, 'now'>; readonly random: Pick<Random, 'bytes'> },
    source: string,
  ) {
    this.#source = source
    this.#newId = createEventIds(clock, random)
  }

  make({ topic, event, data, key, id = this.#newId(), timestamp, cause }: FlowSend): EncodedRecord {
    const source = this.#source
    const context = cause === undefined ? undefined : contextOf(cause.record, cause.id)
    const record = encodeEvent(topic, event, data as never, { id, timestamp, key, source, context })
    if (!(record instanceof Promise)) return record
    record.catch(() => undefined)
    throw new StateError(
      `the codec or schema of ${topic.name} is asynchronous, which a stream cannot wait for`,
    )
  }
}
