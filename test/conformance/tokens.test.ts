/** Logins with tokens (OAUTHBEARER), and logins that end (KIP-368). */
import { expect } from 'vitest'
import { metadataApi, saslAuthenticateApi, saslHandshakeApi } from '../../src/protocol/index.ts'
import { curvePair, rsaPair, secret, signToken } from '../../src/broker/security/token-fixture.ts'
import type { WireClient } from '../../src/testing/wire-client.ts'
import { startRealKafka } from '../kafka/real-kafka.ts'
import { conformance } from './conformance.ts'
import { expectError } from './expectation.ts'
import type { Implementation, ImplementationName } from './implementation.ts'
import type { Port } from './port.ts'

const issuer = 'https://issuer.test'
const audience = 'kafka'
const jwks = JSON.stringify({
  keys: [
    { ...rsaPair.publicKey.export({ format: 'jwk' }), kid: 'rsa', alg: 'RS256', use: 'sig' },
    { ...curvePair.publicKey.export({ format: 'jwk' }), kid: 'curve', alg: 'ES256', use: 'sig' },
  ],
})

async function startWithTokens(name: ImplementationName): Promise<Implementation> {
  const tokens = { jwks, issuer, audience }
  if (name === 'kafka-3.9') return startRealKafka({ version: '3.9.1', tokens })
  if (name.startsWith('kafka')) return startRealKafka({ tokens })
  const { startBroker } = await import('../../src/testing/index.ts')
  const broker = await startBroker({ oauth: tokens })
  return {
    bootstrap: broker.bootstrap,
    saslBootstrap: broker.bootstrap,
    [Symbol.asyncDispose]: () => broker[Symbol.asyncDispose](),
  }
}

/** The claims of a good token, with changes. */
function claims(changes: object = {}) {
  const now = Math.floor(Date.now() / 1000)
  return { sub: 'alice', iss: issuer, aud: audience, iat: now - 5, exp: now + 300, ...changes }
}

function token(changes: object = {}): string {
  return signToken('RS256', rsaPair.privateKey, claims(changes), { kid: 'rsa' })
}

async function connect(port: Port): Promise<WireClient> {
  return port.connectWithoutLogin(port.saslAddress)
}

function say(client: WireClient, text: string) {
  return client.request(saslAuthenticateApi, 2, { authBytes: Buffer.from(text) })
}

/** Sends the first message of the mechanism. */
async function begin(client: WireClient, value: string, authorization = '') {
  const handshake = await client.request(saslHandshakeApi, 1, { mechanism: 'OAUTHBEARER' })
  expectError(handshake.errorCode, 'NONE')
  return say(client, `n,${authorization},\x01auth=Bearer ${value}\x01\x01`)
}

const ask = (client: WireClient) => client.request(metadataApi, 9, { topics: [] })

/** A refused token is answered with its error, and the login fails when the client has seen it. */
async function expectRefused(port: Port, value: string): Promise<void> {
  const client = await connect(port)
  const answer = await begin(client, value)
  expectError(answer.errorCode, 'NONE')
  expect(JSON.parse(answer.authBytes.toString())).toMatchObject({ status: 'invalid_token' })
  expectError((await say(client, '\x01')).errorCode, 'SASL_AUTHENTICATION_FAILED')
  await client.closed
}

conformance(
  'tokens',
  {
    'a good token is let in, for as long as it lasts': async (port) => {
      for (const good of [
        token(),
        token({ aud: ['another', audience] }),
        signToken('ES256', curvePair.privateKey, claims(), { kid: 'curve' }),
      ]) {
        const client = await connect(port)
        const answer = await begin(client, good)
        expectError(answer.errorCode, 'NONE')
        expect(answer.authBytes).toHaveLength(0)
        expect(answer.sessionLifetimeMs).toBeGreaterThan(290_000)
        expect(answer.sessionLifetimeMs).toBeLessThanOrEqual(300_000)
        await expect(ask(client)).resolves.toHaveProperty('clusterId')
      }
    },

    'a token that is not right is refused': async (port) => {
      const now = Math.floor(Date.now() / 1000)
      for (const bad of [
        token({ exp: now - 3_600, iat: now - 7_200 }),
        token({ exp: undefined }),
        token({ iat: undefined }),
        token({ nbf: now + 120 }),
        token({ iss: 'https://another.test' }),
        token({ aud: 'another' }),
        token({ aud: undefined }),
        token({ sub: undefined }),
        signToken('HS256', secret, claims()),
        signToken('none', secret, claims()),
        signToken('RS256', rsaPair.privateKey, claims(), { kid: 'curve' }),
      ]) {
        await expectRefused(port, bad)
      }
    },

    'a first message that is malformed ends the login at once': async (port) => {
      for (const text of ['nonsense', 'n,,\x01\x01', `n,,\x01auth=${token()}\x01\x01`]) {
        const client = await connect(port)
        await client.request(saslHandshakeApi, 1, { mechanism: 'OAUTHBEARER' })
        expectError((await say(client, text)).errorCode, 'SASL_AUTHENTICATION_FAILED')
        await client.closed
      }
    },

    'an authorization id must be the user of the token': async (port) => {
      expectError((await begin(await connect(port), token(), 'a=alice')).errorCode, 'NONE')
      const other = await begin(await connect(port), token(), 'a=root')
      expectError(other.errorCode, 'SASL_AUTHENTICATION_FAILED')
    },

    'a login is repeated on the same connection, by the same user alone': async (port) => {
      const client = await connect(port)
      await begin(client, token())
      expectError((await begin(client, token())).errorCode, 'NONE')
      await expect(ask(client)).resolves.toHaveProperty('clusterId')
      const another = await connect(port)
      await begin(another, token())
      const refused = await begin(another, token({ sub: 'bob' }))
      expectError(refused.errorCode, 'SASL_AUTHENTICATION_FAILED')
      await another.closed
    },

    'a login is not repeated twice within a second': async (port) => {
      const client = await connect(port)
      await begin(client, token())
      await begin(client, token())
      const answer = await client.request(saslHandshakeApi, 1, { mechanism: 'OAUTHBEARER' })
      expectError(answer.errorCode, 'ILLEGAL_SASL_STATE')
    },

    'a connection whose login has ended is closed when it asks for something': async (port) => {
      const client = await connect(port)
      const exp = Math.floor(Date.now() / 1000) + 3
      const { sessionLifetimeMs } = await begin(client, token({ exp }))
      expect(sessionLifetimeMs).toBeLessThanOrEqual(3_000)
      await port.eventually('the connection is closed', () =>
        ask(client).then(
          () => undefined,
          () => true,
        ),
      )
    },
  },
  { start: startWithTokens },
)
