import { inspect } from 'node:util'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createClient } from '../../client/index.ts'
import { kafkaFromEnv } from './kafka-from-env.ts'
import type { Environment, KafkaFromEnv } from './kafka-from-env.ts'

const silent = { log: () => undefined }
const certificate = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----'
const privateKey = '-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----'

function problemsOf(env: Environment): string {
  try {
    kafkaFromEnv(env, silent)
  } catch (error) {
    return (error as Error).message
  }
  return ''
}

/** The password that the options log in with. */
async function loginOf(env: Environment) {
  const { sasl } = kafkaFromEnv(env, silent)
  if (sasl === undefined || !('credentials' in sasl)) return undefined
  const { credentials } = sasl
  const given = typeof credentials === 'function' ? await credentials() : credentials
  return { mechanism: sasl.mechanism, ...given }
}

describe('kafkaFromEnv', () => {
  it('needs nothing but brokers on this machine', () => {
    expect(kafkaFromEnv({ KAFKA_BROKERS: 'localhost:9092' }, silent)).toEqual({
      brokers: ['localhost:9092'],
      tls: false,
    })
  })

  it('takes TLS and SCRAM-SHA-512 for brokers elsewhere', async () => {
    const env = { KAFKA_BROKERS: 'k-1:9093, k-2:9093', KAFKA_USERNAME: 'app', KAFKA_PASSWORD: 's3' }
    const kafka = kafkaFromEnv(env, silent)
    expect(kafka.tls).toBe(true)
    expect(kafka.brokers).toEqual(['k-1:9093', 'k-2:9093'])
    expect(await loginOf(env)).toEqual({
      mechanism: 'SCRAM-SHA-512',
      username: 'app',
      password: 's3',
    })
  })

  it('names everything that is missing or wrong at once', () => {
    const text = problemsOf({
      KAFKA_BROKERS: 'k-1:9093',
      KAFKA_USER: 'app',
      KAFKA_SASL_MECHANISM: 'SCRAM-SHA-1',
      KAFKA_SSL_CERT: '/etc/tls/cert.pem',
      KAFKA_SSL: 'maybe',
    })
    for (const part of [
      'KAFKA_USERNAME is missing, for the login (KAFKA_USER is set: was KAFKA_USERNAME meant?)',
      'KAFKA_PASSWORD is missing',
      `KAFKA_SASL_MECHANISM ('SCRAM-SHA-1') must be one of SCRAM-SHA-512, SCRAM-SHA-256, PLAIN`,
      'KAFKA_SSL_CERT must be a certificate in PEM',
      'KAFKA_SSL_KEY is missing',
      `KAFKA_SSL ('maybe') must be true or false`,
    ]) {
      expect(text).toContain(part)
    }
    expect(problemsOf({})).toContain('KAFKA_BROKERS is missing')
  })

  it('takes a certificate instead of a login, and PEM with its line ends written out', () => {
    const { tls, sasl } = kafkaFromEnv(
      {
        KAFKA_BROKERS: 'k-1:9093',
        KAFKA_SSL_CA: certificate,
        KAFKA_SSL_CERT: certificate.replaceAll('\n', '\\n'),
        KAFKA_SSL_KEY: privateKey,
      },
      silent,
    )
    expect(sasl).toBeUndefined()
    expect(tls).toMatchObject({ authorities: certificate, certificate, privateKey })
  })

  it('does without a login or without TLS elsewhere only when that is said', () => {
    const env = { KAFKA_BROKERS: 'k-1:9093' }
    expect(problemsOf(env)).toContain('KAFKA_SASL_MECHANISM=none')
    expect(kafkaFromEnv({ ...env, KAFKA_SASL_MECHANISM: 'none' }, silent)).toEqual({
      brokers: ['k-1:9093'],
      tls: true,
    })
    const plain = { ...env, KAFKA_SASL_MECHANISM: 'none', KAFKA_SSL: 'false' }
    expect(problemsOf(plain)).toContain('KAFKA_ALLOW_PLAINTEXT=true')
    expect(kafkaFromEnv({ ...plain, KAFKA_ALLOW_PLAINTEXT: 'true' }, silent)).toMatchObject({
      tls: false,
      allowPlaintext: true,
    })
  })

  it('takes the first name of the brokers, and says when another differs', () => {
    const lines: string[] = []
    const log = (_: string, message: string) => void lines.push(message)
    const env = {
      KAFKA_BOOTSTRAP_SERVERS: 'localhost:1',
      MILLRACE_BROKERS: 'localhost:2',
      KAFKA_BROKERS: 'localhost:2',
    }
    expect(kafkaFromEnv(env, { log }).brokers).toEqual(['localhost:2'])
    expect(lines).toEqual([
      'MILLRACE_BROKERS and KAFKA_BOOTSTRAP_SERVERS name different brokers: MILLRACE_BROKERS counts',
    ])
  })

  it('shows no secret, in no error and to nobody who prints the options', () => {
    const secret = 'q7-Zk!9v'
    const flags = fc.constantFrom(undefined, undefined, '', 'true', 'false', 'maybe')
    const environment = fc.record({
      KAFKA_BROKERS: fc.constantFrom(undefined, 'localhost:9092', 'k-1:9093', 'k 1', 'k-1:0'),
      KAFKA_USERNAME: fc.constantFrom(undefined, 'app'),
      KAFKA_SASL_MECHANISM: fc.constantFrom(undefined, 'PLAIN', 'scram_sha_256', 'none', 'SCRAM'),
      KAFKA_SSL: flags,
      KAFKA_ALLOW_PLAINTEXT: flags,
      KAFKA_SSL_CA: fc.constantFrom(undefined, certificate, secret),
      KAFKA_SSL_CERT: fc.constantFrom(undefined, undefined, certificate, secret),
      KAFKA_SSL_KEY: fc.constantFrom(
        undefined,
        undefined,
        secret,
        privateKey.replace('MI', secret),
      ),
      KAFKA_SSL_KEY_PASSPHRASE: fc.constantFrom(undefined, undefined, secret),
      KAFKA_PASSWORD: fc.constantFrom(undefined, secret),
    })
    let usable = 0
    fc.assert(
      fc.property(environment, (env) => {
        let kafka: KafkaFromEnv | undefined
        try {
          kafka = kafkaFromEnv(env, silent)
        } catch (error) {
          expect(inspect(error, { depth: 9 })).not.toContain(secret)
          return
        }
        expect(inspect(kafka, { depth: 9 }) + JSON.stringify(kafka)).not.toContain(secret)
        // What it answers a client takes: nothing is left to be wrong.
        createClient({ ...kafka, log: silent.log })
        usable++
      }),
      { seed: 5, numRuns: 2_000 },
    )
    expect(usable).toBeGreaterThan(10)
  })
})
