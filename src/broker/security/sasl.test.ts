import { createHash, createHmac, pbkdf2Sync } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import {
  formatScramCredential,
  parseScramCredential,
  scramCredentialOf,
  scramMechanisms,
} from './scram-credential.ts'
import type { ScramMechanism } from './scram-credential.ts'
import { passwordMechanisms, startSaslExchange } from './sasl.ts'
import type { SaslExchange, SaslStep } from './sasl.ts'
import { createUsers, parseUsers } from './users.ts'

let drawn = 0
const random = {
  bytes: (length: number) => Buffer.alloc(length, (drawn += 1)),
  integer: () => 0,
  fraction: () => 0,
}
const users = createUsers({
  passwords: new Map([
    ['alice', 'pencil'],
    ['a,b=c', 'odd name'],
  ]),
  mechanisms: passwordMechanisms,
  storedCredential: () => undefined,
  random,
})

interface Login {
  readonly user: string
  readonly password: string
  /** Changes the nonce that is sent back. */
  readonly nonceSuffix?: string
  /** Turns a bit of the proof. */
  readonly spoilProof?: boolean
  readonly binding?: string
}

const hmac = (hash: string, key: Buffer, text: string) =>
  createHmac(hash, key).update(text).digest()

/** A client as RFC 5802 describes it; answers the last step and whether the server proved itself. */
function logIn(mechanism: ScramMechanism, exchange: SaslExchange, login: Login) {
  const hash = mechanism === 'SCRAM-SHA-256' ? 'sha256' : 'sha512'
  const name = login.user.replaceAll('=', '=3D').replaceAll(',', '=2C')
  const bare = `n=${name},r=client-nonce`
  const first = exchange(Buffer.from(`n,,${bare}`))
  if (first.kind !== 'challenge') return { step: first, serverProved: false }
  const serverFirst = first.bytes.toString()
  const [, nonce = '', salt = '', rounds = ''] =
    /^r=([^,]+),s=([^,]+),i=(\d+)$/.exec(serverFirst) ?? []
  expect(nonce.startsWith('client-nonce')).toBe(true)
  const length = hash === 'sha256' ? 32 : 64
  const saltBytes = Buffer.from(salt, 'base64')
  const salted = pbkdf2Sync(login.password, saltBytes, Number(rounds), length, hash)
  const clientKey = hmac(hash, salted, 'Client Key')
  const storedKey = createHash(hash).update(clientKey).digest()
  const binding = login.binding ?? 'biws'
  const withoutProof = `c=${binding},r=${nonce}${login.nonceSuffix ?? ''}`
  const signed = `${bare},${serverFirst},${withoutProof}`
  const mask = hmac(hash, storedKey, signed)
  const proof = Buffer.from(clientKey.map((byte, i) => byte ^ (mask[i] ?? 0)))
  if (login.spoilProof === true) proof[0] = (proof[0] ?? 0) ^ 1
  const step = exchange(Buffer.from(`${withoutProof},p=${proof.toString('base64')}`))
  const signature = hmac(hash, hmac(hash, salted, 'Server Key'), signed).toString('base64')
  const serverProved = step.kind === 'success' && step.bytes.toString() === `v=${signature}`
  return { step, serverProved }
}

describe.each(scramMechanisms)('%s', (mechanism) => {
  const start = () => startSaslExchange(mechanism, users, random)

  it('lets a user with the right password in, and proves the server to it', () => {
    const { step, serverProved } = logIn(mechanism, start(), { user: 'alice', password: 'pencil' })
    expect(step).toMatchObject({ kind: 'success', user: 'alice' })
    expect(serverProved).toBe(true)
  })

  it('reads names with commas and equals signs', () => {
    const { step } = logIn(mechanism, start(), { user: 'a,b=c', password: 'odd name' })
    expect(step).toMatchObject({ kind: 'success', user: 'a,b=c' })
  })

  it.each([
    ['a wrong password', { user: 'alice', password: 'pen' }],
    ['an unknown user', { user: 'mallory', password: 'pencil' }],
    ['a nonce that is not the one sent', { user: 'alice', password: 'pencil', nonceSuffix: 'x' }],
    ['a wrong proof', { user: 'alice', password: 'pencil', spoilProof: true }],
  ])('refuses %s in the same words', (_name, login) => {
    const { step } = logIn(mechanism, start(), login)
    expect(step).toEqual({
      kind: 'failure',
      message: `Authentication failed during authentication due to invalid credentials with SASL mechanism ${mechanism}`,
    })
  })

  it('refuses another channel binding, a replayed final message and garbage', () => {
    const login = { user: 'alice', password: 'pencil' }
    expect(logIn(mechanism, start(), { ...login, binding: 'eSws' }).step.kind).toBe('failure')
    const exchange = start()
    expect(logIn(mechanism, exchange, login).step.kind).toBe('success')
    expect(exchange(Buffer.from('c=biws,r=x,p=AAAA')).kind).toBe('failure')
    expect(start()(Buffer.from('hello')).kind).toBe('failure')
    expect(start()(Buffer.from('p=tls-unique,,n=alice,r=x')).kind).toBe('failure')
  })

  it('shows the same salt for an unknown user at each try', () => {
    const salts = [start(), start()].map((exchange) => {
      const step = exchange(Buffer.from('n,,n=nobody,r=x')) as SaslStep & { bytes: Buffer }
      return /s=([^,]+)/.exec(step.bytes.toString())?.[1]
    })
    expect(salts[0]).toBe(salts[1])
  })
})

describe('PLAIN', () => {
  const say = (text: string) => startSaslExchange('PLAIN', users, random)(Buffer.from(text))

  it('lets a user with the right password in', () => {
    expect(say('\0alice\0pencil')).toMatchObject({ kind: 'success', user: 'alice' })
    expect(say('alice\0alice\0pencil')).toMatchObject({ kind: 'success', user: 'alice' })
  })

  it.each(['\0alice\0pen', '\0nobody\0pencil', 'bob\0alice\0pencil', 'alice', '\0\0', '\0a\0b\0c'])(
    'refuses %j',
    (text) => {
      expect(say(text).kind).toBe('failure')
    },
  )
})

describe('users', () => {
  it('are read from lines of name:password', () => {
    expect(parseUsers('# team\nalice:pen:cil\n\nbob:x\r\n')).toEqual(
      new Map([
        ['alice', 'pen:cil'],
        ['bob', 'x'],
      ]),
    )
    expect(() => parseUsers('alice:ok\nbob')).toThrow('line 2 must be name:password')
  })

  it('keep their credentials as text', () => {
    const credential = scramCredentialOf('SCRAM-SHA-512', 'secret', Buffer.from('salt'))
    expect(parseScramCredential(formatScramCredential(credential))).toEqual(credential)
    expect(parseScramCredential('nonsense')).toBeUndefined()
  })
})
