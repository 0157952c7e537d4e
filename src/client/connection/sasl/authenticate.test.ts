import { describe, expect, it } from 'vitest'
import { createNodePlatform } from '../../../platform/index.ts'
import type { Platform } from '../../../platform/index.ts'
import { kafkaError } from '../../../protocol/index.ts'
import { ControlledClock } from '../../../testing/index.ts'
import { ConnectionError } from '../../client-error.ts'
import { authenticate } from './authenticate.ts'
import type { LoginOptions, LoginWire, SaslResponse } from './authenticate.ts'
import { answered, ScramServer } from './scram-server-fixture.ts'
import type { Credentials, SaslOptions } from './sasl-options.ts'

const credentials: Credentials = { username: 'user-name', password: 'pass-word' }
const plain: SaslOptions = { mechanism: 'PLAIN', credentials }
const code = 'MILLRACE_CLIENT_LOGIN_FAILED'
const never = new Promise<never>(() => undefined)

/** A connection to a broker that answers with `answers` in turn. */
function connection(...answers: (SaslResponse | Promise<SaslResponse> | Error)[]) {
  const said: string[] = []
  const clock = new ControlledClock(createNodePlatform().clock)
  const platform: Platform = { ...createNodePlatform(), clock }
  const options: Omit<LoginOptions & LoginWire, 'sasl'> = {
    encrypted: true,
    platform,
    handshake: (mechanism) => {
      said.push(`handshake ${mechanism}`)
      return Promise.resolve()
    },
    exchange: async (bytes) => {
      said.push(bytes.toString())
      const answer = await (answers.shift() ?? answered(Buffer.alloc(0)))
      if (answer instanceof Error) throw answer
      return answer
    },
  }
  return { said, clock, options }
}

const refusal = (errorCode: number, errorMessage: string | null): SaslResponse => ({
  ...answered(Buffer.alloc(0)),
  errorCode,
  errorMessage,
})

describe('PLAIN', () => {
  it('chooses the mechanism and sends one message', async () => {
    const { said, options } = connection(answered(Buffer.alloc(0), 60_000))
    expect(await authenticate({ ...options, sasl: plain })).toEqual({ sessionLifetimeMs: 60_000 })
    expect(said).toEqual(['handshake PLAIN', '\0user-name\0pass-word'])
  })

  it.each(['user\0name', 'pass\0word'])('sends nothing with a NUL in it: %j', async (text) => {
    const { said, options } = connection()
    const sasl: SaslOptions = { ...plain, credentials: { username: text, password: text } }
    await expect(authenticate({ ...options, sasl })).rejects.toMatchObject({ code })
    expect(said).toEqual(['handshake PLAIN'])
  })
})

describe('without TLS', () => {
  const bearer: SaslOptions = { mechanism: 'OAUTHBEARER', token: () => ({ value: 'abc' }) }

  it.each([plain, bearer])('$mechanism is refused before anything is sent', async (sasl) => {
    const { said, options } = connection()
    const login = authenticate({ ...options, sasl, encrypted: false })
    await expect(login).rejects.toMatchObject({ code })
    expect(said).toEqual([])
  })

  it.each([plain, bearer])('$mechanism goes where it is allowed', async (sasl) => {
    const { said, options } = connection()
    const allowed = { ...sasl, allowWithoutTls: true } as SaslOptions
    await authenticate({ ...options, sasl: allowed, encrypted: false })
    expect(said).toHaveLength(2)
  })

  it('SCRAM goes: it does not show the password', async () => {
    const { said, options } = connection()
    const mechanism = 'SCRAM-SHA-512'
    const server = new ScramServer({ mechanism, password: credentials.password })
    const sasl: SaslOptions = { mechanism, credentials }
    const { exchange } = server
    await authenticate({ ...options, exchange, sasl, encrypted: false })
    expect(said).toEqual(['handshake SCRAM-SHA-512'])
    expect(server.clientProvedItself).toBe(true)
  })
})

describe('credentials by function', () => {
  it('are asked for at every login', async () => {
    const { said, options } = connection()
    const passwords = ['first', 'second']
    const give = () => ({ username: 'u', password: passwords.shift() ?? '' })
    for (const credentials of [give, () => Promise.resolve(give())]) {
      await authenticate({ ...options, sasl: { mechanism: 'PLAIN', credentials } })
    }
    expect(said.filter((text) => text.startsWith('\0'))).toEqual(['\0u\0first', '\0u\0second'])
  })

  it('that fail may succeed later; their error is the cause, and nothing is sent', async () => {
    const { said, options } = connection()
    const cause = new Error('the vault is sealed, token hvs.secret')
    for (const fail of [() => Promise.reject(cause), () => throwIt(cause)]) {
      const login = authenticate({ ...options, sasl: { mechanism: 'PLAIN', credentials: fail } })
      await expect(login).rejects.toMatchObject({
        code,
        cause,
        retriable: true,
        message:
          'login with PLAIN failed: sasl.credentials rejected: the cause of this error says why',
      })
    }
    expect(said).toEqual([])
  })

  it('that never come end the login in time', async () => {
    const { clock, options } = connection()
    const sasl: SaslOptions = { mechanism: 'OAUTHBEARER', token: () => never }
    const login = authenticate({ ...options, sasl, proofTimeoutMs: 5000 })
    const message = 'login with OAUTHBEARER failed: sasl.token gave nothing in 5000 ms'
    const ends = expect(login).rejects.toMatchObject({ code, message, retriable: true })
    await clock.advance(5000)
    await ends
  })

  it('that are something else are refused without showing them', async () => {
    const { said, options } = connection()
    const wrong: unknown[] = [
      undefined,
      'user-name:pass-word',
      { username: 'user-name' },
      { username: 'user-name', password: 'half a pair \ud800' },
      { username: '', password: 'pass-word' },
      { user: 'user-name', password: 'pass-word' },
    ]
    for (const given of wrong) {
      const sasl = { mechanism: 'SCRAM-SHA-256', credentials: () => given } as SaslOptions
      await expect(authenticate({ ...options, sasl })).rejects.toMatchObject({
        code,
        retriable: false,
        message:
          'login with SCRAM-SHA-256 failed: sasl.credentials must be { username, password }, both texts',
      })
    }
    expect(said).toEqual([])
  })

  it('and tokens that are none are refused', async () => {
    const { options } = connection()
    const wrong: unknown[] = [
      'abc',
      { value: 7 },
      { value: 'abc', expiresAtMs: '2030-01-01' },
      { value: 'abc', expiresAtMs: Number.NaN },
      { value: 'abc', extensions: { a: 1 } },
      { value: 'abc', extensions: 'a=1' },
    ]
    for (const given of wrong) {
      const sasl = { mechanism: 'OAUTHBEARER', token: () => given } as SaslOptions
      await expect(authenticate({ ...options, sasl })).rejects.toMatchObject({ code })
    }
  })
})

describe('a refusal', () => {
  it('is told in the words of the broker', async () => {
    const { options } = connection(
      refusal(kafkaError.SASL_AUTHENTICATION_FAILED, 'Authentication failed for user-name'),
    )
    await expect(authenticate({ ...options, sasl: plain })).rejects.toMatchObject({
      code,
      retriable: false,
      message:
        'login with PLAIN failed: the broker answered SASL_AUTHENTICATION_FAILED (58): ' +
        `'Authentication failed for ***'`,
    })
  })

  it('is retriable where its code is', async () => {
    const { options } = connection(refusal(kafkaError.REQUEST_TIMED_OUT, null))
    await expect(authenticate({ ...options, sasl: plain })).rejects.toMatchObject({
      code,
      retriable: true,
      message: 'login with PLAIN failed: the broker answered REQUEST_TIMED_OUT (7)',
    })
  })

  it('leaves a lost connection, and a mechanism that is not offered, what they are', async () => {
    const lost = new ConnectionError('gone', true)
    await expect(authenticate({ ...connection(lost).options, sasl: plain })).rejects.toBe(lost)
    const { options } = connection()
    const handshake = () => Promise.reject(lost)
    await expect(authenticate({ ...options, handshake, sasl: plain })).rejects.toBe(lost)
  })
})

describe('the lifetime of a session', () => {
  const atMs = 1_000_000

  async function lifetimeMs(ofSession: number, expiresAtMs?: number): Promise<number> {
    const { options } = connection(answered(Buffer.alloc(0), ofSession))
    const clock = { ...options.platform.clock, setTimer: never_, now: () => atMs }
    const token = () => ({ value: 'abc', ...(expiresAtMs === undefined ? {} : { expiresAtMs }) })
    const sasl: SaslOptions = { mechanism: 'OAUTHBEARER', token }
    const platform = { ...options.platform, clock }
    return (await authenticate({ ...options, platform, sasl })).sessionLifetimeMs
  }
  const never_ = () => ({ cancel: () => undefined })

  it('ends when the broker ends it, or the token expires before', async () => {
    expect(await lifetimeMs(5000)).toBe(5000)
    expect(await lifetimeMs(5000, atMs + 3000)).toBe(3000)
    expect(await lifetimeMs(5000, atMs + 9000)).toBe(5000)
  })

  it('has no end where the broker named none: it would take a second login for an error', async () => {
    expect(await lifetimeMs(0, atMs + 3000)).toBe(0)
    expect(await lifetimeMs(-1)).toBe(0)
  })

  it('is the broker’s where the token has expired by our clock, and was taken', async () => {
    expect(await lifetimeMs(5000, atMs - 1)).toBe(5000)
  })
})

describe('a signal', () => {
  const reason = new Error('closing')

  it.each<[string, Partial<LoginOptions & LoginWire>]>([
    ['credentials', { sasl: { mechanism: 'PLAIN', credentials: () => never } }],
    ['the handshake', { handshake: () => never }],
    ['an answer', { exchange: () => never }],
  ])('ends a login that waits for %s', async (_what, waiting) => {
    const { options } = connection()
    const aborting = new AbortController()
    const { signal } = aborting
    const login = authenticate({ ...options, sasl: plain, ...waiting, signal })
    const ends = expect(login).rejects.toBe(reason)
    aborting.abort(reason)
    await ends
  })

  it('that has aborted lets nothing begin', async () => {
    const { said, options } = connection()
    const signal = AbortSignal.abort(reason)
    await expect(authenticate({ ...options, sasl: plain, signal })).rejects.toBe(reason)
    expect(said).toEqual([])
  })
})

function throwIt(error: Error): never {
  throw error
}
