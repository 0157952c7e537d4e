import { createHash, createHmac, pbkdf2Sync } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { parseScramCredential } from '../security/scram-credential.ts'
import { describeUserScramCredentials } from './50-describe-user-scram-credentials.ts'
import { alterUserScramCredentials } from './51-alter-user-scram-credentials.ts'
import { createAdministration } from './administration-fixture.ts'
import type { Administration } from './administration-fixture.ts'

const sha256 = 1
const sha512 = 2
const salt = Buffer.from('salt')

interface Upsertion {
  readonly name: string
  readonly mechanism?: number
  readonly iterations?: number
}

interface Deletion {
  readonly name: string
  readonly mechanism?: number
}

async function alter(
  { ask }: Administration,
  {
    up = [],
    down = [],
  }: { readonly up?: readonly Upsertion[]; readonly down?: readonly Deletion[] },
): Promise<[string, number][]> {
  const { results } = await ask(alterUserScramCredentials, 0, {
    deletions: down.map(({ name, mechanism = sha256 }) => ({ name, mechanism })),
    upsertions: up.map(({ name, mechanism = sha256, iterations = 4096 }) => ({
      name,
      mechanism,
      iterations,
      salt,
      saltedPassword: pbkdf2Sync('secret', salt, 1, 32, 'sha256'),
    })),
  })
  return results.map(({ user, errorCode }) => [user, errorCode])
}

async function described({ ask }: Administration, users: readonly string[] | null) {
  const { results } = await ask(describeUserScramCredentials, 0, {
    users: users === null ? null : users.map((name) => ({ name })),
  })
  return results.map(({ user, errorCode, credentialInfos }) => [
    user,
    errorCode,
    credentialInfos.map(({ mechanism, iterations }) => [mechanism, iterations]),
  ])
}

describe('SCRAM credentials', () => {
  it('are kept so that a login with the password fits them', async () => {
    const administration = await createAdministration()
    expect(await alter(administration, { up: [{ name: 'alice' }] })).toEqual([['alice', 0]])
    const stored = administration.cluster.dynamicSettings('scram', 'alice').get('SCRAM-SHA-256')
    const salted = pbkdf2Sync('secret', salt, 1, 32, 'sha256')
    const clientKey = createHmac('sha256', salted).update('Client Key').digest()
    expect(parseScramCredential(stored ?? '')).toEqual({
      salt,
      iterations: 4096,
      storedKey: createHash('sha256').update(clientKey).digest(),
      serverKey: createHmac('sha256', salted).update('Server Key').digest(),
    })
  })

  it('are described by mechanism; nobody named stands for all', async () => {
    const administration = await createAdministration()
    await alter(administration, { up: [{ name: 'alice' }, { name: 'bob', mechanism: sha512 }] })
    await alter(administration, { up: [{ name: 'alice', mechanism: sha512, iterations: 8192 }] })
    const alice = [
      'alice',
      0,
      [
        [sha256, 4096],
        [sha512, 8192],
      ],
    ]
    const bob = ['bob', 0, [[sha512, 4096]]]
    expect(await described(administration, null)).toEqual([alice, bob])
    expect(await described(administration, [])).toEqual([alice, bob])
    expect(await described(administration, ['bob', 'carl'])).toEqual([bob, ['carl', 91, []]])
    expect(await described(administration, ['bob', 'bob'])).toEqual([['bob', 92, []]])
  })

  it('are taken away one by one, and the user with the last', async () => {
    const administration = await createAdministration()
    await alter(administration, { up: [{ name: 'alice' }] })
    await alter(administration, { up: [{ name: 'alice', mechanism: sha512 }] })
    expect(await alter(administration, { down: [{ name: 'alice' }] })).toEqual([['alice', 0]])
    expect(await described(administration, null)).toEqual([['alice', 0, [[sha512, 4096]]]])
    await alter(administration, { down: [{ name: 'alice', mechanism: sha512 }] })
    expect(await described(administration, null)).toEqual([])
  })

  it.each([
    ['too few iterations', { up: [{ name: 'alice', iterations: 4095 }] }, 93],
    ['too many iterations', { up: [{ name: 'alice', iterations: 16_385 }] }, 93],
    ['a user without a name', { up: [{ name: '' }] }, 93],
    ['an unknown mechanism', { up: [{ name: 'alice', mechanism: 0 }] }, 33],
    ['another unknown mechanism', { up: [{ name: 'alice', mechanism: 9 }] }, 33],
    ['a credential to delete that is not there', { down: [{ name: 'alice' }] }, 91],
    ['an unknown mechanism to delete', { down: [{ name: 'alice', mechanism: 0 }] }, 33],
    ['a user twice', { up: [{ name: 'alice' }, { name: 'alice', mechanism: sha512 }] }, 92],
  ])('are refused for %s', async (_what, request, error) => {
    const administration = await createAdministration()
    const answers = await alter(administration, request)
    expect(answers.map(([, code]) => code)).toEqual([error])
    expect(await described(administration, null)).toEqual([])
  })

  it('are not both taken away and set in one request', async () => {
    const administration = await createAdministration()
    await alter(administration, { up: [{ name: 'alice' }] })
    const both = { down: [{ name: 'alice' }], up: [{ name: 'alice', iterations: 8192 }] }
    expect(await alter(administration, both)).toEqual([['alice', 92]])
    expect(await described(administration, null)).toEqual([['alice', 0, [[sha256, 4096]]]])
  })

  it('of one user do not suffer from what is wrong with another', async () => {
    const administration = await createAdministration()
    const up = [{ name: 'alice' }, { name: 'bob', iterations: 5 }]
    expect(await alter(administration, { up })).toEqual([
      ['alice', 0],
      ['bob', 93],
    ])
  })

  it('are described of users that the broker was started with', async () => {
    const administration = await createAdministration({ users: { alice: 'pencil' } })
    const bothByPassword = [
      [sha256, 4096],
      [sha512, 4096],
    ]
    expect(await described(administration, null)).toEqual([['alice', 0, bothByPassword]])
    const up = [{ name: 'alice', iterations: 8192 }, { name: 'bob' }]
    await alter(administration, { up })
    const stored = [
      [sha256, 8192],
      [sha512, 4096],
    ]
    const bob = ['bob', 0, [[sha256, 4096]]]
    expect(await described(administration, null)).toEqual([['alice', 0, stored], bob])
    await alter(administration, { down: [{ name: 'alice' }] })
    expect(await described(administration, ['alice'])).toEqual([['alice', 0, bothByPassword]])
  })

  it('of users that the broker was started with cannot be taken away', async () => {
    const administration = await createAdministration({ users: { alice: 'pencil' } })
    const policyViolation = 44
    expect(await alter(administration, { down: [{ name: 'alice' }] })).toEqual([
      ['alice', policyViolation],
    ])
  })
})
