export { createService, Service } from './service/service.ts'
export type { ServiceExtensions } from './service/service.ts'
export type { ServiceOptions, StopOptions } from './service/service-options.ts'
export { kafkaFromEnv } from './service/kafka-from-env.ts'
export type { Environment, KafkaFromEnv, KafkaFromEnvOptions } from './service/kafka-from-env.ts'
export type { DriverPromise } from './start/driver-promises.ts'
export type { DifferentTopicRule, MissingTopicRule, TopicPolicy } from './start/topic-policy.ts'
export { createConsumer, RecordReader } from './service/create-consumer.ts'
export type { RecordConsumerOptions } from './service/create-consumer.ts'
export { createProducer, EventProducer } from './service/create-producer.ts'
export type { EventProducerOptions } from './service/create-producer.ts'
export { RecordConsumer } from './service/record-consumer.ts'
export type { RecordBatchHandler, RecordHandler } from './service/record-consumer.ts'
export { BatchContext, BatchEvent } from './service/batch-context.ts'
export type { BatchOptions } from './service/batch-options.ts'
export type { OffsetLostRule } from './consumer-run.ts'
export { resolveConsumerOptions } from './service/consumer-options.ts'
export type {
  PlannedPart,
  RunningPart,
  ServicePart,
  ServicePartWorld,
} from './service/service-part.ts'
export type { ConsumerSettings } from './assemble.ts'
export type { TopicFacts } from './start/check-topics.ts'
export { ServiceConsumer } from './service/service-consumer.ts'
export type { HandlerOptions } from './service/service-consumer.ts'
export type {
  ConsumerOptions,
  DeadLetterOptions,
  DedupeOptions,
  ExactlyOnceOptions,
} from './service/consumer-options.ts'
export type { RetryCopyOptions } from './retry/retry-settings.ts'
export type { ReplayOptions, ReplayPlace } from './replay/replay-options.ts'
export type { ReplayResult } from './replay/replay.ts'
export { fingerprintOf } from './steps/fingerprint.ts'
export { rateLimit } from './steps/rate-limit.ts'
export type { RateLimitOptions } from './steps/rate-limit.ts'
export type { StepMaker, StepParts, UserStep } from './steps/user-step.ts'
export { HandlerContext } from './service/handler-context.ts'
export type { PublishOptions } from './service/handler-context.ts'
export { ServiceTransaction } from './service/service-transactions.ts'
export type { Outgoing } from './service/publisher.ts'
export { FailureDecision } from './failure/failure-policy.ts'
export type { FailureAction, FailureRule } from './failure/failure-policy.ts'
export type { CommitCall, CommitStrategy, PartitionCommit } from './commit/commit-strategy.ts'
export type {
  ExactlyOnce,
  ExactlyOnceParts,
  MakeExactlyOnce,
  Staging,
} from './commit/exactly-once.ts'
export type { RetryOptions } from './failure/failures.ts'
export { letterOf } from './dead-letter/letter.ts'
export { errorFieldsOf, failureLinesMax, letterMessage } from './consumer-log.ts'
export { SparseLog } from './sparse-log.ts'
export type { Letter, LetteredRecord } from './dead-letter/letter.ts'
export type { Delivery } from './delivery.ts'
export type { Outcome, Postponed, Skip, Step, Way } from './outcome.ts'
export type { RecordOrder } from './lanes/record-order.ts'
export type { StartPosition } from './start-position.ts'
export { Deadline, goodbyeMs } from './deadline.ts'
