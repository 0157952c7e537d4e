export { kafkaError, kafkaErrorName, isRetriable, asksForMetadata } from './kafka-error.ts'
export type { KafkaErrorName } from './kafka-error.ts'
export { apis, apiByKey } from './api/apis.ts'
export { produceApi } from './api/00-produce.ts'
export { fetchApi } from './api/01-fetch.ts'
export { listOffsetsApi } from './api/02-list-offsets.ts'
export { metadataApi } from './api/03-metadata.ts'
export { offsetCommitApi } from './api/08-offset-commit.ts'
export { offsetFetchApi } from './api/09-offset-fetch.ts'
export { findCoordinatorApi } from './api/10-find-coordinator.ts'
export { joinGroupApi } from './api/11-join-group.ts'
export { heartbeatApi } from './api/12-heartbeat.ts'
export { leaveGroupApi } from './api/13-leave-group.ts'
export { syncGroupApi } from './api/14-sync-group.ts'
export { describeGroupsApi } from './api/15-describe-groups.ts'
export { listGroupsApi } from './api/16-list-groups.ts'
export { saslHandshakeApi } from './api/17-sasl-handshake.ts'
export { apiVersionsApi } from './api/18-api-versions.ts'
export { createTopicsApi } from './api/19-create-topics.ts'
export { deleteTopicsApi } from './api/20-delete-topics.ts'
export { deleteRecordsApi } from './api/21-delete-records.ts'
export { initProducerIdApi } from './api/22-init-producer-id.ts'
export { offsetForLeaderEpochApi } from './api/23-offset-for-leader-epoch.ts'
export { addPartitionsToTxnApi } from './api/24-add-partitions-to-txn.ts'
export { addOffsetsToTxnApi } from './api/25-add-offsets-to-txn.ts'
export { endTxnApi } from './api/26-end-txn.ts'
export { writeTxnMarkersApi } from './api/27-write-txn-markers.ts'
export { txnOffsetCommitApi } from './api/28-txn-offset-commit.ts'
export { describeAclsApi } from './api/29-describe-acls.ts'
export { createAclsApi } from './api/30-create-acls.ts'
export { deleteAclsApi } from './api/31-delete-acls.ts'
export { describeConfigsApi } from './api/32-describe-configs.ts'
export { alterConfigsApi } from './api/33-alter-configs.ts'
export { describeLogDirsApi } from './api/35-describe-log-dirs.ts'
export { saslAuthenticateApi } from './api/36-sasl-authenticate.ts'
export { createPartitionsApi } from './api/37-create-partitions.ts'
export { deleteGroupsApi } from './api/42-delete-groups.ts'
export { electLeadersApi } from './api/43-elect-leaders.ts'
export { incrementalAlterConfigsApi } from './api/44-incremental-alter-configs.ts'
export { alterPartitionReassignmentsApi } from './api/45-alter-partition-reassignments.ts'
export { listPartitionReassignmentsApi } from './api/46-list-partition-reassignments.ts'
export { offsetDeleteApi } from './api/47-offset-delete.ts'
export { describeClientQuotasApi } from './api/48-describe-client-quotas.ts'
export { alterClientQuotasApi } from './api/49-alter-client-quotas.ts'
export { describeUserScramCredentialsApi } from './api/50-describe-user-scram-credentials.ts'
export { alterUserScramCredentialsApi } from './api/51-alter-user-scram-credentials.ts'
export { describeQuorumApi } from './api/55-describe-quorum.ts'
export { updateFeaturesApi } from './api/57-update-features.ts'
export { describeClusterApi } from './api/60-describe-cluster.ts'
export { describeProducersApi } from './api/61-describe-producers.ts'
export { describeTransactionsApi } from './api/65-describe-transactions.ts'
export { listTransactionsApi } from './api/66-list-transactions.ts'
export { consumerGroupHeartbeatApi } from './api/68-consumer-group-heartbeat.ts'
export { consumerGroupDescribeApi } from './api/69-consumer-group-describe.ts'
export { listConfigResourcesApi } from './api/74-list-config-resources.ts'
export { describeTopicPartitionsApi } from './api/75-describe-topic-partitions.ts'
export { shareGroupHeartbeatApi } from './api/76-share-group-heartbeat.ts'
export { shareGroupDescribeApi } from './api/77-share-group-describe.ts'
export { shareFetchApi } from './api/78-share-fetch.ts'
export { shareAcknowledgeApi } from './api/79-share-acknowledge.ts'
export { describeShareGroupOffsetsApi } from './api/90-describe-share-group-offsets.ts'
export { alterShareGroupOffsetsApi } from './api/91-alter-share-group-offsets.ts'
export { deleteShareGroupOffsetsApi } from './api/92-delete-share-group-offsets.ts'
export { classicGroupKey, classicGroupValue } from './stored/classic-group-records.ts'
export {
  groupEpochKey,
  groupEpochValue,
  groupMemberKey,
  groupMemberValue,
  targetAssignmentEpochKey,
  targetAssignmentEpochValue,
  targetAssignmentMemberKey,
  targetAssignmentMemberValue,
  currentAssignmentKey,
  currentAssignmentValue,
  regularExpressionKey,
  regularExpressionValue,
} from './stored/consumer-group-records.ts'
export {
  consumerSubscription,
  consumerAssignment,
  readEmbedded,
} from './stored/consumer-protocol.ts'
export { offsetKey, offsetValue } from './stored/offset-records.ts'
export {
  shareAssignmentKey,
  shareAssignmentValue,
  shareGroupEpochKey,
  shareGroupEpochValue,
  shareMemberKey,
  shareMemberValue,
  sharePartitionsKey,
  sharePartitionsValue,
  shareTargetEpochKey,
  shareTargetEpochValue,
  shareTargetMemberKey,
  shareTargetMemberValue,
} from './stored/share-group-records.ts'
export { shareSnapshotKey, shareSnapshotValue } from './stored/share-state-records.ts'
export { transactionKey, transactionValue } from './stored/transaction-records.ts'
export { defineApi } from './wire/api.ts'
export type { Api, RequestInput, RequestOf, ResponseInput, ResponseOf } from './wire/api.ts'
export {
  encodeRequest,
  encodeResponse,
  finishRequestHeader,
  readRequestHeader,
  readResponseHeader,
} from './wire/header.ts'
export type { RequestHeader } from './wire/header.ts'
export { FrameError, FrameReader } from './wire/frame-reader.ts'
export type { FrameBuffers } from './wire/frame-reader.ts'
export { Message } from './wire/message.ts'
export type { DecodedMessage, MessageInput } from './wire/message.ts'
export { Reader } from './wire/reader.ts'
export { Writer } from './wire/writer.ts'
export type { VersionRange } from './wire/versions.ts'
