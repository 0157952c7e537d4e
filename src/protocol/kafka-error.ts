/**
 * Kafka's error codes under its own names. `retriable` is what its clients treat as worth trying
 * again, `staleMetadata` those of them that ask for fresh metadata first.
 */
interface ErrorDescription {
  readonly code: number
  readonly retriable?: true
  readonly staleMetadata?: true
}

const descriptions = {
  UNKNOWN_SERVER_ERROR: { code: -1 },
  NONE: { code: 0 },
  OFFSET_OUT_OF_RANGE: { code: 1 },
  CORRUPT_MESSAGE: { code: 2, retriable: true },
  UNKNOWN_TOPIC_OR_PARTITION: { code: 3, retriable: true, staleMetadata: true },
  INVALID_FETCH_SIZE: { code: 4 },
  LEADER_NOT_AVAILABLE: { code: 5, retriable: true, staleMetadata: true },
  NOT_LEADER_OR_FOLLOWER: { code: 6, retriable: true, staleMetadata: true },
  REQUEST_TIMED_OUT: { code: 7, retriable: true },
  BROKER_NOT_AVAILABLE: { code: 8 },
  REPLICA_NOT_AVAILABLE: { code: 9, retriable: true, staleMetadata: true },
  MESSAGE_TOO_LARGE: { code: 10 },
  STALE_CONTROLLER_EPOCH: { code: 11 },
  OFFSET_METADATA_TOO_LARGE: { code: 12 },
  NETWORK_EXCEPTION: { code: 13, retriable: true, staleMetadata: true },
  COORDINATOR_LOAD_IN_PROGRESS: { code: 14, retriable: true },
  COORDINATOR_NOT_AVAILABLE: { code: 15, retriable: true },
  NOT_COORDINATOR: { code: 16, retriable: true },
  INVALID_TOPIC_EXCEPTION: { code: 17 },
  RECORD_LIST_TOO_LARGE: { code: 18 },
  NOT_ENOUGH_REPLICAS: { code: 19, retriable: true },
  NOT_ENOUGH_REPLICAS_AFTER_APPEND: { code: 20, retriable: true },
  INVALID_REQUIRED_ACKS: { code: 21 },
  ILLEGAL_GENERATION: { code: 22 },
  INCONSISTENT_GROUP_PROTOCOL: { code: 23 },
  INVALID_GROUP_ID: { code: 24 },
  UNKNOWN_MEMBER_ID: { code: 25 },
  INVALID_SESSION_TIMEOUT: { code: 26 },
  REBALANCE_IN_PROGRESS: { code: 27 },
  INVALID_COMMIT_OFFSET_SIZE: { code: 28 },
  TOPIC_AUTHORIZATION_FAILED: { code: 29 },
  GROUP_AUTHORIZATION_FAILED: { code: 30 },
  CLUSTER_AUTHORIZATION_FAILED: { code: 31 },
  INVALID_TIMESTAMP: { code: 32 },
  UNSUPPORTED_SASL_MECHANISM: { code: 33 },
  ILLEGAL_SASL_STATE: { code: 34 },
  UNSUPPORTED_VERSION: { code: 35 },
  TOPIC_ALREADY_EXISTS: { code: 36 },
  INVALID_PARTITIONS: { code: 37 },
  INVALID_REPLICATION_FACTOR: { code: 38 },
  INVALID_REPLICA_ASSIGNMENT: { code: 39 },
  INVALID_CONFIG: { code: 40 },
  NOT_CONTROLLER: { code: 41, retriable: true },
  INVALID_REQUEST: { code: 42 },
  UNSUPPORTED_FOR_MESSAGE_FORMAT: { code: 43 },
  POLICY_VIOLATION: { code: 44 },
  OUT_OF_ORDER_SEQUENCE_NUMBER: { code: 45 },
  DUPLICATE_SEQUENCE_NUMBER: { code: 46 },
  INVALID_PRODUCER_EPOCH: { code: 47 },
  INVALID_TXN_STATE: { code: 48 },
  INVALID_PRODUCER_ID_MAPPING: { code: 49 },
  INVALID_TRANSACTION_TIMEOUT: { code: 50 },
  CONCURRENT_TRANSACTIONS: { code: 51, retriable: true },
  TRANSACTION_COORDINATOR_FENCED: { code: 52 },
  TRANSACTIONAL_ID_AUTHORIZATION_FAILED: { code: 53 },
  SECURITY_DISABLED: { code: 54 },
  OPERATION_NOT_ATTEMPTED: { code: 55 },
  KAFKA_STORAGE_ERROR: { code: 56, retriable: true, staleMetadata: true },
  LOG_DIR_NOT_FOUND: { code: 57 },
  SASL_AUTHENTICATION_FAILED: { code: 58 },
  UNKNOWN_PRODUCER_ID: { code: 59 },
  REASSIGNMENT_IN_PROGRESS: { code: 60 },
  DELEGATION_TOKEN_AUTH_DISABLED: { code: 61 },
  DELEGATION_TOKEN_NOT_FOUND: { code: 62 },
  DELEGATION_TOKEN_OWNER_MISMATCH: { code: 63 },
  DELEGATION_TOKEN_REQUEST_NOT_ALLOWED: { code: 64 },
  DELEGATION_TOKEN_AUTHORIZATION_FAILED: { code: 65 },
  DELEGATION_TOKEN_EXPIRED: { code: 66 },
  INVALID_PRINCIPAL_TYPE: { code: 67 },
  NON_EMPTY_GROUP: { code: 68 },
  GROUP_ID_NOT_FOUND: { code: 69 },
  FETCH_SESSION_ID_NOT_FOUND: { code: 70, retriable: true },
  INVALID_FETCH_SESSION_EPOCH: { code: 71, retriable: true },
  LISTENER_NOT_FOUND: { code: 72, retriable: true, staleMetadata: true },
  TOPIC_DELETION_DISABLED: { code: 73 },
  FENCED_LEADER_EPOCH: { code: 74, retriable: true, staleMetadata: true },
  UNKNOWN_LEADER_EPOCH: { code: 75, retriable: true },
  UNSUPPORTED_COMPRESSION_TYPE: { code: 76 },
  STALE_BROKER_EPOCH: { code: 77 },
  OFFSET_NOT_AVAILABLE: { code: 78, retriable: true },
  MEMBER_ID_REQUIRED: { code: 79 },
  PREFERRED_LEADER_NOT_AVAILABLE: { code: 80, retriable: true, staleMetadata: true },
  GROUP_MAX_SIZE_REACHED: { code: 81 },
  FENCED_INSTANCE_ID: { code: 82 },
  ELIGIBLE_LEADERS_NOT_AVAILABLE: { code: 83, retriable: true, staleMetadata: true },
  ELECTION_NOT_NEEDED: { code: 84, retriable: true, staleMetadata: true },
  NO_REASSIGNMENT_IN_PROGRESS: { code: 85 },
  GROUP_SUBSCRIBED_TO_TOPIC: { code: 86 },
  INVALID_RECORD: { code: 87 },
  UNSTABLE_OFFSET_COMMIT: { code: 88, retriable: true },
  THROTTLING_QUOTA_EXCEEDED: { code: 89, retriable: true },
  PRODUCER_FENCED: { code: 90 },
  RESOURCE_NOT_FOUND: { code: 91 },
  DUPLICATE_RESOURCE: { code: 92 },
  UNACCEPTABLE_CREDENTIAL: { code: 93 },
  INCONSISTENT_VOTER_SET: { code: 94 },
  INVALID_UPDATE_VERSION: { code: 95 },
  FEATURE_UPDATE_FAILED: { code: 96 },
  PRINCIPAL_DESERIALIZATION_FAILURE: { code: 97 },
  SNAPSHOT_NOT_FOUND: { code: 98 },
  POSITION_OUT_OF_RANGE: { code: 99 },
  UNKNOWN_TOPIC_ID: { code: 100, retriable: true, staleMetadata: true },
  DUPLICATE_BROKER_REGISTRATION: { code: 101 },
  BROKER_ID_NOT_REGISTERED: { code: 102 },
  INCONSISTENT_TOPIC_ID: { code: 103, retriable: true, staleMetadata: true },
  INCONSISTENT_CLUSTER_ID: { code: 104 },
  TRANSACTIONAL_ID_NOT_FOUND: { code: 105 },
  FETCH_SESSION_TOPIC_ID_ERROR: { code: 106, retriable: true },
  INELIGIBLE_REPLICA: { code: 107 },
  NEW_LEADER_ELECTED: { code: 108 },
  OFFSET_MOVED_TO_TIERED_STORAGE: { code: 109 },
  FENCED_MEMBER_EPOCH: { code: 110 },
  UNRELEASED_INSTANCE_ID: { code: 111 },
  UNSUPPORTED_ASSIGNOR: { code: 112 },
  STALE_MEMBER_EPOCH: { code: 113 },
  MISMATCHED_ENDPOINT_TYPE: { code: 114 },
  UNSUPPORTED_ENDPOINT_TYPE: { code: 115 },
  UNKNOWN_CONTROLLER_ID: { code: 116 },
  UNKNOWN_SUBSCRIPTION_ID: { code: 117 },
  TELEMETRY_TOO_LARGE: { code: 118 },
  INVALID_REGISTRATION: { code: 119 },
  TRANSACTION_ABORTABLE: { code: 120 },
  INVALID_RECORD_STATE: { code: 121 },
  SHARE_SESSION_NOT_FOUND: { code: 122, retriable: true },
  INVALID_SHARE_SESSION_EPOCH: { code: 123, retriable: true },
  FENCED_STATE_EPOCH: { code: 124 },
  INVALID_VOTER_KEY: { code: 125 },
  DUPLICATE_VOTER: { code: 126 },
  VOTER_NOT_FOUND: { code: 127 },
  INVALID_REGULAR_EXPRESSION: { code: 128 },
  REBOOTSTRAP_REQUIRED: { code: 129 },
  STREAMS_INVALID_TOPOLOGY: { code: 130 },
  STREAMS_INVALID_TOPOLOGY_EPOCH: { code: 131 },
  STREAMS_TOPOLOGY_FENCED: { code: 132 },
  SHARE_SESSION_LIMIT_REACHED: { code: 133, retriable: true },
} as const satisfies Record<string, ErrorDescription>

export type KafkaErrorName = keyof typeof descriptions

/** Kafka's error codes by name: `kafkaError.NOT_COORDINATOR` is 16. */
export const kafkaError = Object.fromEntries(
  Object.entries(descriptions).map(([name, { code }]) => [name, code]),
) as { readonly [Name in KafkaErrorName]: (typeof descriptions)[Name]['code'] }

const byCode = new Map<number, KafkaErrorName>(
  Object.entries(descriptions).map(([name, { code }]) => [code, name as KafkaErrorName]),
)

/** Kafka's name for a code; codes that we do not know count as UNKNOWN_SERVER_ERROR. */
export function kafkaErrorName(code: number): KafkaErrorName {
  return byCode.get(code) ?? 'UNKNOWN_SERVER_ERROR'
}

/** Whether the same request can succeed later. */
export function isRetriable(code: number): boolean {
  const description: ErrorDescription = descriptions[kafkaErrorName(code)]
  return description.retriable === true
}

/** Whether the sender should refresh its metadata before it tries again. */
export function asksForMetadata(code: number): boolean {
  const description: ErrorDescription = descriptions[kafkaErrorName(code)]
  return description.staleMetadata === true
}
