import type { SASLOptions } from 'kafkajs'
import { describe, expect, it } from 'vitest'
import type { Cluster } from '../clients/kafkajs/cluster.ts'
import { makeCertificate } from '../kafka/certificate.ts'
import { startScenario } from './scenario.ts'

/* Who knows a password gets in with kafkajs, nobody else does, and TLS keeps it from listeners. */

const users = { alice: 'wonderland' }
const retry = { retries: 0 }

function login(mechanism: string, username: string, password: string): SASLOptions {
  return { mechanism, username, password } as SASLOptions
}

async function roundTrip(clients: Cluster, kafka: ReturnType<Cluster['kafka']>): Promise<void> {
  const producer = await clients.connected(kafka.producer())
  await producer.send({ topic: 'orders', messages: [{ value: 'secret' }] })
  const admin = await clients.connected(kafka.admin())
  const [offsets] = await admin.fetchTopicOffsets('orders')
  expect(offsets?.high).toBe('1')
}

describe.each(['plain', 'scram-sha-256', 'scram-sha-512'])('%s', (mechanism) => {
  it('lets in who knows the password, and nobody else', async () => {
    await using scenario = await startScenario({ users })
    const { broker, clients } = scenario
    await broker.createTopic('orders')
    const alice = clients.kafka({ sasl: login(mechanism, 'alice', 'wonderland') })
    await roundTrip(clients, alice)
    for (const [user, password] of [
      ['alice', 'wrong'],
      ['mallory', 'wonderland'],
    ] as const) {
      const kafka = clients.kafka({ sasl: login(mechanism, user, password), retry })
      await expect(kafka.admin().connect()).rejects.toMatchObject({
        name: 'KafkaJSSASLAuthenticationError',
      })
    }
  })
})

it('without a login a broker with users answers nothing', async () => {
  await using scenario = await startScenario({ users })
  const { clients } = scenario
  // ApiVersions, all that kafkajs asks while it connects, is answered to everyone.
  const admin = await clients.connected(clients.kafka({ retry }).admin())
  await expect(admin.listTopics()).rejects.toMatchObject({ name: 'KafkaJSConnectionClosedError' })
})

describe('TLS', () => {
  const { certificate, privateKey } = makeCertificate()
  const tls = { certificate, privateKey, clientCertificate: 'none' } as const

  it('lets records through, also with a login', async () => {
    await using scenario = await startScenario({ tls, users })
    const { broker, clients } = scenario
    await broker.createTopic('orders')
    const sasl = login('scram-sha-256', 'alice', 'wonderland')
    await roundTrip(clients, clients.kafka({ ssl: { ca: [certificate] }, sasl }))
  })

  it('is refused by a client that does not know the certificate', async () => {
    await using scenario = await startScenario({ tls })
    const { clients } = scenario
    const { certificate: other } = makeCertificate()
    const kafka = clients.kafka({ ssl: { ca: [other] }, retry })
    await expect(kafka.admin().connect()).rejects.toThrow(/certificate|signature/i)
  })

  it('with an authority for clients asks them for a certificate', async () => {
    const required = { authorities: [certificate], clientCertificate: 'required' } as const
    await using scenario = await startScenario({ tls: { ...tls, ...required } })
    const { broker, clients } = scenario
    await broker.createTopic('orders')
    const ssl = { ca: [certificate], cert: certificate, key: privateKey }
    await roundTrip(clients, clients.kafka({ ssl }))
    const stranger = clients.kafka({ ssl: { ca: [certificate] }, retry })
    await expect(stranger.admin().connect()).rejects.toThrow()
  })
})
