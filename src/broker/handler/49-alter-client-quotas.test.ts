import { describe, expect, it } from 'vitest'
import { describeClientQuotas } from './48-describe-client-quotas.ts'
import { alterClientQuotas } from './49-alter-client-quotas.ts'
import { createAdministration } from './administration-fixture.ts'
import type { Administration } from './administration-fixture.ts'

type Entity = Readonly<Record<string, string | null>>
type Quotas = Readonly<Record<string, number | null>>

const [exact, byDefault, any] = [0, 1, 2]

async function alter(
  { ask }: Administration,
  entries: readonly (readonly [Entity, Quotas])[],
  { version = 1, validateOnly = false } = {},
): Promise<number[]> {
  const answer = await ask(alterClientQuotas, version, {
    entries: entries.map(([entity, quotas]) => ({
      entity: Object.entries(entity).map(([entityType, entityName]) => ({
        entityType,
        entityName,
      })),
      ops: Object.entries(quotas).map(([key, value]) => ({
        key,
        value: value ?? 0,
        remove: value === null,
      })),
    })),
    validateOnly,
  })
  return answer.entries.map(({ errorCode }) => errorCode)
}

async function find(
  { ask }: Administration,
  conditions: readonly (readonly [type: string, matchType: number | undefined, name?: string])[],
  strict: boolean,
  version = 1,
) {
  const { errorCode, entries } = await ask(describeClientQuotas, version, {
    components: conditions.map(([entityType, matchType = -1, match = null]) => ({
      entityType,
      matchType,
      match,
    })),
    strict,
  })
  if (entries === null) return errorCode
  return entries.map(({ entity, values }) => [
    Object.fromEntries(entity.map((each) => [each.entityType, each.entityName])),
    Object.fromEntries(values.map(({ key, value }) => [key, value])),
  ])
}

async function withQuotas(): Promise<Administration> {
  const administration = await createAdministration()
  await alter(administration, [
    [{ user: 'alice' }, { producer_byte_rate: 1000, request_percentage: 50.5 }],
    [{ user: 'alice', 'client-id': 'app' }, { consumer_byte_rate: 2000 }],
    [{ user: null }, { consumer_byte_rate: 1 }],
    [{ 'client-id': 'app' }, { controller_mutation_rate: 2.5 }],
    [{ ip: '127.0.0.1' }, { connection_creation_rate: 10 }],
  ])
  return administration
}

const alice = [{ user: 'alice' }, { producer_byte_rate: 1000, request_percentage: 50.5 }]
const aliceInApp = [{ user: 'alice', 'client-id': 'app' }, { consumer_byte_rate: 2000 }]
const everyUser = [{ user: null }, { consumer_byte_rate: 1 }]
const app = [{ 'client-id': 'app' }, { controller_mutation_rate: 2.5 }]
const localhost = [{ ip: '127.0.0.1' }, { connection_creation_rate: 10 }]

describe('client quotas', () => {
  it.each([0, 1])('are kept and described (version %i)', async (version) => {
    const administration = await createAdministration()
    const entries = [[{ user: 'alice' }, { producer_byte_rate: 1000 }]] as const
    expect(await alter(administration, entries, { version })).toEqual([0])
    const found = await find(administration, [['user', exact, 'alice']], true, version)
    expect(found).toEqual([[{ user: 'alice' }, { producer_byte_rate: 1000 }]])
  })

  it.each([
    ['all', [], false, [alice, aliceInApp, everyUser, app, localhost]],
    ['those of nothing in particular', [], true, []],
    ['those of a user', [['user', exact, 'alice']], false, [alice, aliceInApp]],
    ['those of a user alone', [['user', exact, 'alice']], true, [alice]],
    ['those of users without their own', [['user', byDefault]], false, [everyUser]],
    ['those of any user', [['user', any]], false, [alice, aliceInApp, everyUser]],
    ['those of any user alone', [['user', any]], true, [alice, everyUser]],
    [
      'those of both',
      [
        ['user', any],
        ['client-id', exact, 'app'],
      ],
      true,
      [aliceInApp],
    ],
    ['those of an address', [['ip', any]], false, [localhost]],
    ['those of nobody', [['user', exact, 'bob']], false, []],
  ] as const)('are found: %s', async (_what, conditions, strict, expected) => {
    expect(await find(await withQuotas(), conditions, strict)).toEqual(expected)
  })

  it.each([
    ['a type that nobody knows', [['team', any]], 35],
    ['an empty type', [['', any]], 42],
    ['a match that nobody knows', [['user', 7]], 42],
    ['an exact match with nothing', [['user', exact]], 42],
    ['a default match with a name', [['user', byDefault, 'alice']], 42],
    ['any match with a name', [['user', any, 'alice']], 42],
    [
      'a type twice',
      [
        ['user', any],
        ['user', byDefault],
      ],
      42,
    ],
    [
      'an address with a user',
      [
        ['user', any],
        ['ip', any],
      ],
      42,
    ],
  ] as const)('are not searched by %s', async (_what, conditions, error) => {
    expect(await find(await withQuotas(), conditions, false)).toBe(error)
  })

  it('are removed one by one, and the entity with the last', async () => {
    const administration = await withQuotas()
    const remove = (quotas: Quotas) => alter(administration, [[{ user: 'alice' }, quotas]])
    expect(await remove({ producer_byte_rate: null, nope: null })).toEqual([0])
    const left = await find(administration, [['user', exact, 'alice']], true)
    expect(left).toEqual([[{ user: 'alice' }, { request_percentage: 50.5 }]])
    await remove({ request_percentage: null })
    expect(await find(administration, [['user', exact, 'alice']], true)).toEqual([])
  })

  it.each<[string, Entity, Quotas]>([
    ['an unknown quota', { user: 'bob' }, { nope: 1 }],
    ['a rate of nothing', { user: 'bob' }, { producer_byte_rate: 0 }],
    ['a negative rate', { user: 'bob' }, { request_percentage: -1 }],
    ['a part of a byte', { user: 'bob' }, { producer_byte_rate: 1.5 }],
    ['more than there is', { user: 'bob' }, { producer_byte_rate: 1e30 }],
    ['what is no number', { user: 'bob' }, { request_percentage: NaN }],
    ['the quota of an address on a user', { user: 'bob' }, { connection_creation_rate: 1 }],
    ['the quota of a user on an address', { ip: '1.1.1.1' }, { producer_byte_rate: 1 }],
    ['an unknown type', { team: 'x' }, { producer_byte_rate: 1 }],
    ['nobody', {}, { producer_byte_rate: 1 }],
    ['an empty name', { user: '' }, { producer_byte_rate: 1 }],
    ['an address with a user', { user: 'bob', ip: '1.1.1.1' }, { connection_creation_rate: 1 }],
    ['what is no address', { ip: 'not an ip' }, { connection_creation_rate: 1 }],
  ])('are refused for %s', async (_what, entity, quotas) => {
    const administration = await withQuotas()
    const before = administration.records.length
    expect(await alter(administration, [[entity, quotas]])).toEqual([42])
    expect(administration.records).toHaveLength(before)
  })

  it('are set all or none for an entity, and never twice in a request', async () => {
    const administration = await createAdministration()
    const good = { producer_byte_rate: 1 }
    expect(
      await alter(administration, [
        [{ user: 'twice' }, good],
        [{ user: 'wrong' }, { ...good, nope: 1 }],
        [{ user: 'right' }, good],
        [{ user: 'twice' }, good],
      ]),
    ).toEqual([42, 42, 0])
    expect(await find(administration, [], false)).toEqual([[{ user: 'right' }, good]])
  })

  it('are validated without being set', async () => {
    const administration = await createAdministration()
    const entries = [[{ user: 'alice' }, { producer_byte_rate: 1000 }]] as const
    expect(await alter(administration, entries, { validateOnly: true })).toEqual([0])
    expect(await find(administration, [], false)).toEqual([])
  })
})
