import { describe, expect, it } from 'vitest'
import { createNodePlatform } from '../../platform/index.ts'
import {
  kafkaError,
  metadataApi,
  saslAuthenticateApi,
  saslHandshakeApi,
} from '../../protocol/index.ts'
import { startBroker } from '../../testing/index.ts'
import type { TestBroker, TestBrokerOptions } from '../../testing/index.ts'
import { WireClient } from '../../testing/wire-client.ts'
import { secret, signToken } from '../security/token-fixture.ts'

const users = { alice: 'wonderland', bob: 'builder' }
const alice = '\0alice\0wonderland'
const lifetimeMs = 60_000
const limited = { 'connections.max.reauth.ms': String(lifetimeMs) }

async function scene(options: TestBrokerOptions): Promise<{
  broker: TestBroker
  client: WireClient
}> {
  const broker = await startBroker(options)
  const port = Number(broker.bootstrap.split(':').at(-1))
  const platform = createNodePlatform()
  const client = await WireClient.connect({ platform, host: '127.0.0.1', port })
  return { broker, client }
}

async function logIn(client: WireClient, text: string, mechanism = 'PLAIN') {
  const handshake = await client.request(saslHandshakeApi, 1, { mechanism })
  if (handshake.errorCode !== kafkaError.NONE) return handshake
  return client.request(saslAuthenticateApi, 2, { authBytes: Buffer.from(text) })
}

const ask = (client: WireClient) => client.request(metadataApi, 9, { topics: [] })

describe('a login that counts for a while', () => {
  it('tells for how long, and is over then', async () => {
    const { broker, client } = await scene({ users, properties: limited })
    await using _ = broker
    expect(await logIn(client, alice)).toMatchObject({
      errorCode: 0,
      sessionLifetimeMs: lifetimeMs,
    })
    await broker.advanceTime(lifetimeMs / 2)
    await expect(ask(client)).resolves.toHaveProperty('clusterId')
    await broker.advanceTime(lifetimeMs / 2)
    await expect(ask(client)).rejects.toThrow(/closed the connection/)
  })

  it('goes on when it is repeated, before or after its end', async () => {
    const { broker, client } = await scene({ users, properties: limited })
    await using _ = broker
    await logIn(client, alice)
    for (const waitMs of [lifetimeMs / 2, lifetimeMs, 3 * lifetimeMs]) {
      await broker.advanceTime(waitMs)
      expect(await logIn(client, alice)).toMatchObject({ sessionLifetimeMs: lifetimeMs })
      await expect(ask(client)).resolves.toHaveProperty('clusterId')
    }
  })

  it('is not repeated at every moment', async () => {
    const { broker, client } = await scene({ users, properties: limited })
    await using _ = broker
    await logIn(client, alice)
    expect(await logIn(client, alice)).toMatchObject({ errorCode: 0 })
    const tooSoon = await logIn(client, alice)
    expect(tooSoon).toMatchObject({ errorCode: kafkaError.ILLEGAL_SASL_STATE })
    await expect(ask(client)).resolves.toHaveProperty('clusterId')
  })

  it.each([
    ['another user', '\0bob\0builder', 'PLAIN'],
    ['a wrong password', '\0alice\0looking-glass', 'PLAIN'],
    ['another mechanism', 'n,,n=alice,r=nonce', 'SCRAM-SHA-256'],
  ])('cannot be repeated by %s', async (_what, text, mechanism) => {
    const { broker, client } = await scene({ users, properties: limited })
    await using _ = broker
    await logIn(client, alice)
    const answer = await logIn(client, text, mechanism)
    expect(answer).toMatchObject({ errorCode: kafkaError.SASL_AUTHENTICATION_FAILED })
    await client.closed
  })

  it('answers nothing else while it is being repeated', async () => {
    const { broker, client } = await scene({ users, properties: limited })
    await using _ = broker
    await logIn(client, alice)
    await client.request(saslHandshakeApi, 1, { mechanism: 'PLAIN' })
    await expect(ask(client)).rejects.toThrow(/closed the connection/)
  })

  it('does not end, and cannot be repeated, where nothing limits it', async () => {
    const { broker, client } = await scene({ users })
    await using _ = broker
    expect(await logIn(client, alice)).toMatchObject({ sessionLifetimeMs: 0 })
    expect(await logIn(client, alice)).toMatchObject({ errorCode: kafkaError.ILLEGAL_SASL_STATE })
  })
})

describe('a login with a token', () => {
  it.each([
    ['the token', {}, 300_000],
    ['the setting, when it is shorter', limited, lifetimeMs],
  ])('counts as long as %s', async (_what, properties, expectedMs) => {
    const { broker, client } = await scene({ oauth: { secrets: [secret] }, properties })
    await using _ = broker
    const now = Math.floor(broker.now() / 1000)
    const claims = { sub: 'service', iat: now, exp: now + 300 }
    const message = `n,,\x01auth=Bearer ${signToken('HS256', secret, claims)}\x01\x01`
    const answer = await logIn(client, message, 'OAUTHBEARER')
    expect(answer.errorCode).toBe(kafkaError.NONE)
    const told = 'sessionLifetimeMs' in answer ? answer.sessionLifetimeMs : -1
    // The claims are in whole seconds.
    expect(told).toBeLessThanOrEqual(expectedMs)
    expect(told).toBeGreaterThan(expectedMs - 10_000)
    await broker.advanceTime(expectedMs)
    await expect(ask(client)).rejects.toThrow(/closed the connection/)
  })
})
