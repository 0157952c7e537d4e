import { describe, expect, it } from 'vitest'
import { silentLog } from '../../observe/index.ts'
import { createNodePlatform } from '../../platform/index.ts'
import { kafkaError, metadataApi } from '../../protocol/index.ts'
import { ControlledClock, startBroker } from '../../testing/index.ts'
import { createCluster } from '../cluster/kafka-cluster.ts'
import { resolveClientOptions } from '../resolve-options.ts'
import type { Credentials } from './sasl/sasl-options.ts'

const sessionLifetimeMs = 100_000
const alice = { username: 'alice', password: 'wonder-land' }
const noTopics = { topics: [], allowAutoTopicCreation: false }

/**
 * A client that has logged in once, at a broker whose sessions end, and that takes what `answerAgain` says
 * for its answer to a second login.
 */
async function loggedIn(answerAgain: () => object, credentials: () => Promise<Credentials>) {
  const kafka = await startBroker({ users: { alice: 'wonder-land' } })
  const logins: string[] = []
  const arrived: string[] = []
  kafka.intercept('SaslHandshake', (_request, proceed) =>
    logins.length === 1 ? { errorCode: 0, mechanisms: ['PLAIN'] } : proceed(),
  )
  kafka.intercept('SaslAuthenticate', async ({ body }, proceed) => {
    const { authBytes } = body as { authBytes: Buffer }
    logins.push(authBytes.toString())
    const answer = logins.length === 2 ? answerAgain() : await proceed()
    return { ...(answer as object), sessionLifetimeMs }
  })
  // The last one sees a request first.
  kafka.intercept(undefined, ({ apiName }, proceed) => {
    arrived.push(apiName)
    return proceed()
  })
  const clock = new ControlledClock(createNodePlatform().clock)
  const sasl = { mechanism: 'PLAIN', credentials, allowWithoutTls: true } as const
  const options = resolveClientOptions({
    brokers: kafka.bootstrap,
    sasl,
    retryBackoffMs: 1,
    // A second login that begins early must not run out of time while the clock is moved on.
    connectTimeoutMs: sessionLifetimeMs,
  })
  const platform = { ...createNodePlatform(), clock }
  const cluster = createCluster(options, { platform, log: silentLog })
  const { controllerId } = await cluster.refreshMetadata()
  const broker = cluster.broker(controllerId, 'main')
  const close = async () => {
    await cluster.close()
    await kafka.close()
  }
  return { clock, broker, logins, arrived, [Symbol.asyncDispose]: close }
}

const accepted = () => ({ errorCode: 0, errorMessage: null, authBytes: Buffer.alloc(0) })
const refused = () => ({ ...accepted(), errorCode: kafkaError.SASL_AUTHENTICATION_FAILED })

describe('before a session ends', () => {
  it('the client logs in again on the same connection, with credentials asked for anew', async () => {
    const passwords = ['wonder-land', 'looking-glass']
    const give = () => Promise.resolve({ ...alice, password: passwords.shift() ?? '' })
    await using client = await loggedIn(accepted, give)
    const { clock, broker, logins, arrived } = client
    await clock.advance(sessionLifetimeMs * 0.84)
    await broker.request(metadataApi, noTopics)
    expect(logins).toEqual(['\0alice\0wonder-land'])
    await clock.advance(sessionLifetimeMs * 0.12)
    await expect.poll(() => logins).toEqual(['\0alice\0wonder-land', '\0alice\0looking-glass'])
    await broker.request(metadataApi, noTopics)
    expect(arrived.filter((api) => api === 'ApiVersions')).toHaveLength(1)
  })

  it('the connection serves others while credentials are asked for', async () => {
    let give: (credentials: Credentials) => void = () => undefined
    const given = new Promise<Credentials>((resolve) => (give = resolve))
    const answers = [Promise.resolve(alice), given]
    let asked = 0
    await using client = await loggedIn(accepted, () => answers[asked++]!)
    const { clock, broker, logins, arrived } = client
    await clock.advance(sessionLifetimeMs * 0.96)
    await expect.poll(() => asked).toBe(2)
    await broker.request(metadataApi, noTopics)
    expect(logins).toHaveLength(1)
    const before = arrived.length
    give(alice)
    await expect.poll(() => logins).toHaveLength(2)
    await broker.request(metadataApi, noTopics)
    expect(arrived.slice(before)).toEqual(['SaslHandshake', 'SaslAuthenticate', 'Metadata'])
  })

  it('a second login that is refused ends the connection, and the next one is another', async () => {
    await using client = await loggedIn(refused, () => Promise.resolve(alice))
    const { clock, broker, logins, arrived } = client
    await clock.advance(sessionLifetimeMs * 0.96)
    await expect.poll(() => logins.length).toBeGreaterThanOrEqual(2)
    await broker.request(metadataApi, noTopics).catch(() => undefined)
    await broker.request(metadataApi, noTopics)
    expect(arrived.filter((api) => api === 'ApiVersions').length).toBeGreaterThan(1)
    expect(logins.length).toBeGreaterThan(2)
  })
})
