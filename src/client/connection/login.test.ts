import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { LogFields } from '../../observe/index.ts'
import { createNodePlatform } from '../../platform/index.ts'
import { startBroker } from '../../testing/index.ts'
import type { TestBroker } from '../../testing/index.ts'
import { createCluster } from '../cluster/kafka-cluster.ts'
import type { ClientOptions } from '../options.ts'
import { resolveClientOptions } from '../resolve-options.ts'
import type { SaslOptions } from './sasl/sasl-options.ts'

const fixture = (name: string) =>
  readFileSync(new URL(`../../platform/fixture/${name}`, import.meta.url), 'utf8')
const authority = fixture('authority.pem')
const tls = {
  certificate: fixture('server.pem'),
  privateKey: fixture('server.key'),
  authorities: [authority],
  clientCertificate: 'none',
} as const

const alice = { username: 'alice', password: 'wonder-land' }
const users = { alice: 'wonder-land' }
const mechanisms = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'] as const

/** Everything that is logged while a client asks the broker for its metadata, and what it is answered. */
async function ask(kafka: TestBroker, options: Partial<ClientOptions>) {
  const logged: [string, LogFields | undefined][] = []
  const resolved = resolveClientOptions({
    brokers: kafka.bootstrap,
    retryBackoffMs: 1,
    retryBackoffMsMax: 2,
    requestTimeoutMs: 2000,
    ...options,
  })
  await using cluster = createCluster(resolved, {
    platform: createNodePlatform(),
    log: (_level, message, fields) => logged.push([message, fields]),
  })
  const outcome: unknown = await cluster.refreshMetadata().catch((error: unknown) => error)
  return { logged, outcome }
}

const known = expect.objectContaining({ controllerId: expect.any(Number) as number }) as unknown

describe.each(mechanisms)('%s', (mechanism) => {
  const sasl = (password: string): SaslOptions => ({
    mechanism,
    credentials: { username: 'alice', password },
  })

  it('lets in who knows the password, and nobody else', async () => {
    await using kafka = await startBroker({ users, tls })
    const trusted = { tls: { authorities: authority } }
    const right = await ask(kafka, { ...trusted, sasl: sasl('wonder-land') })
    expect(right.outcome).toEqual(known)
    const wrong = await ask(kafka, { ...trusted, sasl: sasl('looking-glass') })
    expect(wrong.outcome).toMatchObject({
      code: 'MILLRACE_CLIENT_LOGIN_FAILED',
      message: expect.stringContaining(
        'SASL_AUTHENTICATION_FAILED (58): ' +
          `'Authentication failed during authentication due to invalid credentials`,
      ) as string,
    })
    expect(JSON.stringify([wrong.logged, String(wrong.outcome)])).not.toMatch(/alice|looking-glass/)
  })
})

it('a mechanism that the broker does not offer is named, with those that it does', async () => {
  await using kafka = await startBroker({ users, mechanisms: ['SCRAM-SHA-512'] })
  const sasl: SaslOptions = { mechanism: 'SCRAM-SHA-256', credentials: alice }
  const { outcome } = await ask(kafka, { sasl })
  expect(outcome).toMatchObject({
    code: 'MILLRACE_CLIENT_LOGIN_FAILED',
    message: expect.stringContaining(
      `login with SCRAM-SHA-256 failed: sasl.mechanism must be one that the broker has: 'SCRAM-SHA-512'`,
    ) as string,
  })
})

it('a login at a broker where nobody need log in is refused, with the code that says so', async () => {
  await using kafka = await startBroker()
  const sasl: SaslOptions = { mechanism: 'SCRAM-SHA-256', credentials: alice }
  const { outcome } = await ask(kafka, { sasl })
  expect(outcome).toMatchObject({ code: 'MILLRACE_CLIENT_LOGIN_FAILED' })
  expect(String(outcome)).toContain('ILLEGAL_SASL_STATE')
})

it('credentials that could not be had are asked for again', async () => {
  await using kafka = await startBroker({ users })
  let asked = 0
  const credentials = () => {
    asked += 1
    return asked < 3 ? Promise.reject(new Error('the vault is sealed')) : Promise.resolve(alice)
  }
  const { outcome } = await ask(kafka, { sasl: { mechanism: 'SCRAM-SHA-512', credentials } })
  expect(outcome).toEqual(known)
  expect(asked).toBe(3)
})

describe('TLS', () => {
  it('is for a client that trusts the authority', async () => {
    await using kafka = await startBroker({ tls })
    expect((await ask(kafka, { tls: { authorities: authority } })).outcome).toEqual(known)
  })

  it.each<[string, Partial<ClientOptions>]>([
    ['the well-known authorities only', { tls: true }],
    ['another name', { tls: { authorities: authority, serverName: 'other.test' } }],
  ])('is not for one that expects %s, which is told at once', async (_what, options) => {
    await using kafka = await startBroker({ tls })
    const { outcome } = await ask(kafka, options)
    expect(outcome).toMatchObject({ code: 'MILLRACE_CLIENT_LOGIN_FAILED', retriable: false })
  })

  it('is not for one that expects plain text', async () => {
    await using kafka = await startBroker({ tls })
    const options = { tls: false, requestTimeoutMs: 200, connectTimeoutMs: 200 }
    const { outcome } = await ask(kafka, options)
    expect(outcome).toMatchObject({ code: 'MILLRACE_CLIENT_UNREACHABLE' })
  })

  it('shows the client’s certificate to a broker that wants one', async () => {
    await using kafka = await startBroker({ tls: { ...tls, clientCertificate: 'required' } })
    const certificate = fixture('client.pem')
    const privateKey = fixture('client-encrypted.key')
    const client = { authorities: authority, certificate, privateKey, passphrase: 'secret' }
    expect((await ask(kafka, { tls: client })).outcome).toEqual(known)
  })
})

it('plain text does not leave this machine because a broker advertises another', async () => {
  await using kafka = await startBroker({ advertisedHost: 'kafka.example', recordRequests: true })
  const brokers = kafka.bootstrap.replace('kafka.example', '127.0.0.1')
  const resolved = resolveClientOptions({ brokers })
  const connected: string[] = []
  const platform = createNodePlatform()
  const { network } = platform
  await using cluster = createCluster(resolved, {
    platform: {
      ...platform,
      network: {
        ...network,
        connect: (options) => {
          connected.push(options.host)
          return network.connect(options)
        },
      },
    },
    log: () => undefined,
  })
  const { controllerId } = await cluster.refreshMetadata()
  await expect(cluster.broker(controllerId, 'produce').connect()).rejects.toMatchObject({
    code: 'MILLRACE_OPTION_INVALID',
    message: expect.stringContaining(`the brokers advertise 'kafka.example'`) as string,
  })
  expect(connected).toEqual(['127.0.0.1'])
})
