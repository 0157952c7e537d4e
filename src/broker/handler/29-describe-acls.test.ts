import { expect, it } from 'vitest'
import { describeAcls } from './29-describe-acls.ts'
import { createAcls } from './30-create-acls.ts'
import { deleteAcls } from './31-delete-acls.ts'
import { createAdministration } from './administration-fixture.ts'

const securityDisabled = 54

it.each([1, 2, 3])('refuses whatever is about access rights (version %i)', async (version) => {
  const { ask } = await createAdministration()
  const filter = {
    resourceTypeFilter: 1,
    resourceNameFilter: null,
    principalFilter: null,
    hostFilter: null,
    operation: 1,
    permissionType: 1,
  }
  const described = await ask(describeAcls, version, filter)
  expect(described).toMatchObject({ errorCode: securityDisabled, resources: [] })
  const creation = {
    resourceType: 2,
    resourceName: 'orders',
    principal: 'User:alice',
    host: '*',
    operation: 3,
    permissionType: 3,
  }
  const created = await ask(createAcls, version, { creations: [creation, creation] })
  expect(created.results.map(({ errorCode }) => errorCode)).toEqual([
    securityDisabled,
    securityDisabled,
  ])
  const deleted = await ask(deleteAcls, version, { filters: [filter] })
  expect(deleted.filterResults).toMatchObject([{ errorCode: securityDisabled, matchingAcls: [] }])
})
