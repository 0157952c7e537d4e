import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MillraceError } from '../../../errors.ts'
import { ConnectionError } from '../../client-error.ts'
import { logInBearer } from './oauthbearer.ts'
import type { SaslAnswer } from './sasl-exchange.ts'
import type { BearerToken } from './sasl-options.ts'

const value = 'eyJhbGciOiJub25lIn0.e30.'

/** A broker that answers in turn, with bytes or an error; an empty answer is a login. */
function broker(...answers: (string | Error)[]) {
  const received: string[] = []
  const exchange = (message: Buffer): Promise<SaslAnswer> => {
    received.push(message.toString())
    const answer = answers.shift()
    if (typeof answer !== 'string') return Promise.reject(answer ?? new Error('nothing is left'))
    return Promise.resolve({ authBytes: Buffer.from(answer), sessionLifetimeMs: 5 })
  }
  return { received, exchange }
}

const loginFailed = (message: string) => ({ code: 'MILLRACE_CLIENT_LOGIN_FAILED', message })

describe('the first message', () => {
  it('is the token behind an empty header', async () => {
    const { received, exchange } = broker('')
    expect(await logInBearer({ value }, exchange)).toMatchObject({ sessionLifetimeMs: 5 })
    expect(received).toEqual([`n,,\x01auth=Bearer ${value}\x01\x01`])
  })

  it('has the extensions behind the token', async () => {
    const { received, exchange } = broker('')
    const extensions = { logicalCluster: 'lkc-1', identityPoolId: 'pool one' }
    await logInBearer({ value, extensions }, exchange)
    expect(received).toEqual([
      `n,,\x01auth=Bearer ${value}\x01logicalCluster=lkc-1\x01identityPoolId=pool one\x01\x01`,
    ])
  })

  it('is never more than one token and its extensions, whatever they contain', async () => {
    const anything = fc.record({
      value: fc.string({ maxLength: 20 }),
      extensions: fc.dictionary(fc.string({ maxLength: 5 }), fc.string({ maxLength: 10 })),
    })
    const property = fc.asyncProperty(anything, async (token) => {
      const { received, exchange } = broker('')
      const sent = await logInBearer(token, exchange).then(
        () => true,
        (error: unknown) => {
          expect(error).toMatchObject({ code: 'MILLRACE_CLIENT_LOGIN_FAILED' })
          return false
        },
      )
      expect(received).toHaveLength(sent ? 1 : 0)
      if (!sent) return
      const [head, ...fields] = received[0]!.split('\x01')
      const names = fields.slice(0, -2).map((field) => field.slice(0, field.indexOf('=')))
      expect([head, ...fields.slice(-2)]).toEqual(['n,,', '', ''])
      expect(names).toEqual(['auth', ...Object.keys(token.extensions)])
    })
    await fc.assert(property, { seed: 1, numRuns: 500 })
  })

  it.each<[string, BearerToken]>([
    ['a token with a space', { value: 'a b' }],
    ['a token with a control character', { value: 'a\x01b' }],
    ['an empty token', { value: '' }],
    ['an extension called auth', { value, extensions: { auth: 'Bearer other' } }],
    ['an extension with a digit in its name', { value, extensions: { a1: 'x' } }],
    ['an extension that ends the field', { value, extensions: { a: 'x\x01auth=Bearer y' } }],
    ['an empty extension', { value, extensions: { a: '' } }],
    ['an extension beyond ASCII', { value, extensions: { a: 'ü' } }],
  ])('is not sent with %s', async (_what, token) => {
    const { received, exchange } = broker('')
    await expect(logInBearer(token, exchange)).rejects.toMatchObject({
      code: 'MILLRACE_CLIENT_LOGIN_FAILED',
    })
    expect(received).toEqual([])
  })
})

describe('a refusal', () => {
  const reason = '{"status":"invalid_token","scope":"kafka","openid-configuration":"https://id"}'

  it('is told in the words of the server, after the exchange has come to its end', async () => {
    const end = new MillraceError('MILLRACE_CLIENT_LOGIN_FAILED', 'refused')
    const { received, exchange } = broker(reason, end)
    await expect(logInBearer({ value }, exchange)).rejects.toMatchObject(
      loginFailed(
        `login with OAUTHBEARER failed: the server says ` +
          `'status invalid_token, scope kafka, openid-configuration https://id'`,
      ),
    )
    expect(received[1]).toBe('\x01')
  })

  it.each([
    ['the connection is lost', new ConnectionError('gone', true)],
    ['the server takes the end for a login', ''],
  ])('stays one when %s before the end', async (_how, end) => {
    const { exchange } = broker(reason, end)
    await expect(logInBearer({ value }, exchange)).rejects.toMatchObject({
      code: 'MILLRACE_CLIENT_LOGIN_FAILED',
      retriable: false,
    })
  })

  it.each([
    ['text', 'no such token', `'no such token'`],
    ['JSON of another form', '["x"]', `'["x"]'`],
    ['JSON with a status that is none', '{"status":7}', `'{"status":7}'`],
    ['several lines', 'one\r\n\x1b[31mtwo', `'one [31mtwo'`],
    ['the token itself', `{"status":"bad ${value}!"}`, `'status bad ***!'`],
    ['too much', 'x'.repeat(9000), 'a reason of 9000 bytes'],
  ])('of %s is quoted', async (_what, text, quoted) => {
    const { exchange } = broker(text, '')
    await expect(logInBearer({ value }, exchange)).rejects.toThrow(quoted)
  })
})

it('leaves a lost connection what it is', async () => {
  const lost = new ConnectionError('gone', true)
  await expect(logInBearer({ value }, broker(lost).exchange)).rejects.toBe(lost)
})
