import type { ContractLimits, DecodeContext } from '../codec/codec.ts'
import type { RawRecord } from '../raw-record.ts'
import type { TopicContract } from '../topic-contract.ts'

/** What a codec is told about bytes that it reads. */
export function decodeContext(
  topic: TopicContract,
  record: RawRecord,
  limits: ContractLimits,
  eventType: string | undefined,
  version: number | undefined,
): DecodeContext {
  return { topic: topic.name, eventType, version, limits, header: (name) => record.header(name) }
}
