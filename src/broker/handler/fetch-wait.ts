import type { PartitionLog } from '../log/index.ts'
import type { FetchedPartition, ReadRequest } from './fetch-read.ts'
import type { RequestContext } from './handler.ts'
import { untilCalled } from './until-called.ts'

interface WaitLimits {
  readonly minBytes: number
  readonly maxWaitMs: number
}

interface Watched {
  readonly log: PartitionLog
  readonly offset: number
  readonly bytesMax: number
  bytes: number
}

/**
 * Waits until the partitions hold `minBytes` that the reader may see, or time is up. Only the
 * partition that has changed is counted anew.
 */
export async function waitForBytes(
  request: ReadRequest,
  fetched: readonly FetchedPartition[],
  { minBytes, maxWaitMs }: WaitLimits,
  { broker }: RequestContext,
): Promise<void> {
  const isolation = request.committed ? 'committed' : 'uncommitted'
  const watched = fetched.flatMap(({ target, bytes }): Watched[] => {
    const log = broker.cluster.partition(target.topic, target.partition)?.log
    if (log === undefined) return []
    return [{ log, offset: target.fetchOffset, bytesMax: target.partitionMaxBytes, bytes }]
  })
  const { clock } = broker.platform
  let total = watched.reduce((sum, partition) => sum + partition.bytes, 0)
  await untilCalled(clock, maxWaitMs, (finish) =>
    watched.map((partition) => {
      const recount = () => {
        const bytes = partition.log.bytesAvailable(partition.offset, isolation, partition.bytesMax)
        total += bytes - partition.bytes
        partition.bytes = bytes
        // A log that was closed, or cut above the reader's offset, has an error to tell.
        const lost = partition.log.closed || partition.log.logStartOffset > partition.offset
        if (total >= minBytes || lost) finish()
      }
      return partition.log.onChange(recount)
    }),
  )
}
