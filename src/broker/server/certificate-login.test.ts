import fs from 'node:fs'
import { describe, expect, it } from 'vitest'
import { createNodePlatform } from '../../platform/index.ts'
import {
  createTopicsApi,
  kafkaError,
  saslAuthenticateApi,
  saslHandshakeApi,
} from '../../protocol/index.ts'
import { startBroker, WireClient } from '../../testing/index.ts'
import type { TestBrokerOptions } from '../../testing/index.ts'

/** Certificates of the platform's tests. */
function fixture(name: string): string {
  return fs.readFileSync(new URL(`../../platform/fixture/${name}`, import.meta.url), 'utf8')
}

const authorities = [fixture('authority.pem')]
const serverTls = {
  certificate: fixture('server.pem'),
  privateKey: fixture('server.key'),
  authorities,
}
const clientCertificate = {
  certificate: fixture('client.pem'),
  privateKey: fixture('client-encrypted.key'),
  passphrase: 'secret',
}

/** A broker that lets a user do everything, and the connection of a client with a certificate. */
async function scene(
  superUser: string,
  options: TestBrokerOptions,
  certificate: object = clientCertificate,
): Promise<AsyncDisposable & { client: WireClient; mayCreate: () => Promise<boolean> }> {
  const tls = { ...serverTls, clientCertificate: 'requested' as const }
  const authorizer = { superUsers: [superUser] }
  const broker = await startBroker({ tls, authorizer, ...options })
  const client = await WireClient.connect({
    platform: createNodePlatform(),
    host: '127.0.0.1',
    port: Number(broker.bootstrap.split(':').at(-1)),
    tls: { authorities, serverName: 'broker.test', ...certificate },
  })
  const mayCreate = async () => {
    const topic = { numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }
    const { topics } = await client.request(createTopicsApi, 5, {
      topics: [{ name: 'made', ...topic }],
    })
    return topics[0]?.errorCode === kafkaError.NONE
  }
  return {
    client,
    mayCreate,
    async [Symbol.asyncDispose]() {
      await client[Symbol.asyncDispose]()
      await broker.close()
    },
  }
}

describe('a client with a certificate', () => {
  it('is the user that the certificate names', async () => {
    const name = String.raw`User:OU=a\+b+CN=shipping service,O=Order\, Payments,C=CH`
    await using known = await scene(name, {})
    expect(await known.mayCreate()).toBe(true)
    await using other = await scene('User:shipping service', {})
    expect(await other.mayCreate()).toBe(false)
  })

  it('is the user that the rules make of its name', async () => {
    const principalMappingRules = 'RULE:^.*CN=([a-z]+) .*$/$1/U,DEFAULT'
    await using known = await scene('User:SHIPPING', { principalMappingRules })
    expect(await known.mayCreate()).toBe(true)
  })

  it('is not let in when no rule is for its name', async () => {
    await using nobody = await scene('User:x', { principalMappingRules: 'RULE:^CN=x$/x/' })
    await nobody.client.closed
  })

  it('is the user it has logged in as, where logins are asked for', async () => {
    const users = { alice: 'wonderland' }
    await using world = await scene('User:alice', { users })
    await login(world.client, { user: 'alice', password: 'wonderland' })
    expect(await world.mayCreate()).toBe(true)
  })

  it('is nobody without one', async () => {
    await using anonymous = await scene('User:ANONYMOUS', {}, {})
    expect(await anonymous.mayCreate()).toBe(true)
  })
})

async function login(
  client: WireClient,
  { user, password }: { user: string; password: string },
): Promise<void> {
  await client.request(saslHandshakeApi, 1, { mechanism: 'PLAIN' })
  const authBytes = Buffer.from(`\0${user}\0${password}`)
  expect((await client.request(saslAuthenticateApi, 2, { authBytes })).errorCode).toBe(0)
}
