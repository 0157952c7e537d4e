import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import type { Admin, SASLOptions } from 'kafkajs'
import { Skipped, type Case, type Cluster } from './cluster.ts'

const mechanisms = ['plain', 'scram-sha-256', 'scram-sha-512'] as const

function login(cluster: Cluster, mechanism: (typeof mechanisms)[number], password: string): Admin {
  const { saslBootstrap, user: username } = cluster.broker
  if (saslBootstrap === undefined) throw new Skipped('no listener with logins was given')
  const sasl = { mechanism, username, password } as SASLOptions
  return cluster.kafka({ brokers: saslBootstrap.split(','), sasl, retry: { retries: 0 } }).admin()
}

async function encrypted(cluster: Cluster): Promise<void> {
  const { tlsBootstrap, authorityFile } = cluster.broker
  if (tlsBootstrap === undefined || authorityFile === undefined) {
    throw new Skipped('no listener with TLS was given')
  }
  const ssl = { ca: [readFileSync(authorityFile, 'utf8')] }
  const admin = await cluster.connected(
    cluster.kafka({ brokers: tlsBootstrap.split(','), ssl }).admin(),
  )
  assert.ok((await admin.describeCluster()).brokers.length > 0)
}

export const securityCases: readonly Case[] = [
  ...mechanisms.flatMap((mechanism): Case[] => [
    {
      name: `security: ${mechanism} logs in`,
      async body(cluster) {
        const admin = await cluster.connected(login(cluster, mechanism, cluster.broker.password))
        assert.ok((await admin.describeCluster()).brokers.length > 0)
      },
    },
    {
      name: `security: ${mechanism} refuses a wrong password`,
      async body(cluster) {
        const admin = login(cluster, mechanism, 'wrong')
        await assert.rejects(cluster.connected(admin), { name: 'KafkaJSSASLAuthenticationError' })
      },
    },
  ]),
  { name: 'security: TLS', body: encrypted },
]
