import type { SeekTarget, TopicPartition } from '../client/index.ts'
import type { RecordSource } from '../driver/index.ts'
import { OptionError } from '../errors.ts'
import { shown } from '../option-checks.ts'
import type { Clock } from '../platform/index.ts'

/** What is known of a partition that is sought. */
export interface SoughtPlace {
  readonly offset: number
  /** Behind the last record that can be read. */
  readonly logEnd: number
}

/** Finds the offset that is meant; refuses one that the partition does not have. */
export async function findSoughtPlace(
  source: Pick<RecordSource, 'beginningOffsets' | 'endOffsets' | 'offsetsForTimes'>,
  clock: Pick<Clock, 'now'>,
  { topic, partition }: TopicPartition,
  target: SeekTarget,
): Promise<SoughtPlace> {
  const places = [{ topic, partition }]
  const [[first], [end]] = await Promise.all([
    source.beginningOffsets(places),
    source.endOffsets(places),
  ])
  const logStart = first?.offset ?? 0
  const logEnd = end?.offset ?? logStart
  if (target === 'beginning') return { offset: logStart, logEnd }
  if (target === 'end') return { offset: logEnd, logEnd }
  if (typeof target === 'object' && !('offset' in target)) {
    const timestamp = 'timestamp' in target ? target.timestamp : clock.now() - target.agoMs
    const [found] = await source.offsetsForTimes([{ topic, partition, timestamp }])
    return { offset: found?.offset ?? logEnd, logEnd }
  }
  const offset = typeof target === 'number' ? target : target.offset
  if (Number.isSafeInteger(offset) && offset >= logStart && offset <= logEnd) {
    return { offset, logEnd }
  }
  const allowed = `must be an offset of ${topic}-${partition}, from ${logStart} to ${logEnd}`
  throw new OptionError('seek', `(${shown(offset)}) ${allowed}`)
}
