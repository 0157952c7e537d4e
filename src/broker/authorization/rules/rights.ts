/** The rights that the rows ask for, by name. */
import type { Right } from '../gate.ts'

export const readTopic: Right = { operation: 'read', on: 'topic' }
export const writeTopic: Right = { operation: 'write', on: 'topic' }
export const describeTopic: Right = { operation: 'describe', on: 'topic' }
export const deleteTopic: Right = { operation: 'delete', on: 'topic' }

export const readGroup: Right = { operation: 'read', on: 'group' }
export const describeGroup: Right = { operation: 'describe', on: 'group' }
export const deleteGroup: Right = { operation: 'delete', on: 'group' }

export const writeTransaction: Right = { operation: 'write', on: 'transactionalId' }
export const describeTransaction: Right = { operation: 'describe', on: 'transactionalId' }

export const describeCluster: Right = { operation: 'describe', on: 'cluster' }
export const alterCluster: Right = { operation: 'alter', on: 'cluster' }
export const idempotentWrite: Right = { operation: 'idempotentWrite', on: 'cluster' }
