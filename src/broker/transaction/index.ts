export { TransactionCoordinator } from './coordinator.ts'
export type {
  AddOffsetsRequest,
  AddPartitionsRequest,
  EndTransactionRequest,
  InitProducerIdRequest,
  TransactionPorts,
} from './coordinator.ts'
export { coordinatorRefusal } from './coordinator-node.ts'
export type {
  ListedTransaction,
  TransactionDescription,
  TransactionFilter,
  TransactionListing,
} from './listing.ts'
export type { TransactionMarker, WriteMarker } from './marker.ts'
export { partitionSet } from './partition-set.ts'
export type { PartitionSet, TopicPartition } from './partition-set.ts'
export type { ProducerIdBlock, ProducerIdBlocks } from './producer-ids.ts'
export { defaultTransactionSettings } from './settings.ts'
export type { TransactionSettings } from './settings.ts'
export type { ProducerIdentity, TransactionVersion } from './transaction-metadata.ts'
export type { TransactionState } from './transaction-state.ts'
export type {
  Admission,
  OffsetsWrite,
  ProducerInPartition,
  TransactionalWrite,
} from './write-verifier.ts'
