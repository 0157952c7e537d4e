import { kafkaError, listPartitionReassignmentsApi } from '../../protocol/index.ts'
import { defineHandler } from './handler.ts'

/**
 * ListPartitionReassignments 0: those that are going on, which is none: a reassignment is over when
 * it is answered.
 */
export const listPartitionReassignments = defineHandler({
  api: listPartitionReassignmentsApi,
  versions: [0, 0],
  handle: () => ({
    throttleTimeMs: 0,
    errorCode: kafkaError.NONE,
    errorMessage: null,
    topics: [],
  }),
})
