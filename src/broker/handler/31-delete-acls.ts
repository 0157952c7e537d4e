import { deleteAclsApi } from '../../protocol/index.ts'
import { defineHandler } from './handler.ts'
import { refuseWithoutAuthorizer } from './no-authorizer.ts'
import { refusalFields } from './refusal-fields.ts'

/** DeleteAcls 1-3: each filter is refused, as by every Kafka that has no authorizer. */
export const deleteAcls = defineHandler({
  api: deleteAclsApi,
  versions: [1, 3],
  handle: ({ filters }) => ({
    throttleTimeMs: 0,
    filterResults: filters.map(() => ({
      ...refusalFields(refuseWithoutAuthorizer()),
      matchingAcls: [],
    })),
  }),
})
