export { Client, createClient } from './client.ts'
export { Backoff } from './backoff.ts'
export { isLoopback, parseBrokerAddresses } from './broker-address.ts'
export type { BrokerAddress } from './broker-address.ts'
export { ConnectionError, KafkaError, kafkaNamesIn } from './client-error.ts'
export type { ClientOptions, TlsOptions } from './options.ts'
export type { BearerToken, Credentials, SaslOptions } from './connection/sasl/sasl-options.ts'

export type { Compression } from '../protocol/compression/index.ts'
export { Producer } from './producer/producer.ts'
export type { Acknowledgements, ProducerOptions } from './producer/producer-options.ts'
export { partitionOfKey } from './producer/partitioner.ts'
export type { Partitioner } from './producer/partitioner.ts'
export { packRecord } from './producer/packed-record.ts'
export type {
  ProducerRecord,
  RecordBytes,
  RecordHeaders,
  TopicRecord,
} from './producer/producer-record.ts'
export type {
  RecordOutcome,
  RecordResult,
  RecordResults,
  Results,
} from './producer/record-results.ts'
export type { SendOptions } from './producer/record-sender.ts'
export { LazyResults } from './producer/record-results.ts'
export { resolveProducerOptions } from './producer/producer-options.ts'
export type { ResolvedProducerOptions } from './producer/producer-options.ts'
export { headersOf, recordOf } from './producer/producer-record.ts'
export { estimatedBytes } from './producer/record-accumulator.ts'
export { DeliveryError, isTooLarge } from './producer/delivery-error.ts'
export { RecordsDeliveryError } from './producer/records-delivery-error.ts'

export { TransactionalProducer } from './producer/transaction/transactional-producer.ts'
export type { TransactionalProducerOptions } from './producer/transaction/transactional-producer-options.ts'
export { Transaction } from './producer/transaction/transaction.ts'
export type { TransactionOffset } from './producer/transaction/transaction.ts'
export { TransactionError } from './producer/transaction/transaction-error.ts'
export type { TransactionAction } from './producer/transaction/transaction-error.ts'
export { byTopic, partitionKey } from './topic-partition.ts'
export type { TopicPartition } from './topic-partition.ts'

export { Consumer } from './consumer/consumer.ts'
export type {
  BatchesOptions,
  CloseOptions,
  OffsetForTime,
  LogEnds,
  PartitionOffset,
  PartitionTimestamp,
  PollOptions,
} from './consumer/consumer.ts'
export type {
  AssignmentCallbacks,
  AutoCommitOptions,
  ConsumerOptions,
  FetchOptions,
  IsolationLevel,
} from './consumer/consumer-options.ts'
export type { EpochEnd, PartitionEpoch } from './consumer/epoch-ends.ts'
export type { FetchedBatch } from './consumer/fetched-batch.ts'
export { PartitionError } from './consumer/partition-error.ts'
export { OffsetCommits } from './consumer/offset-commits.ts'
export type { CommitOptions } from './consumer/offset-commits.ts'
export { resolveFetchOptions } from './consumer/consumer-options.ts'
export type { ResolvedFetchOptions } from './consumer/consumer-options.ts'
export type { TopicSelection } from './consumer/subscription.ts'
export type { OffsetReset, SeekTarget } from './consumer/position.ts'
export type { AssignorName, GroupOptions } from './consumer/group-options.ts'
export { resolveGroupOptions } from './consumer/group-options.ts'
export type { GroupMemberOptions } from './consumer/group/group-member-options.ts'
export { groupMemberDefaults, revocationMs } from './consumer/group/group-member-options.ts'
export type { CommittedOffset, GroupMetadata, OffsetToCommit } from './consumer/group-member.ts'
export { cooperativeStickyAssignor } from './consumer/group/assignors/sticky.ts'
export type {
  Assignments,
  Assignor,
  AssignorMember,
  PartitionCounts,
  UserDataContext,
} from './consumer/group/assignors/assignor.ts'

export { Admin, mayHaveTakenEffect } from './admin/index.ts'
export type {
  AclAdmin,
  AclBinding,
  AclEntry,
  AclFilter,
  AclOperation,
  AclPatternFilter,
  AclPatternType,
  AclPermission,
  AclResourceType,
  AdminCallOptions,
  BrokerDescription,
  BrokerResults,
  ChangeOptions,
  ClusterAdmin,
  ClusterDescription,
  ClusterFeatures,
  ConfigAdmin,
  ConfigChange,
  ConfigDescription,
  ConfigEntry,
  ConfigQuestion,
  ConfigResource,
  ConfigResourceType,
  ConfigResult,
  ConfigSource,
  ConfigSynonym,
  ConfigType,
  ConfigValue,
  CreatedTopic,
  DeletedAcls,
  DeletedRecords,
  DescribeClusterOptions,
  DescribeConfigsOptions,
  DescribeGroupsOptions,
  DescribeTopicsOptions,
  Done,
  Election,
  ElectionAdmin,
  FeatureLevels,
  FindHangingOptions,
  FindOffsetsOptions,
  FoundOffset,
  GroupAdmin,
  GroupDescription,
  GroupListing,
  GroupMemberDescription,
  GroupOffset,
  GroupOffsets,
  GroupOffsetsOptions,
  GroupOffsetsQuestion,
  GroupState,
  GroupType,
  HangingTransaction,
  HangingTransactions,
  ItemResult,
  ListGroupsOptions,
  ListReassignmentsOptions,
  ListTopicsOptions,
  ListTransactionsOptions,
  LogDir,
  LogDirReplica,
  LogDirs,
  LogDirsOptions,
  MemberReference,
  MemberResult,
  MorePartitions,
  NewGroupOffset,
  NewTopic,
  OffsetAdmin,
  OffsetPlace,
  OffsetQuestion,
  OffsetReset as GroupOffsetReset,
  OngoingReassignment,
  OpenTransaction,
  PartitionDescription,
  PartitionProducers,
  PartitionResult,
  ProducerDescription,
  QuotaAdmin,
  QuotaChange,
  QuotaDescription,
  QuotaEntity,
  QuotaFilter,
  QuotaMatch,
  QuotaResult,
  Reassignment,
  ReassignmentAdmin,
  RecordAdmin,
  RecordDeletion,
  RemoveMembersOptions,
  ResetOffset,
  ResetTarget,
  ScramCredential,
  ScramLogin,
  ScramMechanism,
  TopicAdmin,
  TopicDescription,
  TopicListing,
  TopicReference,
  TransactionAdmin,
  TransactionDescription,
  TransactionFilter,
  TransactionListing,
  TransactionState,
  UserAdmin,
  UserChange,
  UserDescription,
} from './admin/index.ts'
