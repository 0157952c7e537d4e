import { inspect } from 'node:util'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { isMillraceError } from '../../../errors.ts'
import { createNodePlatform } from '../../../platform/index.ts'
import type { Offload } from '../../../platform/index.ts'
import { authenticate } from './authenticate.ts'
import type { SaslResponse } from './authenticate.ts'
import type { SaslOptions } from './sasl-options.ts'

/**
 * Promise: whatever a broker answers to a login, the login ends after a few messages, with success or
 * with one of our errors, and no error repeats what was told to the broker in confidence.
 */
const world = createNodePlatform()

/** As wrong as any other key, and at once. */
const offload: Offload = {
  ...world.offload,
  deriveKey: ({ keyBytes }) => Promise.resolve(Buffer.alloc(keyBytes)),
}

const mechanisms = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512', 'OAUTHBEARER'] as const

/** Long and strange enough not to be in a message by accident. */
const secret = fc.string({ minLength: 8, maxLength: 40 }).filter((text) => /\S{8}/.test(text))
const tokenText = fc.stringMatching(/^[A-Za-z0-9._~+/-]{8,60}$/)
const extensionText = fc.stringMatching(/^[!-~]{8,20}$/)

/** A way to log in, and what only the broker is told of it. */
function login(mechanism: (typeof mechanisms)[number]) {
  const told =
    mechanism === 'OAUTHBEARER' ? fc.tuple(tokenText, extensionText) : fc.tuple(secret, secret)
  return told.map(([first, second]): { sasl: SaslOptions; told: readonly string[] } => {
    const told = [first, second]
    if (mechanism !== 'OAUTHBEARER') {
      return { sasl: { mechanism, credentials: { username: first, password: second } }, told }
    }
    const token = () => ({ value: first, extensions: { pool: second } })
    return { sasl: { mechanism, token }, told }
  })
}

/** What a broker says: `NONCE` stands for the client's, `TOLD` for all that it was told. */
const saying = fc.oneof(
  fc.constantFrom(
    '',
    'TOLD',
    'e=TOLD',
    'v=TOLD',
    'r=NONCEx,s=MDEyMzQ1Njc=,i=4096',
    'r=NONCEx,s=MDEyMzQ1Njc=,i=999999999999999',
    'r=NONCE,s=,i=4096,x=TOLD',
    'v=AAAA',
    '{"status":"TOLD","scope":"TOLD"}',
    '{"status":{"status":[]}}',
    'null',
    '[',
  ),
  fc.stringMatching(/^[rsimvex=,0-9NONCE+/]{0,60}$/),
  fc.string({ unit: 'binary', maxLength: 100 }),
)
const bytes = fc.oneof(
  { weight: 4, arbitrary: saying.map((text) => (told: string) => Buffer.from(fill(text, told))) },
  fc.uint8Array({ maxLength: 100 }).map((noise) => () => Buffer.from(noise)),
)
const response = fc.record({
  errorCode: fc.oneof({ weight: 5, arbitrary: fc.constant(0) }, fc.integer({ min: -2, max: 150 })),
  errorMessage: fc.option(saying),
  bytes,
  sessionLifetimeMs: fc.oneof(fc.constant(0), fc.maxSafeInteger(), fc.constant(Number.NaN)),
})

function fill(text: string, told: string): string {
  const nonce = /,r=([^,]+)/.exec(told)?.[1] ?? ''
  return text.replaceAll('NONCE', () => nonce).replaceAll('TOLD', () => told)
}

const messagesMax = 2

it.each(mechanisms)('any answer to %s ends the login and tells no secret', async (mechanism) => {
  const property = fc.asyncProperty(
    login(mechanism),
    fc.array(response, { minLength: messagesMax, maxLength: messagesMax }),
    async ({ sasl, told }, responses) => {
      let messages = 0
      let heard = told.join(' ')
      const exchange = (message: Buffer): Promise<SaslResponse> => {
        heard += ` ${message.toString()}`
        const { bytes, errorMessage, ...rest } = responses[messages++]!
        const words = errorMessage === null ? null : fill(errorMessage, heard)
        return Promise.resolve({ ...rest, errorMessage: words, authBytes: bytes(heard) })
      }
      const result = authenticate({
        sasl,
        encrypted: true,
        platform: { ...world, offload },
        handshake: () => Promise.resolve(),
        exchange,
      })
      const outcome: unknown = await result.catch((error: unknown) => error)
      expect(messages).toBeLessThanOrEqual(messagesMax)
      if (!(outcome instanceof Error)) return
      if (!isMillraceError(outcome, 'MILLRACE_CLIENT_LOGIN_FAILED')) throw outcome
      const words = `${outcome.message} ${inspect(outcome, { depth: 10 })}`
      expect(
        told.filter((text) => words.includes(text)),
        words,
      ).toEqual([])
    },
  )
  await fc.assert(property, { seed: 5, numRuns: 1000 })
})
