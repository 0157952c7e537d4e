export { Type } from 'typebox'

export type { Awaitable } from './awaitable.ts'
export { ContractError, ContractViolation, DecodeError, EncodeError } from './contract-error.ts'
export type { ContractErrorCode, ContractErrorOptions, ContractProblem } from './contract-error.ts'

export { defineEvent, EventContract } from './event-contract.ts'
export type { EventOptions } from './event-contract.ts'
export { upcastFrom } from './upcast.ts'
export type { Upcast, Upcasts } from './upcast.ts'
export { jsonSchema } from './schema/event-schema.ts'
export type { EventSchema, JsonSchema, SchemaInput, SchemaOutput } from './schema/event-schema.ts'
export type {
  StandardIssue,
  StandardProperties,
  StandardResult,
  StandardSchema,
} from './schema/standard-schema.ts'

export { defineTopic, TopicContract } from './topic-contract.ts'
export type { TopicSettings } from './topic-contract.ts'
export type { ContentOf, EnvelopeName, TombstoneRule, TopicOptions } from './topic-options.ts'
export { durationMs } from './duration.ts'
export type { Duration } from './duration.ts'
export {
  checkTopicName,
  deadLetterTopicName,
  kindNaming,
  poisonTopicName,
  retryTopicName,
} from './topic-name.ts'
export type { TopicNaming } from './topic-name.ts'

export type { Event, EventContent, EventKey } from './event.ts'
export type { ContractsOf, DataOf, EventOf, HandlersOf } from './contract-types.ts'

export { decodeRecord, eventTypeOf } from './decode-record.ts'
export type {
  DecodedEvent,
  DecodedRecord,
  DecodedTombstone,
  DecodeOptions,
  UnhandledEvent,
} from './decode-record.ts'
export { encodeEvent, encodeTombstone } from './encode-event.ts'
export type { EncodedRecord, EncodeOptions } from './encode-event.ts'
export type { RawHeader, RawRecord } from './raw-record.ts'
export { headerNames } from './headers.ts'
export type { EncodedHeader } from './headers.ts'
export { contextOf, outgoingHeaders, traceOf } from './message-context.ts'
export type { MessageContext } from './message-context.ts'
export { createEventIds } from './event-id.ts'

export { bytesCodec } from './codec/bytes-codec.ts'
export { jsonCodec } from './codec/json-codec.ts'
export { textCodec } from './codec/text-codec.ts'
export type {
  Codec,
  CodecContext,
  ContractLimits,
  DecodeContext,
  EncodeContext,
} from './codec/codec.ts'

export { describeTopics, describeTopicsAsMarkdown } from './describe-topics.ts'
export type { EventDescription, TopicDescription } from './describe-topics.ts'
