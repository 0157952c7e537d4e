import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import type { Platform } from '../../../platform/index.ts'
import { loginFailed, quote } from './login-error.ts'
import type { SaslAnswer, SaslExchange } from './sasl-exchange.ts'
import type { Credentials } from './sasl-options.ts'

/*
 * RFC 5802 and 7677, as Kafka uses them:
 *
 *   client first   n,,n=user,r=client nonce
 *   server first   r=client nonce + server nonce,s=salt,i=iterations[,extensions]
 *   client final   c=biws,r=both nonces,p=proof
 *   server final   v=signature[,extensions]  or  e=error
 *
 * One departure: the RFC has passwords prepared with SASLprep, Kafka takes their UTF-8 as it is, on the
 * server and in the tools that set passwords. Whoever prepares them cannot log in with a password that
 * SASLprep changes (a ligature, a full-width letter, a no-break space).
 */
export type ScramMechanism = 'SCRAM-SHA-256' | 'SCRAM-SHA-512'

export interface ScramLogin {
  readonly mechanism: ScramMechanism
  readonly credentials: Credentials
  readonly platform: Pick<Platform, 'offload' | 'random'>
  readonly exchange: SaslExchange
}

const hashes = {
  'SCRAM-SHA-256': { hash: 'sha256', keyBytes: 32 },
  'SCRAM-SHA-512': { hash: 'sha512', keyBytes: 64 },
} as const

/** Fewer would make the password cheap to guess from what is sent (RFC 7677). */
const iterationsMin = 4096
/** More would let a server keep this machine busy: these take about a second. */
const iterationsMax = 1_000_000
const saltBytesMax = 1024
const messageBytesMax = 8192
const nonceBytes = 24

/** `n,,`: no channel binding, no authorization id. */
const header = 'n,,'
const channelBinding = Buffer.from(header).toString('base64')

/** SCRAM: proves that the password is known without sending it, and has the server prove the same. */
export async function logInScram(login: ScramLogin): Promise<SaslAnswer> {
  const { mechanism, credentials, platform, exchange } = login
  const clientNonce = Buffer.from(platform.random.bytes(nonceBytes)).toString('base64')
  const clientFirst = `n=${escapeName(credentials.username)},r=${clientNonce}`
  const challenge = await exchange(Buffer.from(header + clientFirst))
  const serverFirst = textOf(login, challenge.authBytes)
  const { nonce, salt, iterations } = readServerFirst(login, serverFirst, clientNonce)

  const { hash, keyBytes } = hashes[mechanism]
  const { password } = credentials
  const salted = await platform.offload.deriveKey({ password, salt, iterations, keyBytes, hash })
  const hmac = (key: Uint8Array, text: string) => createHmac(hash, key).update(text).digest()
  const withoutProof = `c=${channelBinding},r=${nonce}`
  const signed = `${clientFirst},${serverFirst},${withoutProof}`
  const clientKey = hmac(salted, 'Client Key')
  const mask = hmac(createHash(hash).update(clientKey).digest(), signed)
  const proof = Buffer.from(clientKey.map((byte, i) => byte ^ (mask[i] ?? 0)))
  const final = await exchange(Buffer.from(`${withoutProof},p=${proof.toString('base64')}`))

  const signature = readSignature(login, textOf(login, final.authBytes))
  const expected = hmac(hmac(salted, 'Server Key'), signed)
  if (signature.length === expected.length && timingSafeEqual(signature, expected)) return final
  throw loginFailed(mechanism, 'the server did not prove that it knows the password')
}

/** In a name `,` is written as `=2C` and `=` as `=3D`. */
function escapeName(username: string): string {
  return username.replaceAll('=', '=3D').replaceAll(',', '=2C')
}

/** The signatures are made over text, so bytes that are none are not let through as something like it. */
function textOf({ mechanism }: ScramLogin, bytes: Buffer): string {
  const text = bytes.length > messageBytesMax ? undefined : bytes.toString('utf8')
  if (text !== undefined && bytes.equals(Buffer.from(text))) return text
  throw malformed(mechanism, `a message of ${bytes.length} bytes`)
}

const base64 = '(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?'
const extensions = '(?:,[A-Za-z]=[^,]*)*'
const serverFirstForm = new RegExp(
  `^r=([\\x21-\\x2b\\x2d-\\x7e]+),s=(${base64}),i=([1-9]\\d{0,15})${extensions}$`,
)
const serverFinalForm = new RegExp(`^v=(${base64})${extensions}$`)

function readServerFirst(login: ScramLogin, text: string, clientNonce: string) {
  const { mechanism } = login
  const match = serverFirstForm.exec(text)
  if (match === null) throw serverError(login, text) ?? malformed(mechanism, 'the first message')
  const [, nonce = '', saltText = '', iterationsText = ''] = match
  if (!nonce.startsWith(clientNonce) || nonce === clientNonce) {
    throw loginFailed(mechanism, 'the nonce of the server does not continue the one it was sent')
  }
  const salt = Buffer.from(saltText, 'base64')
  if (salt.length === 0 || salt.length > saltBytesMax) {
    throw loginFailed(
      mechanism,
      `a salt of ${salt.length} bytes, where 1 to ${saltBytesMax} are allowed`,
    )
  }
  const iterations = Number(iterationsText)
  if (iterations < iterationsMin || iterations > iterationsMax) {
    const allowed = `from ${iterationsMin} to ${iterationsMax} are allowed`
    throw loginFailed(mechanism, `the server asks for ${iterations} iterations; ${allowed}`)
  }
  return { nonce, salt, iterations }
}

function readSignature(login: ScramLogin, text: string): Buffer {
  const match = serverFinalForm.exec(text)
  if (match !== null) return Buffer.from(match[1] ?? '', 'base64')
  throw serverError(login, text) ?? malformed(login.mechanism, 'the last message')
}

/** The server's own word for what is wrong, `e=invalid-proof`. */
function serverError({ mechanism, credentials }: ScramLogin, text: string): Error | undefined {
  const error = /^e=([^,]+)/.exec(text)?.[1]
  if (error === undefined) return undefined
  const secrets = [credentials.username, credentials.password]
  return loginFailed(mechanism, `the server says ${quote(error, secrets)}`)
}

function malformed(mechanism: ScramMechanism, what: string): Error {
  return loginFailed(mechanism, `${what} of the server is not as RFC 5802 has it`)
}
