import { partitionKey } from '../client/index.ts'
import type { CommittedOffset } from '../client/index.ts'
import type { RecordSource } from '../driver/index.ts'
import { highestOffset, readMetadata } from './ledger/commit-metadata.ts'
import type { Lineage } from './ledger/commit-metadata.ts'

/**
 * Of partitions whose commit names offsets above its own: those whose log has been cut below the highest of them since.
 * There are other records at these offsets now, or will be, so that what the commit says of them must not be believed.
 */
export async function findCutLogs(
  source: Pick<RecordSource, 'epochEnds'>,
  committed: Iterable<CommittedOffset>,
  lineage: Lineage,
  signal: AbortSignal,
): Promise<ReadonlySet<string>> {
  const highest = new Map<string, number>()
  const epochs = [...committed].flatMap(({ topic, partition, offset, metadata }) => {
    const { state } = readMetadata(metadata, { offset, lineage })
    const named = state === undefined ? undefined : highestOffset(state)
    const leaderEpoch = state?.leaderEpoch
    if (named === undefined || leaderEpoch === undefined) return []
    highest.set(partitionKey({ topic, partition }), named)
    return [{ topic, partition, leaderEpoch }]
  })
  if (epochs.length === 0) return new Set()
  const ends = await source.epochEnds(epochs, signal)
  const cut = ends.filter((end) => {
    const named = highest.get(partitionKey(end)) ?? -1
    return end.endOffset >= 0 && end.endOffset <= named
  })
  return new Set(cut.map(partitionKey))
}
