/**
 * Promise: the library's client trusts exactly the authority that it is told to, and logs in over TLS,
 * on Apache Kafka itself.
 *
 * Proves: 9
 */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createClient, type ClientOptions } from '../../src/client/index.ts'
import { silentLog } from '../../src/observe/index.ts'
import { makeCertificate } from './certificate.ts'
import { startRealKafka, type RealKafka } from './real-kafka.ts'

const tls = makeCertificate()
const password = 'wonderland'
let kafka: RealKafka | undefined

beforeAll(async () => {
  const properties = { 'auto.create.topics.enable': 'false' }
  kafka = await startRealKafka({ tls, users: { alice: password }, properties })
})
afterAll(() => kafka?.close())

/** What a client with these options is told when it writes to a topic that is not there. */
async function answerTo(options: ClientOptions): Promise<string> {
  await using client = createClient({ log: silentLog, ...options })
  await using producer = client.producer({ deliveryTimeoutMs: 3000 })
  try {
    await producer.send({ topic: 'nowhere', value: 'v' })
  } catch (error) {
    return (error as Error).message
  }
  throw new Error('there should be no such topic')
}

/** Known only to who was let in. */
const letIn = /UNKNOWN_TOPIC_OR_PARTITION/
const authorities = tls.certificate

it('trusts an authority of its own', async () => {
  const brokers = kafka?.tlsBootstrap ?? ''
  expect(await answerTo({ brokers, tls: { authorities } })).toMatch(letIn)
})

it('does not trust who signs for himself, nor an authority that did not sign', async () => {
  const brokers = kafka?.tlsBootstrap ?? ''
  const other = makeCertificate().certificate
  for (const given of [true, { authorities: other }]) {
    const answer = await answerTo({ brokers, tls: given })
    expect(answer).not.toMatch(letIn)
    expect(answer).toMatch(/certificate/)
  }
})

it('asks for a certificate of the name that it was told', async () => {
  const brokers = kafka?.tlsBootstrap ?? ''
  const serverName = 'kafka.example'
  const answer = await answerTo({ brokers, tls: { authorities, serverName } })
  expect(answer).not.toMatch(letIn)
  expect(answer).toMatch(/kafka\.example/)
})

it.each(['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'] as const)(
  'logs in over TLS: %s',
  async (mechanism) => {
    const brokers = kafka?.saslBootstrap ?? ''
    const withPassword = (given: string): ClientOptions => ({
      brokers,
      tls: { authorities },
      sasl: { mechanism, credentials: { username: 'alice', password: given } },
    })
    expect(await answerTo(withPassword(password))).toMatch(letIn)
    const refused = await answerTo(withPassword('wrong'))
    expect(refused).not.toMatch(letIn)
    expect(refused).toContain(mechanism)
  },
)
