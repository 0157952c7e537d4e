export { Admin } from './admin.ts'
export { mayHaveTakenEffect } from './ask-each.ts'
export type { AdminCallOptions } from './admin-call.ts'
export type { BrokerResults } from './ask-every-broker.ts'
export type { Done, ItemResult, PartitionResult } from './item-result.ts'
export type {
  AclOperation,
  AclPatternFilter,
  AclPatternType,
  AclPermission,
  AclResourceType,
} from './acl-codes.ts'
export type { AclAdmin, AclBinding, AclEntry, AclFilter, DeletedAcls } from './acls.ts'
export type {
  BrokerDescription,
  ClusterAdmin,
  ClusterDescription,
  ClusterFeatures,
  DescribeClusterOptions,
  FeatureLevels,
  LogDir,
  LogDirReplica,
  LogDirs,
  LogDirsOptions,
} from './cluster.ts'
export type { ConfigAdmin, ConfigChange, ConfigResult, DescribeConfigsOptions } from './configs.ts'
export type { ConfigValue, CreatedTopic, NewTopic } from './create-topics.ts'
export type {
  ConfigDescription,
  ConfigEntry,
  ConfigQuestion,
  ConfigResource,
  ConfigResourceType,
  ConfigSource,
  ConfigSynonym,
  ConfigType,
} from './describe-configs.ts'
export type {
  GroupDescription,
  GroupMemberDescription,
  GroupState,
  GroupType,
} from './describe-groups.ts'
export type { PartitionDescription, TopicDescription } from './describe-topics.ts'
export type {
  PartitionProducers,
  ProducerDescription,
  TransactionDescription,
  TransactionFilter,
  TransactionListing,
  TransactionState,
} from './describe-transactions.ts'
export type { Election, ElectionAdmin } from './elections.ts'
export type { FoundOffset, OffsetPlace, OffsetQuestion } from './find-offsets.ts'
export type {
  GroupOffset,
  GroupOffsets,
  GroupOffsetsQuestion,
  NewGroupOffset,
} from './group-offsets.ts'
export type {
  DescribeGroupsOptions,
  GroupAdmin,
  GroupOffsetsOptions,
  RemoveMembersOptions,
} from './groups.ts'
export type {
  HangingTransaction,
  HangingTransactions,
  OpenTransaction,
} from './hanging-transactions.ts'
export type { GroupListing, ListGroupsOptions } from './list-groups.ts'
export type { FindOffsetsOptions, OffsetAdmin } from './offsets.ts'
export type {
  QuotaAdmin,
  QuotaChange,
  QuotaDescription,
  QuotaEntity,
  QuotaFilter,
  QuotaMatch,
  QuotaResult,
} from './quotas.ts'
export type {
  ListReassignmentsOptions,
  OngoingReassignment,
  Reassignment,
  ReassignmentAdmin,
} from './reassignments.ts'
export type { DeletedRecords, RecordAdmin, RecordDeletion } from './records.ts'
export type { MemberReference, MemberResult } from './remove-members.ts'
export type { OffsetReset, ResetOffset, ResetTarget } from './reset-offsets.ts'
export type { TopicReference } from './topic-references.ts'
export type {
  ChangeOptions,
  DescribeTopicsOptions,
  ListTopicsOptions,
  MorePartitions,
  TopicAdmin,
  TopicListing,
} from './topics.ts'
export type {
  FindHangingOptions,
  ListTransactionsOptions,
  TransactionAdmin,
} from './transactions.ts'
export type {
  ScramCredential,
  ScramLogin,
  ScramMechanism,
  UserAdmin,
  UserChange,
  UserDescription,
} from './users.ts'
