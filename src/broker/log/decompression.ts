import { isMillraceError } from '../../errors.ts'
import { RecordBatch } from '../../protocol/records/index.ts'
import type { Record } from '../../protocol/records/index.ts'

/** What the records of a batch may take when they are decompressed. Honest batches stay far below. */
export const decompressedBytesMax = 134_217_728

/**
 * The records of a stored batch. Batches are stored without being decoded, so a producer may have
 * sent one whose records cannot be read; it is passed over.
 */
export function recordsOf(batch: Buffer): Record[] {
  try {
    return [...RecordBatch.at(batch).records(decompressedBytesMax)]
  } catch (error) {
    if (isUnreadable(error)) return []
    throw error
  }
}

/** Whether an error says that the records of a batch are not what they should be. */
export function isUnreadable(error: unknown): boolean {
  return (
    isMillraceError(error, 'MILLRACE_PROTOCOL_INVALID') ||
    isMillraceError(error, 'MILLRACE_PROTOCOL_TOO_LARGE') ||
    isMillraceError(error, 'MILLRACE_PROTOCOL_UNSUPPORTED')
  )
}
