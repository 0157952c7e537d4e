import { createAclsApi } from '../../protocol/index.ts'
import { defineHandler } from './handler.ts'
import { refuseWithoutAuthorizer } from './no-authorizer.ts'
import { refusalFields } from './refusal-fields.ts'

/** CreateAcls 1-3: each is refused, as by every Kafka that has no authorizer. */
export const createAcls = defineHandler({
  api: createAclsApi,
  versions: [1, 3],
  handle: ({ creations }) => ({
    throttleTimeMs: 0,
    results: creations.map(() => refusalFields(refuseWithoutAuthorizer())),
  }),
})
