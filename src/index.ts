/**
 * What a service needs: contracts, consumers, producers. The Kafka client alone is `millrace/client`, the embedded broker
 * `millrace/broker`, and what tests need `millrace/testing`.
 */
export {
  defineEvent,
  defineTopic,
  describeTopics,
  describeTopicsAsMarkdown,
  jsonSchema,
  Type,
  upcastFrom,
} from './contract/index.ts'
export type { DataOf, Event, EventOf, HandlersOf } from './contract/index.ts'
export { createConsumer, createService } from './transaction/index.ts'
export { createProducer, FailureDecision, kafkaFromEnv, rateLimit } from './runtime/index.ts'
export type {
  ConsumerOptions,
  HandlerContext,
  PublishOptions,
  Service,
  ServiceConsumer,
  ServiceOptions,
} from './runtime/index.ts'
export { createStream, hopping, join, session, streamOf, tumbling } from './stream/index.ts'
export type {
  Flow,
  Joined,
  JoinFlow,
  JoinOptions,
  LeftOver,
  Stream,
  StreamOptions,
  Table,
  TableOptions,
  TableRow,
  TimeWindow,
} from './stream/index.ts'
export { lmdbStateStores, memoryDedupeStore, memoryStateStores } from './store/index.ts'
export type { DedupeStore, StateStores } from './store/index.ts'
export { isMillraceError, MillraceError } from './errors.ts'
