import { describe, expect, it } from 'vitest'
import { silentLog } from '../../observe/index.ts'
import { createNodePlatform } from '../../platform/index.ts'
import { createCluster } from '../cluster/kafka-cluster.ts'
import { resolveClientOptions } from '../resolve-options.ts'
import { Admin } from './admin.ts'
import { startWorld } from './fixture/world.ts'
import type { World } from './fixture/world.ts'

const root = { username: 'root', password: 'root-password' }

function startSecured(): Promise<World> {
  return startWorld({
    broker: { nodes: 1, users: { [root.username]: root.password }, recordRequests: true },
    client: { sasl: { mechanism: 'SCRAM-SHA-256', credentials: root } },
  })
}

async function canLogIn(
  world: World,
  mechanism: 'SCRAM-SHA-256' | 'SCRAM-SHA-512',
  password: string,
): Promise<boolean> {
  const options = resolveClientOptions({
    brokers: world.kafka.bootstrap,
    sasl: { mechanism, credentials: { username: 'alice', password } },
  })
  await using cluster = createCluster(options, {
    platform: createNodePlatform(),
    log: silentLog,
  })
  return await new Admin(cluster).topics.list().then(
    () => true,
    () => false,
  )
}

describe('users', () => {
  it('log in with the password that was set, which never left here', async () => {
    await using world = await startSecured()
    const { users } = world.admin
    const password = 'a secret — with “more” than ASCII'
    for (const mechanism of ['SCRAM-SHA-256', 'SCRAM-SHA-512'] as const) {
      await users.upsert({ user: 'alice', mechanism, password })
      expect(await canLogIn(world, mechanism, password)).toBe(true)
      expect(await canLogIn(world, mechanism, 'another')).toBe(false)
    }
    const sent = world.kafka.requests('AlterUserScramCredentials').map(({ body }) => body)
    expect(JSON.stringify(sent)).not.toContain('a secret')
    expect(await users.describe('alice')).toEqual({
      user: 'alice',
      logins: [
        { mechanism: 'SCRAM-SHA-256', iterations: 8192 },
        { mechanism: 'SCRAM-SHA-512', iterations: 8192 },
      ],
    })
    expect((await users.list()).map(({ user }) => user)).toContain('alice')
    await users.delete('alice', 'SCRAM-SHA-256')
    await users.delete('alice', 'SCRAM-SHA-512')
    await expect(users.describe('alice')).rejects.toMatchObject({ kafkaName: 'RESOURCE_NOT_FOUND' })
  })

  it('are changed each for itself', async () => {
    await using world = await startWorld()
    const { users } = world.admin
    const results = await users.alterMany([
      {
        change: 'upsert',
        user: 'alice',
        mechanism: 'SCRAM-SHA-256',
        password: 'x',
        iterations: 4096,
      },
      { change: 'delete', user: 'bob', mechanism: 'SCRAM-SHA-256' },
    ])
    expect(results.get('alice')).toEqual({ answerWasLost: false })
    expect(results.get('bob')?.error).toMatchObject({ kafkaName: 'RESOURCE_NOT_FOUND' })
    expect((await users.describe('alice')).logins).toEqual([
      { mechanism: 'SCRAM-SHA-256', iterations: 4096 },
    ])
  })

  it('that are gone after a lost answer count as deleted', async () => {
    await using world = await startWorld()
    const { users } = world.admin
    await users.upsert({ user: 'alice', mechanism: 'SCRAM-SHA-256', password: 'x' })
    using _ = world.loseFirstAnswer('AlterUserScramCredentials')
    expect(await users.delete('alice', 'SCRAM-SHA-256')).toEqual({ answerWasLost: true })
  })

  it('are refused before anything is sent, and without the password', async () => {
    await using world = await startWorld()
    const { users } = world.admin
    const alice = { user: 'alice', mechanism: 'SCRAM-SHA-256', password: 'secret' } as const
    const refusals: [() => Promise<unknown>, RegExp][] = [
      [
        () => users.upsert({ ...alice, iterations: 100 }),
        /iterations \(100\) must be .* 4096 to 16384/,
      ],
      [() => users.upsert({ ...alice, password: '' }), /password must be a text/],
      [() => users.upsert({ ...alice, password: 'secret\ud800' }), /password must be a text/],
      [
        () => users.upsert({ ...alice, mechanism: 'PLAIN' as never }),
        /mechanism \('PLAIN'\) must be one of/,
      ],
      [() => users.upsert({ ...alice, user: '' }), /user \(''\)/],
    ]
    for (const [refused, message] of refusals) {
      const error = await refused().catch((reason: unknown) => reason as Error)
      expect(error).toMatchObject({ code: 'MILLRACE_OPTION_INVALID', message })
      expect((error as Error).message).not.toContain('secret')
    }
    expect(world.kafka.requests('AlterUserScramCredentials')).toEqual([])
  })
})
