import { defineApi } from '../wire/api.ts'
import { array, int16, int32, int8, list, string } from '../wire/field.ts'

/** Lists the resources that have a configuration. */
export const listConfigResourcesApi = defineApi({
  key: 74,
  name: 'ListConfigResources',
  versions: '0-1',
  flexible: '0+',
  request: {
    resourceTypes: list('1+', 'int8'),
  },
  response: {
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    configResources: array('0+', {
      resourceName: string('0+'),
      resourceType: int8('1+', { default: 16, ignorable: true }),
    }),
  },
})
