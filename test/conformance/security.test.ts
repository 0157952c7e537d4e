/** The login protocol itself, on a listener that asks for logins. */
import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto'
import { expect } from 'vitest'
import {
  apiVersionsApi,
  describeUserScramCredentialsApi,
  metadataApi,
  saslAuthenticateApi,
  saslHandshakeApi,
} from '../../src/protocol/index.ts'
import type { WireClient } from '../../src/testing/wire-client.ts'
import { conformance } from './conformance.ts'
import { expectError } from './expectation.ts'
import { saslLogin } from './implementation.ts'
import type { Port } from './port.ts'

const { user, password } = saslLogin

function handshake(client: WireClient, mechanism: string) {
  return client.request(saslHandshakeApi, 1, { mechanism })
}

function authenticate(client: WireClient, text: string, version = 2) {
  return client.request(saslAuthenticateApi, version, { authBytes: Buffer.from(text) })
}

/** Whether a request is answered, or the broker closes the connection. */
function outcomeOf(answer: Promise<object>): Promise<'answered' | 'closed'> {
  return answer.then(
    () => 'answered',
    () => 'closed',
  )
}

function plain(name: string, secret: string): string {
  return `\0${name}\0${secret}`
}

interface ScramAnswer {
  readonly errorCode: number
  readonly serverVerified: boolean
}

/** A whole SCRAM exchange (RFC 5802), with what a client may get wrong. */
async function scram(
  client: WireClient,
  hash: 'sha256' | 'sha512',
  login: { name?: string; secret?: string; finalNonce?: (nonce: string) => string } = {},
): Promise<ScramAnswer> {
  const { name = user, secret = password, finalNonce = (nonce: string) => nonce } = login
  const nonce = randomBytes(12).toString('base64')
  const clientFirst = `n=${name},r=${nonce}`
  const first = await authenticate(client, `n,,${clientFirst}`)
  if (first.errorCode !== 0) return { errorCode: first.errorCode, serverVerified: false }
  const serverFirst = first.authBytes.toString()
  const [, serverNonce = '', salt = '', iterations = ''] =
    /^r=([^,]+),s=([^,]+),i=(\d+)/.exec(serverFirst) ?? []
  expect(serverNonce.startsWith(nonce)).toBe(true)
  const bytes = hash === 'sha256' ? 32 : 64
  const salted = pbkdf2Sync(secret, Buffer.from(salt, 'base64'), Number(iterations), bytes, hash)
  const keyed = (key: Buffer, text: string) => createHmac(hash, key).update(text).digest()
  const clientKey = keyed(salted, 'Client Key')
  const storedKey = createHash(hash).update(clientKey).digest()
  const withoutProof = `c=biws,r=${finalNonce(serverNonce)}`
  const exchange = [clientFirst, serverFirst, withoutProof].join(',')
  const signature = keyed(storedKey, exchange)
  const proof = Buffer.from(clientKey.map((byte, index) => byte ^ (signature[index] ?? 0)))
  const last = await authenticate(client, `${withoutProof},p=${proof.toString('base64')}`)
  const serverSignature = keyed(keyed(salted, 'Server Key'), exchange).toString('base64')
  const serverVerified = last.authBytes.toString() === `v=${serverSignature}`
  return { errorCode: last.errorCode, serverVerified }
}

async function isLoggedIn(client: WireClient): Promise<boolean> {
  return (await outcomeOf(client.request(metadataApi, 9, { topics: [] }))) === 'answered'
}

async function connect(port: Port): Promise<WireClient> {
  return port.connect(port.saslAddress)
}

conformance('logins', {
  'ApiVersions is answered before the login, anything else closes the connection': async (port) => {
    const client = await connect(port)
    expectError((await client.request(apiVersionsApi, 0, {})).errorCode, 'NONE')
    expect(await isLoggedIn(client)).toBe(false)
  },

  'a mechanism that is not offered is UNSUPPORTED_SASL_MECHANISM, with those that are, and closes the connection':
    async (port) => {
      const client = await connect(port)
      const answer = await handshake(client, 'NO-SUCH-MECHANISM')
      expectError(answer.errorCode, 'UNSUPPORTED_SASL_MECHANISM')
      expect([...answer.mechanisms].sort()).toEqual(['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'])
      await client.closed
    },

  'PLAIN: the right password is let in': async (port) => {
    const client = await connect(port)
    expectError((await handshake(client, 'PLAIN')).errorCode, 'NONE')
    const answer = await authenticate(client, plain(user, password))
    expectError(answer.errorCode, 'NONE')
    expect(await isLoggedIn(client)).toBe(true)
  },

  'PLAIN: every version of SaslAuthenticate is served': async (port) => {
    for (const version of [0, 1, 2]) {
      const client = await connect(port)
      await handshake(client, 'PLAIN')
      const answer = await authenticate(client, plain(user, password), version)
      expectError(answer.errorCode, 'NONE')
      expect(answer.sessionLifetimeMs).toBe(0)
    }
  },

  'PLAIN: what is wrong is SASL_AUTHENTICATION_FAILED, and closes the connection': async (port) => {
    for (const text of [
      plain(user, 'wrong'),
      plain('nobody', password),
      plain('', password),
      plain(user, ''),
      'nonsense',
      `${user}\0${user}`,
    ]) {
      const client = await connect(port)
      await handshake(client, 'PLAIN')
      const answer = await authenticate(client, text)
      expectError(answer.errorCode, 'SASL_AUTHENTICATION_FAILED')
      expect(answer.errorMessage).not.toBeNull()
      await client.closed
    }
  },

  'PLAIN: an authorization id must be the user or empty': async (port) => {
    const client = await connect(port)
    await handshake(client, 'PLAIN')
    const own = await authenticate(client, `${user}\0${user}\0${password}`)
    expectError(own.errorCode, 'NONE')
    const other = await connect(port)
    await handshake(other, 'PLAIN')
    const refused = await authenticate(other, `another\0${user}\0${password}`)
    expectError(refused.errorCode, 'SASL_AUTHENTICATION_FAILED')
  },

  'SCRAM: the right password is let in, and the broker proves that it knows it': async (port) => {
    for (const [mechanism, hash] of [
      ['SCRAM-SHA-256', 'sha256'],
      ['SCRAM-SHA-512', 'sha512'],
    ] as const) {
      const client = await connect(port)
      expectError((await handshake(client, mechanism)).errorCode, 'NONE')
      const answer = await scram(client, hash)
      expectError(answer.errorCode, 'NONE')
      expect(answer.serverVerified).toBe(true)
      expect(await isLoggedIn(client)).toBe(true)
    }
  },

  'SCRAM: a wrong password or user is SASL_AUTHENTICATION_FAILED': async (port) => {
    for (const login of [{ secret: 'wrong' }, { name: 'nobody' }]) {
      const client = await connect(port)
      await handshake(client, 'SCRAM-SHA-256')
      const answer = await scram(client, 'sha256', login)
      expectError(answer.errorCode, 'SASL_AUTHENTICATION_FAILED')
    }
  },

  'SCRAM: a final nonce that is not the one agreed upon is refused': async (port) => {
    const client = await connect(port)
    await handshake(client, 'SCRAM-SHA-256')
    const finalNonce = (nonce: string) => `${nonce}x`
    const answer = await scram(client, 'sha256', { finalNonce })
    expectError(answer.errorCode, 'SASL_AUTHENTICATION_FAILED')
  },

  'SCRAM: nonsense is SASL_AUTHENTICATION_FAILED': async (port) => {
    const client = await connect(port)
    await handshake(client, 'SCRAM-SHA-512')
    const answer = await authenticate(client, 'nonsense')
    expectError(answer.errorCode, 'SASL_AUTHENTICATION_FAILED')
  },

  'SaslAuthenticate before SaslHandshake closes the connection': async (port) => {
    const client = await connect(port)
    expect(await outcomeOf(authenticate(client, plain(user, password)))).toBe('closed')
  },

  'another request between handshake and login is refused, and closes the connection': async (
    port,
  ) => {
    const client = await connect(port)
    await handshake(client, 'PLAIN')
    const answer = await client.request(metadataApi, 9, { topics: [] }).catch(() => undefined)
    expect(answer?.brokers ?? []).toEqual([])
    await client.closed
  },

  'a second handshake before the login is ILLEGAL_SASL_STATE, and closes the connection': async (
    port,
  ) => {
    const client = await connect(port)
    await handshake(client, 'PLAIN')
    expectError((await handshake(client, 'PLAIN')).errorCode, 'ILLEGAL_SASL_STATE')
    await client.closed
  },

  'a second login is ILLEGAL_SASL_STATE, and the first one holds': async (port) => {
    const client = await connect(port)
    await handshake(client, 'PLAIN')
    await authenticate(client, plain(user, password))
    expectError((await handshake(client, 'PLAIN')).errorCode, 'ILLEGAL_SASL_STATE')
    const again = await authenticate(client, plain(user, password))
    expectError(again.errorCode, 'ILLEGAL_SASL_STATE')
    expect(await isLoggedIn(client)).toBe(true)
  },

  'a request that was sent along with a wrong password is not answered': async (port) => {
    const client = await connect(port)
    await handshake(client, 'PLAIN')
    const answer = authenticate(client, plain(user, 'wrong'))
    const behind = outcomeOf(client.request(metadataApi, 9, { topics: [] }))
    expectError((await answer).errorCode, 'SASL_AUTHENTICATION_FAILED')
    expect(await behind).toBe('closed')
  },

  'users that may log in by SCRAM are described with their mechanisms, and no others': async (
    port,
  ) => {
    const client = await connect(port)
    await handshake(client, 'PLAIN')
    await authenticate(client, plain(user, password))
    const describe = (names: string[] | null) =>
      client.request(describeUserScramCredentialsApi, 0, {
        users: names?.map((name) => ({ name })) ?? null,
      })
    const all = await describe(null)
    expectError(all.errorCode, 'NONE')
    expect(all.results.map((result) => result.user)).toContain(user)
    const [own, other] = (await describe([user, 'nobody'])).results
    expectError(own?.errorCode, 'NONE')
    const byMechanism = own?.credentialInfos.toSorted((a, b) => a.mechanism - b.mechanism)
    expect(byMechanism).toEqual([
      { mechanism: 1, iterations: 4096 },
      { mechanism: 2, iterations: 4096 },
    ])
    expectError(other?.errorCode, 'RESOURCE_NOT_FOUND')
  },
})
