import { readFileSync } from 'node:fs'
import { inspect } from 'node:util'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isMillraceError } from '../errors.ts'
import { createNodePlatform } from '../platform/index.ts'
import type { ClientOptions } from './options.ts'
import { resolveClientOptions } from './resolve-options.ts'

const fixture = (name: string) =>
  readFileSync(new URL(`../platform/fixture/${name}`, import.meta.url), 'utf8')
const authority = fixture('authority.pem')
const certificate = fixture('client.pem')
const privateKey = fixture('client-encrypted.key')

const brokers = 'localhost:9092'
const credentials = { username: 'user', password: 'pass-word' }

/** Resolves what may be anything. */
function resolve(options: unknown) {
  return resolveClientOptions(options as ClientOptions)
}

describe('the defaults', () => {
  it('are those of the documentation', () => {
    expect(resolve({ brokers: 'kafka-1' })).toEqual({
      brokers: [{ host: 'kafka-1', port: 9092 }],
      clientId: 'millrace',
      tls: {},
      sasl: undefined,
      allowPlaintext: false,
      connectTimeoutMs: 10_000,
      requestTimeoutMs: 30_000,
      retryBackoffMs: 100,
      retryBackoffMsMax: 1000,
      metadataMaxAgeMs: 300_000,
      requestsInFlightMax: 64,
      bytesInFlightMax: 67_108_864,
      connectionIdleMsMax: 540_000,
      responseBytesMax: 134_217_728,
      rack: undefined,
    })
  })

  it('are those that the types tell', () => {
    const source = readFileSync(new URL('options.ts', import.meta.url), 'utf8')
    const told = [...source.matchAll(/@defaultValue '?(\w+)'? \*\/\n +readonly (\w+)\?/g)]
    const resolved: Record<string, unknown> = { ...resolve({ brokers }) }
    expect(told.length).toBeGreaterThan(10)
    for (const [, value, name] of told) expect(String(resolved[name!]), name).toBe(value)
  })

  it('stand where an option is given as undefined', () => {
    const absent = { clientId: undefined, tls: undefined, sasl: undefined, rack: undefined }
    const numbers = { requestTimeoutMs: undefined, log: undefined, platform: undefined }
    expect(resolve({ brokers, ...absent, ...numbers })).toEqual(resolve({ brokers }))
  })
})

describe('an option', () => {
  it('is taken when it is allowed', () => {
    const given = {
      clientId: 'billing',
      connectTimeoutMs: 1,
      requestTimeoutMs: 2,
      retryBackoffMs: 3,
      retryBackoffMsMax: 3,
      metadataMaxAgeMs: 5,
      requestsInFlightMax: 6,
      bytesInFlightMax: 7,
      connectionIdleMsMax: 8,
      responseBytesMax: 65_536,
      rack: 'eu-1a',
    }
    expect(resolve({ brokers, ...given })).toMatchObject(given)
  })

  it.each<[object, string]>([
    [
      { brokers, requestTimeoutMs: 0 },
      'requestTimeoutMs (0) must be a whole number from 1 to 2147483647',
    ],
    [{ brokers, requestTimeoutMs: 1.5 }, 'requestTimeoutMs (1.5) must be'],
    [{ brokers, requestTimeoutMs: '5' }, `requestTimeoutMs ('5') must be`],
    [{ brokers, requestTimeoutMs: Number.NaN }, 'requestTimeoutMs (NaN) must be'],
    [{ brokers, connectTimeoutMs: 2 ** 31 }, 'connectTimeoutMs (2147483648) must be'],
    [{ brokers, requestsInFlightMax: null }, 'requestsInFlightMax (null) must be'],
    [{ brokers, responseBytesMax: 1000 }, 'from 65536 to 2147483647'],
    [
      { brokers, retryBackoffMs: 5000 },
      'retryBackoffMs (5000) must not exceed retryBackoffMsMax (1000)',
    ],
    [{ brokers, clientId: '' }, `clientId ('') must be a text of 1 to 255 characters`],
    [{ brokers, clientId: 'two\nlines' }, 'clientId'],
    [{ brokers, rack: 7 }, 'rack (7) must be a text'],
    [{ brokers, allowPlaintext: 'yes' }, `allowPlaintext ('yes') must be true or false`],
    [
      { brokers, log: {} },
      'log (an object) must be a function or a logger with debug, info, warn, error',
    ],
    [{ brokers, log: 'info' }, `log ('info') must be`],
    [
      { brokers, platform: {} },
      'platform (an object) must have clock, random, network, disk, offload',
    ],
    [{ brokers, clientid: 'x' }, 'clientid is not an option; did you mean clientId?'],
    [{ brokers, zzzzzzzz: 1 }, 'zzzzzzzz is not an option; known are brokers, clientId, tls'],
    [{}, 'brokers must be'],
    [[], 'options must be an object'],
  ])('is refused: %j', (given, problem) => {
    expect(() => resolve(given)).toThrow(problem)
    expect(() => resolve(given)).toThrow(
      expect.objectContaining({ code: 'MILLRACE_OPTION_INVALID' }),
    )
  })

  it('of the world is a function, a logger, a platform', () => {
    const { log, error } = console
    const logger = { debug: log, info: log, warn: log, error }
    for (const taken of [log, logger]) expect(resolve({ brokers, log: taken })).toBeDefined()
    expect(resolve({ brokers, platform: createNodePlatform() })).toBeDefined()
  })
})

describe('tls', () => {
  it('is on unless all brokers are on this machine, or plain text is allowed', () => {
    const tls = (options: object) => resolve(options).tls
    expect(tls({ brokers: 'kafka-1' })).toEqual({})
    expect(tls({ brokers: 'localhost,[::1]:1' })).toBeUndefined()
    expect(tls({ brokers: 'kafka-1', allowPlaintext: true })).toBeUndefined()
    expect(tls({ brokers: 'kafka-1', allowPlaintext: true, tls: false })).toBeUndefined()
    expect(tls({ brokers: 'localhost', tls: true })).toEqual({})
    expect(tls({ brokers: 'localhost,kafka-1', tls: true })).toEqual({})
    expect(tls({ brokers: 'kafka-1', tls: true, allowPlaintext: true })).toEqual({})
  })

  it('takes certificates and keys as text', () => {
    const tls = { authorities: authority, certificate, privateKey, passphrase: 'x' }
    expect(resolve({ brokers, tls }).tls).toEqual({ ...tls, authorities: [authority] })
    const authorities = [authority, certificate]
    expect(resolve({ brokers, tls: { authorities, serverName: 'kafka' } }).tls).toEqual({
      authorities,
      serverName: 'kafka',
    })
  })

  it.each<[object, string]>([
    [
      { brokers: 'kafka-1:9092', tls: false },
      'tls (false) sends everything in plain text to kafka-1:9092',
    ],
    [
      { brokers: 'localhost,kafka-1' },
      'brokers (localhost:9092, kafka-1:9092) are partly on this machine',
    ],
    [{ brokers, tls: 'yes' }, 'tls must be an object'],
    [{ brokers, tls: { ca: authority } }, 'tls.ca is not an option; known are authorities'],
    [
      { brokers, tls: { authority } },
      'tls.authority is not an option; did you mean tls.authorities?',
    ],
    [
      { brokers, tls: { authorities: '/etc/ca.pem' } },
      'tls.authorities must be certificates in PEM, as text',
    ],
    [{ brokers, tls: { authorities: [] } }, 'tls.authorities must not be an empty list'],
    [{ brokers, tls: { authorities: [authority, 7] } }, 'tls.authorities must be certificates'],
    [{ brokers, tls: { certificate } }, 'tls.certificate needs tls.privateKey as well'],
    [{ brokers, tls: { privateKey } }, 'tls.privateKey needs tls.certificate as well'],
    [{ brokers, tls: { passphrase: 'x' } }, 'tls.passphrase needs tls.privateKey as well'],
    [
      { brokers, tls: { certificate: privateKey, privateKey } },
      'tls.certificate must be certificates',
    ],
    [
      { brokers, tls: { certificate, privateKey: certificate } },
      'tls.privateKey must be the private key',
    ],
    [{ brokers, tls: { certificate, privateKey, passphrase: 7 } }, 'tls.passphrase must be a text'],
    [{ brokers, tls: { serverName: '' } }, `tls.serverName ('') must be a text`],
  ])('is refused: %#', (given, problem) => {
    expect(() => resolve(given)).toThrow(problem)
  })
})

describe('sasl', () => {
  const give = () => credentials
  const token = () => ({ value: 'abc' })

  it.each<object>([
    { mechanism: 'SCRAM-SHA-256', credentials },
    { mechanism: 'SCRAM-SHA-512', credentials: give },
    { mechanism: 'PLAIN', credentials, allowWithoutTls: true },
    { mechanism: 'OAUTHBEARER', token, allowWithoutTls: true },
  ])('is taken without TLS: %j', (sasl) => {
    expect(resolve({ brokers, sasl }).sasl).toEqual(sasl)
  })

  it.each<object>([
    { mechanism: 'PLAIN', credentials: give },
    { mechanism: 'OAUTHBEARER', token },
  ])('that would show a secret needs TLS: %j', (sasl) => {
    expect(resolve({ brokers: 'kafka-1', sasl }).sasl).toEqual(sasl)
    for (const options of [{ brokers }, { brokers: 'kafka-1', allowPlaintext: true }]) {
      const problem = 'shows the secret to everybody on the way where there is no TLS: set tls, or'
      expect(() => resolve({ ...options, sasl })).toThrow(problem)
      expect(() => resolve({ ...options, sasl: { ...sasl, allowWithoutTls: false } })).toThrow(
        problem,
      )
    }
  })

  it.each<[unknown, string]>([
    ['SCRAM-SHA-256', 'sasl must be an object'],
    [
      { credentials },
      'sasl.mechanism must be one of PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER',
    ],
    [{ mechanism: 'scram-sha-256', credentials }, 'did you mean SCRAM-SHA-256?'],
    [{ mechanism: 'GSSAPI' }, `sasl.mechanism ('GSSAPI') must be one of`],
    [{ mechanism: 'toString', credentials }, `sasl.mechanism ('toString') must be one of`],
    [
      { mechanism: 'PLAIN', username: 'u', password: 'p' },
      'sasl.username is not an option; known are',
    ],
    [
      { mechanism: 'PLAIN', token },
      'sasl.token is not an option; known are mechanism, credentials',
    ],
    [
      { mechanism: 'SCRAM-SHA-256', credentials, allowWithoutTls: true },
      'sasl.allowWithoutTls is not an option',
    ],
    [{ mechanism: 'SCRAM-SHA-256' }, 'sasl.credentials must be an object'],
    [
      { mechanism: 'SCRAM-SHA-256', credentials: { username: 'u' } },
      'sasl.credentials.password must be a text',
    ],
    [
      { mechanism: 'SCRAM-SHA-256', credentials: { ...credentials, user: 1 } },
      'sasl.credentials.user is not an option; known are username, password',
    ],
    [
      { mechanism: 'SCRAM-SHA-256', credentials: { username: 'u', password: '\udfff' } },
      'password must be a text',
    ],
    [{ mechanism: 'OAUTHBEARER', token: 'abc' }, 'sasl.token must be a function'],
    [
      { mechanism: 'PLAIN', credentials, allowWithoutTls: 1 },
      'sasl.allowWithoutTls (1) must be true or false',
    ],
  ])('is refused: %j', (sasl, problem) => {
    expect(() => resolve({ brokers, sasl })).toThrow(problem)
  })
})

it('shows no secret, whatever is wrong', () => {
  const secret = fc.stringMatching(/^[a-z]{12,24}$/)
  const property = fc.property(secret, fc.nat({ max: 12 }), (secret, wrong) => {
    const options = [
      { brokers, sasl: secret },
      { brokers, tls: secret },
      { brokers, sasl: { mechanism: 'PLAIN', credentials: secret } },
      { brokers, sasl: { mechanism: 'PLAIN', credentials: { username: '', password: secret } } },
      { brokers, sasl: { mechanism: 'PLAIN', credentials: { username: secret, password: 7 } } },
      { brokers, sasl: { mechanism: 'PLAIN', credentials: { username: 'u', password: secret } } },
      { brokers, sasl: { mechanism: 'PLAIN', username: 'u', password: secret } },
      { brokers, sasl: { mechanism: 'OAUTHBEARER', token: secret } },
      { brokers, tls: { certificate: secret, privateKey: secret } },
      { brokers, tls: { certificate, privateKey: secret } },
      { brokers, tls: { certificate, passphrase: secret } },
      { brokers, tls: { certificate, privateKey, passphrase: [secret] } },
      { brokers: `user:${secret}@localhost:9092` },
    ][wrong]
    const failure = attempt(() => resolve(options))
    if (!isMillraceError(failure, 'MILLRACE_OPTION_INVALID')) throw failure
    expect(inspect(failure, { depth: 10 })).not.toContain(secret)
  })
  fc.assert(property, { seed: 1, numRuns: 300 })
})

function attempt(run: () => unknown): unknown {
  try {
    run()
    return new Error('it was taken')
  } catch (error) {
    return error
  }
}
