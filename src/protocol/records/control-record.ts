import { ProtocolError } from '../../errors.ts'
import { RecordBatchBuilder } from './record-batch-builder.ts'
import type { Record } from './record.ts'

/*
 * A control batch has one record, the marker that ends a transaction in a partition (KIP-98):
 *
 *   key     version i16, type i16 (0 abort, 1 commit)
 *   value   version i16, coordinator epoch i32
 *
 * Later versions may append fields. Kafka's metadata log has further types; they are passed over.
 */

const controlTypes = ['abort', 'commit'] as const

/** How a transaction ended. */
export type TransactionOutcome = (typeof controlTypes)[number]

/** What a control record says. */
export type ControlRecord =
  | { readonly type: TransactionOutcome; readonly coordinatorEpoch: number }
  | { readonly type: 'unknown'; readonly typeId: number }

/** What a marker is made of. */
export interface ControlBatchInput {
  readonly type: TransactionOutcome
  readonly producerId: number
  readonly producerEpoch: number
  readonly coordinatorEpoch: number
  readonly timestamp: number
  /** @defaultValue 0 */
  readonly baseOffset?: number
  /** @defaultValue -1 */
  readonly partitionLeaderEpoch?: number
}

/** Builds the batch that ends a transaction in a partition. */
export function buildControlBatch(input: ControlBatchInput): Buffer {
  const key = Buffer.alloc(4)
  key.writeInt16BE(controlTypes.indexOf(input.type), 2)
  const value = Buffer.alloc(6)
  value.writeInt32BE(input.coordinatorEpoch, 2)
  const builder = new RecordBatchBuilder(128)
  builder.append({ key, value, timestamp: input.timestamp })
  return builder.build({
    baseOffset: input.baseOffset ?? 0,
    partitionLeaderEpoch: input.partitionLeaderEpoch ?? -1,
    producerId: input.producerId,
    producerEpoch: input.producerEpoch,
    isTransactional: true,
    isControl: true,
  })
}

/** Reads a record of a control batch. */
export function readControlRecord(record: Record): ControlRecord {
  const { key, value } = record
  if (key === null || key.length < 4) throw malformed(record, 'has no type')
  const version = key.readInt16BE(0)
  if (version < 0) throw malformed(record, `has version ${version}`)
  const typeId = key.readInt16BE(2)
  const type = controlTypes[typeId]
  if (type === undefined) return { type: 'unknown', typeId }
  if (value === null || value.length < 6) throw malformed(record, 'has no coordinator epoch')
  return { type, coordinatorEpoch: value.readInt32BE(2) }
}

function malformed(record: Record, problem: string): ProtocolError {
  return new ProtocolError(`control record: the one at offset ${record.offset} ${problem}`)
}
