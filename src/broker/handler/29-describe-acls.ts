import { describeAclsApi } from '../../protocol/index.ts'
import { defineHandler } from './handler.ts'
import { refuseWithoutAuthorizer } from './no-authorizer.ts'
import { refusalFields } from './refusal-fields.ts'

/** DescribeAcls 1-3: refused, as by every Kafka that has no authorizer. */
export const describeAcls = defineHandler({
  api: describeAclsApi,
  versions: [1, 3],
  handle: () => ({
    throttleTimeMs: 0,
    ...refusalFields(refuseWithoutAuthorizer()),
    resources: [],
  }),
})
