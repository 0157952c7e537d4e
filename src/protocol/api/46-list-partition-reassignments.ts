import { defineApi } from '../wire/api.ts'
import { array, int16, int32, list, string } from '../wire/field.ts'

/** Lists moves of partitions under way. */
export const listPartitionReassignmentsApi = defineApi({
  key: 46,
  name: 'ListPartitionReassignments',
  versions: '0',
  flexible: '0+',
  request: {
    timeoutMs: int32('0+', { default: 60000 }),
    topics: array(
      '0+',
      {
        name: string('0+'),
        partitionIndexes: list('0+', 'int32'),
      },
      { nullable: '0+', default: null },
    ),
  },
  response: {
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    errorMessage: string('0+', { nullable: '0+' }),
    topics: array('0+', {
      name: string('0+'),
      partitions: array('0+', {
        partitionIndex: int32('0+'),
        replicas: list('0+', 'int32'),
        addingReplicas: list('0+', 'int32'),
        removingReplicas: list('0+', 'int32'),
      }),
    }),
  },
})
