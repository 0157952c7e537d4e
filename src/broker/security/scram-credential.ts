import { createHash, createHmac, pbkdf2Sync } from 'node:crypto'

/** The SCRAM mechanisms of Kafka, by their SASL names. */
export const scramMechanisms = ['SCRAM-SHA-256', 'SCRAM-SHA-512'] as const
export type ScramMechanism = (typeof scramMechanisms)[number]

/** What a server keeps of a password (RFC 5802): enough to check it, not enough to use it. */
export interface ScramCredential {
  readonly salt: Buffer
  readonly storedKey: Buffer
  readonly serverKey: Buffer
  readonly iterations: number
}

/** Fewer rounds are too cheap to guess, more would let one login occupy the process (RFC 7677, Kafka). */
export const scramIterationsMin = 4096
export const scramIterationsMax = 16_384

const hashes = { 'SCRAM-SHA-256': 'sha256', 'SCRAM-SHA-512': 'sha512' } as const

export function scramHash(mechanism: ScramMechanism): 'sha256' | 'sha512' {
  return hashes[mechanism]
}

/** Makes a credential of a password. */
export function scramCredentialOf(
  mechanism: ScramMechanism,
  password: string,
  salt: Buffer,
  iterations = scramIterationsMin,
): ScramCredential {
  const hash = scramHash(mechanism)
  const keyBytes = createHash(hash).digest().length
  const salted = pbkdf2Sync(password, salt, iterations, keyBytes, hash)
  return scramCredentialOfSalted(mechanism, salted, salt, iterations)
}

/** Makes a credential of a password that was salted elsewhere, as administration tools send it. */
export function scramCredentialOfSalted(
  mechanism: ScramMechanism,
  saltedPassword: Buffer,
  salt: Buffer,
  iterations: number,
): ScramCredential {
  const hash = scramHash(mechanism)
  const clientKey = createHmac(hash, saltedPassword).update('Client Key').digest()
  const storedKey = createHash(hash).update(clientKey).digest()
  const serverKey = createHmac(hash, saltedPassword).update('Server Key').digest()
  return { salt, storedKey, serverKey, iterations }
}

/** A credential as text, in the form that Kafka keeps it. */
export function formatScramCredential(credential: ScramCredential): string {
  const { salt, storedKey, serverKey, iterations } = credential
  return [
    `salt=${salt.toString('base64')}`,
    `stored_key=${storedKey.toString('base64')}`,
    `server_key=${serverKey.toString('base64')}`,
    `iterations=${iterations}`,
  ].join(',')
}

/** Reads what `formatScramCredential` wrote; undefined when it is something else. */
export function parseScramCredential(text: string): ScramCredential | undefined {
  const parts = new Map(
    text.split(',').map((part) => {
      const equals = part.indexOf('=')
      return [part.slice(0, equals), part.slice(equals + 1)] as const
    }),
  )
  const salt = parts.get('salt')
  const storedKey = parts.get('stored_key')
  const serverKey = parts.get('server_key')
  const iterations = Number(parts.get('iterations'))
  if (salt === undefined || storedKey === undefined || serverKey === undefined) return undefined
  if (!Number.isInteger(iterations)) return undefined
  return {
    salt: Buffer.from(salt, 'base64'),
    storedKey: Buffer.from(storedKey, 'base64'),
    serverKey: Buffer.from(serverKey, 'base64'),
    iterations,
  }
}
