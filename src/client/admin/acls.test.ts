import { describe, expect, it } from 'vitest'
import { startWorld } from './fixture/world.ts'

const allowed = {
  resourceType: 'topic',
  resourceName: 'orders',
  principal: 'User:alice',
  operation: 'read',
  permission: 'allow',
} as const

const bound = { ...allowed, patternType: 'literal', host: '*' }

const response = {
  resourceType: 2,
  resourceName: 'orders',
  patternType: 3,
  principal: 'User:alice',
  host: '*',
  operation: 3,
  permissionType: 3,
}

/** The embedded broker has no authorizer: what one would answer is put in its place. */
describe('access control entries', () => {
  it('are SECURITY_DISABLED without an authorizer', async () => {
    await using world = await startWorld()
    const { acls } = world.admin
    for (const refused of [acls.describe(), acls.create(allowed), acls.delete({})]) {
      await expect(refused).rejects.toMatchObject({ kafkaName: 'SECURITY_DISABLED' })
    }
  })

  it('are asked for by what the filter gives, and read', async () => {
    await using world = await startWorld()
    let asked: unknown
    using _ = world.kafka.intercept('DescribeAcls', ({ body }) => {
      asked = body
      const { resourceType, resourceName, patternType, ...entry } = response
      const unknown = { ...entry, operation: 99 }
      const resource = { resourceType, resourceName, patternType, acls: [entry, unknown] }
      return { throttleTimeMs: 0, errorCode: 0, errorMessage: null, resources: [resource] }
    })
    const filter = { resourceType: 'topic', principal: 'User:alice', patternType: 'match' } as const
    expect(await world.admin.acls.describe(filter)).toEqual([
      bound,
      { ...bound, operation: 'unknown' },
    ])
    expect(asked).toMatchObject({
      resourceTypeFilter: 2,
      resourceNameFilter: null,
      patternTypeFilter: 2,
      principalFilter: 'User:alice',
      hostFilter: null,
      operation: 1,
      permissionType: 1,
    })
  })

  it('are created each for itself', async () => {
    await using world = await startWorld()
    let asked: unknown
    using _ = world.kafka.intercept('CreateAcls', ({ body }) => {
      asked = body
      const refused = { errorCode: 42, errorMessage: 'no such principal' }
      return { throttleTimeMs: 0, results: [{ errorCode: 0, errorMessage: null }, refused] }
    })
    const denied = { ...allowed, patternType: 'prefixed', permission: 'deny', host: '::1' } as const
    const results = await world.admin.acls.createMany([allowed, denied])
    expect(results[0]).toEqual({})
    expect(results[1]?.error).toMatchObject({
      kafkaName: 'INVALID_REQUEST',
      message: /User:alice to read topic orders.*no such principal/,
    })
    const first = { resourceType: 2, resourcePatternType: 3, host: '*', permissionType: 3 }
    const second = { resourceType: 2, resourcePatternType: 4, host: '::1', permissionType: 2 }
    expect(asked).toMatchObject({ creations: [first, second] })
  })

  it('are deleted by filters, which tell what they matched, and that an answer was lost', async () => {
    await using world = await startWorld()
    let count = 0
    using _ = world.kafka.intercept('DeleteAcls', () => {
      count += 1
      if (count === 1) world.kafka.dropConnections()
      const match = { errorCode: 0, errorMessage: null, ...response }
      const stays = { ...match, errorCode: -1, errorMessage: 'it is held' }
      const result = { errorCode: 0, errorMessage: null, matchingAcls: [match, stays] }
      return { throttleTimeMs: 0, filterResults: [result] }
    })
    const [deleted] = await world.admin.acls.deleteMany([{ principal: 'User:alice' }])
    expect(deleted).toMatchObject({
      answerWasLost: true,
      entries: [bound, { ...bound, error: { kafkaName: 'UNKNOWN_SERVER_ERROR' } }],
    })
    await expect(world.admin.acls.delete({ principal: 'User:alice' })).rejects.toThrow(/it is held/)
  })

  it('are refused with what is allowed', async () => {
    await using world = await startWorld()
    await expect(
      world.admin.acls.create({ ...allowed, operation: 'raed' as never }),
    ).rejects.toThrow(/entry\.operation \('raed'\) must be one of all, read,.*did you mean 'read'/)
    await expect(world.admin.acls.delete({ topic: 'orders' } as never)).rejects.toThrow(
      /filter\.topic is not an option/,
    )
  })
})
