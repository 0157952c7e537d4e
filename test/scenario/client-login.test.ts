import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { startSaslExchange } from '../../src/broker/security/sasl.ts'
import type { PasswordMechanism } from '../../src/broker/security/sasl.ts'
import { createUsers } from '../../src/broker/security/users.ts'
import { authenticate } from '../../src/client/connection/sasl/authenticate.ts'
import type { SaslResponse } from '../../src/client/connection/sasl/authenticate.ts'
import { createNodePlatform } from '../../src/platform/index.ts'
import { kafkaError } from '../../src/protocol/index.ts'

/* The client logs in with any name and password that the broker knows, and with no other. */

const platform = createNodePlatform()
const mechanisms: readonly PasswordMechanism[] = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512']

/** The login side of a broker with one user, without the bytes in between. */
function broker(mechanism: PasswordMechanism, user: string, password: string) {
  const users = createUsers({
    passwords: new Map([[user, password]]),
    mechanisms,
    storedCredential: () => undefined,
    random: platform.random,
  })
  const exchange = startSaslExchange(mechanism, users, platform.random)
  const loggedIn: string[] = []
  return {
    loggedIn,
    exchange: (message: Buffer): Promise<SaslResponse> => {
      const step = exchange(message)
      if (step.kind === 'success') loggedIn.push(step.user)
      const failed = step.kind === 'failure'
      return Promise.resolve({
        errorCode: failed ? kafkaError.SASL_AUTHENTICATION_FAILED : 0,
        errorMessage: failed ? step.message : null,
        authBytes: failed ? Buffer.alloc(0) : step.bytes,
        sessionLifetimeMs: 0,
      })
    },
  }
}

const text = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 20 })
  .filter((text) => !text.includes('\0'))

describe.each(mechanisms)('%s', (mechanism) => {
  const logIn = (server: ReturnType<typeof broker>, username: string, password: string) =>
    authenticate({
      sasl: { mechanism, credentials: { username, password } },
      encrypted: true,
      platform,
      handshake: () => Promise.resolve(),
      exchange: server.exchange,
    })

  it('lets in who the broker knows', async () => {
    const property = fc.asyncProperty(text, text, async (user, password) => {
      const server = broker(mechanism, user, password)
      await logIn(server, user, password)
      expect(server.loggedIn).toEqual([user])
    })
    await fc.assert(property, { seed: 1, numRuns: 60 })
  })

  it('and nobody else', async () => {
    const property = fc.asyncProperty(text, text, text, text, async (user, password, ...other) => {
      fc.pre(user !== other[0] || password !== other[1])
      const server = broker(mechanism, user, password)
      await expect(logIn(server, ...other)).rejects.toMatchObject({
        code: 'MILLRACE_CLIENT_LOGIN_FAILED',
      })
      expect(server.loggedIn).toEqual([])
    })
    await fc.assert(property, { seed: 1, numRuns: 60 })
  })
})
