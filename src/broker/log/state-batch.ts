import { RecordBatchBuilder } from '../../protocol/records/index.ts'
import type { StateRecord, TransactionIdentity } from '../coordinator-log.ts'

/** The batch of a coordinator's records. It has no sequence numbers: nobody retries it. */
export function stateBatch(
  records: readonly StateRecord[],
  transaction: TransactionIdentity | undefined,
  nowMs: number,
): Buffer {
  const builder = new RecordBatchBuilder()
  for (const { key, value } of records) builder.append({ key, value, timestamp: nowMs })
  if (transaction === undefined) return builder.build()
  return builder.build({ ...transaction, isTransactional: true })
}
