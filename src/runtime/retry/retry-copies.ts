import type { ProducerRecord } from '../../client/index.ts'
import type { Clock } from '../../platform/index.ts'
import type { HeldWrites, PartitionCount } from '../dead-letter/held-writes.ts'
import { errorHeaders, placeHeaders } from '../dead-letter/trail.ts'
import type { TrailHeader } from '../dead-letter/trail.ts'
import type { Delivery } from '../delivery.ts'
import type { CopyBox, FailingPartition } from '../failure/failures.ts'
import { groupHeader, notBeforeHeader, roundsHeader } from './retry-copy.ts'
import type { RetryCopySettings } from './retry-settings.ts'

/** How a record is tried again later. */
export type CopyKind = RetryCopySettings['kind']

export interface RetryCopiesParts {
  readonly clock: Pick<Clock, 'now'>
  readonly writes: HeldWrites
  readonly groupId: string
  readonly settings: RetryCopySettings
  /** How many partitions a retry topic has, as far as the start has found out. */
  readonly partitionCount: PartitionCount
  readonly written: (delivery: Delivery, kind: CopyKind) => void
  readonly failed: (delivery: Delivery) => void
}

/** Headers that a copy has anew; all others go with it as they are, how often it was dead-lettered among them. */
const ownNames: ReadonlySet<string> = new Set([
  'source-topic',
  'source-partition',
  'source-offset',
  'original-topic',
  'original-partition',
  'original-offset',
  'original-timestamp',
  'attempts',
  'error-message',
  'error-class',
  groupHeader,
  roundsHeader,
  notBeforeHeader,
])

/**
 * Copies records whose attempts in place are spent, to be tried again later: into the retry topics of the group, one
 * after another, or into their own topic, behind what is there.
 */
export class RetryCopies implements CopyBox {
  readonly #parts: RetryCopiesParts

  constructor(parts: RetryCopiesParts) {
    this.#parts = parts
  }

  async forward(
    delivery: Delivery,
    error: unknown,
    partition: FailingPartition,
  ): Promise<'forwarded' | 'spent'> {
    const { writes, settings, written, failed } = this.#parts
    const make = this.#maker(delivery, error)
    if (make === undefined) return 'spent'
    const outcome = await writes.write({
      ...{ delivery, partition },
      what: 'the retry copy',
      record: make,
      failed: () => failed(delivery),
    })
    // With its headers it may be larger than its topic takes: it is tried no more, but not lost either.
    if (outcome === 'too-large') return 'spent'
    written(delivery, settings.kind)
    return 'forwarded'
  }

  /** Makes the copy; undefined when the record has been everywhere. */
  #maker(delivery: Delivery, error: unknown): (() => Promise<ProducerRecord>) | undefined {
    const { settings, clock } = this.#parts
    if (settings.kind === 'republish') {
      const rounds = delivery.copy?.rounds ?? 0
      if (rounds >= settings.times) return undefined
      const own: TrailHeader[] = [[roundsHeader, String(rounds + 1)]]
      return () => this.#copy(delivery, error, delivery.topic, own)
    }
    const next = settings.topics.behind(delivery.topic)
    if (next === undefined) return undefined
    return () => {
      const notBefore = String(clock.now() + next.delayMs)
      return this.#copy(delivery, error, next.name, [[notBeforeHeader, notBefore]])
    }
  }

  /** It is of the time when it is written: by the record's own, retention could take it away before it is read. */
  async #copy(
    delivery: Delivery,
    error: unknown,
    topic: string,
    own: readonly TrailHeader[],
  ): Promise<ProducerRecord> {
    const { groupId, partitionCount } = this.#parts
    const { record, partition } = delivery
    const isOwnTopic = topic === delivery.topic
    const count = isOwnTopic ? undefined : await partitionCount(topic, delivery.sourceTopic)
    const kept = record.headers.filter(({ key }) => !ownNames.has(key))
    return {
      topic,
      // Where the records of its key are, whoever has chosen that.
      partition: count === undefined ? partition : partition % count,
      key: record.key,
      value: record.value,
      headers: [
        ...kept.map(({ key, value }) => [key, value] as const),
        ...placeHeaders(delivery),
        ['attempts', String(delivery.attemptInAll)],
        ...errorHeaders(error),
        [groupHeader, groupId],
        ...own,
      ],
    }
  }
}
