/** The library's logins on a listener that asks for them. */
import { expect } from 'vitest'
import type { SaslOptions } from '../../src/client/index.ts'
import { clientOf, failureOf } from './client-steps.ts'
import { conformance, type CaseBody } from './conformance.ts'
import { saslLogin } from './implementation.ts'

const mechanisms = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'] as const

function login(mechanism: (typeof mechanisms)[number], password: string): SaslOptions {
  const credentials = { username: saslLogin.user, password }
  return mechanism === 'PLAIN'
    ? { mechanism, credentials, allowWithoutTls: true }
    : { mechanism, credentials }
}

const cases = mechanisms.flatMap((mechanism): [string, CaseBody][] => [
  [
    `${mechanism}: the right password is let in`,
    async (port) => {
      const sasl = login(mechanism, saslLogin.password)
      await using client = clientOf(port, { brokers: port.saslBootstrap, sasl })
      await using producer = client.producer({ deliveryTimeoutMs: 3000 })
      // That the topic is not there is known only to who was let in.
      const sending = producer.send({ topic: port.name('nowhere'), value: 'v' })
      const error = await failureOf(sending, 'MILLRACE_CLIENT_NOT_DELIVERED')
      expect(error.message).toContain('UNKNOWN_TOPIC_OR_PARTITION')
    },
  ],
  [
    `${mechanism}: a wrong password is refused for what it is, and said in no error`,
    async (port) => {
      const sasl = login(mechanism, 'a wrong password')
      await using client = clientOf(port, { brokers: port.saslBootstrap, sasl })
      await using producer = client.producer({ deliveryTimeoutMs: 3000 })
      const sending = producer.send({ topic: port.name('nowhere'), value: 'v' })
      const error = await failureOf(sending, 'MILLRACE_CLIENT_NOT_DELIVERED')
      expect(error.message).toContain(mechanism)
      expect(error.message).toContain('SASL_AUTHENTICATION_FAILED')
      expect(error.message).not.toContain('a wrong password')
    },
  ],
])

conformance('client: logins', Object.fromEntries(cases))
