import { constants, createHmac, timingSafeEqual, verify } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import type { TokenKey } from './token-keys.ts'

/** What a token says (RFC 7519), once its signature has been found to be right. */
export type Claims = Readonly<Record<string, unknown>>

/** How a signature is made, by its name in a token (RFC 7518). */
interface Algorithm {
  readonly hash: 'sha256' | 'sha384' | 'sha512'
  readonly kind: 'hmac' | 'rsa' | 'rsa-pss' | 'ecdsa'
  /** Of ECDSA, the curve that goes with it. */
  readonly curve?: string
}

const algorithms: Readonly<Record<string, Algorithm>> = {
  HS256: { hash: 'sha256', kind: 'hmac' },
  HS384: { hash: 'sha384', kind: 'hmac' },
  HS512: { hash: 'sha512', kind: 'hmac' },
  RS256: { hash: 'sha256', kind: 'rsa' },
  RS384: { hash: 'sha384', kind: 'rsa' },
  RS512: { hash: 'sha512', kind: 'rsa' },
  PS256: { hash: 'sha256', kind: 'rsa-pss' },
  PS384: { hash: 'sha384', kind: 'rsa-pss' },
  PS512: { hash: 'sha512', kind: 'rsa-pss' },
  ES256: { hash: 'sha256', kind: 'ecdsa', curve: 'prime256v1' },
  ES384: { hash: 'sha384', kind: 'ecdsa', curve: 'secp384r1' },
  ES512: { hash: 'sha512', kind: 'ecdsa', curve: 'secp521r1' },
}

const keyTypeOf = {
  hmac: 'secret',
  rsa: 'rsa',
  'rsa-pss': 'rsa',
  ecdsa: 'ec',
} as const satisfies Record<Algorithm['kind'], string>

/**
 * The claims of a signed token, or what is wrong with it. The algorithm is the token's word, so a key
 * is only ever used with those of its own kind: a public key must not do for the secret of an HMAC.
 */
export function readSignedToken(
  token: string,
  keys: readonly TokenKey[],
): { readonly claims: Claims } | { readonly problem: string } {
  const [encodedHeader = '', encodedClaims = '', encodedSignature = '', ...rest] = token.split('.')
  const header = readObject(encodedHeader)
  const claims = readObject(encodedClaims)
  if (header === undefined || claims === undefined || rest.length > 0) {
    return { problem: 'it is not a signed JSON web token' }
  }
  const { alg: name, kid: keyId, crit: critical } = header
  // What must be understood, and is not, makes the whole token void (RFC 7515, 4.1.11).
  if (critical !== undefined) return { problem: 'it has critical header parameters' }
  const algorithm = typeof name === 'string' ? algorithms[name] : undefined
  if (algorithm === undefined) return { problem: 'it is signed by an algorithm that is not known' }
  const fitting = keys.filter(
    (key) =>
      fits(key.key, algorithm) &&
      (key.algorithm === undefined || key.algorithm === name) &&
      (key.keyId === undefined || keyId === undefined || key.keyId === keyId),
  )
  if (fitting.length === 0) return { problem: 'there is no key for its algorithm and key id' }
  const signed = Buffer.from(`${encodedHeader}.${encodedClaims}`)
  const signature = Buffer.from(encodedSignature, 'base64url')
  const isRight = fitting.some(({ key }) => isSignature(algorithm, key, signed, signature))
  return isRight ? { claims } : { problem: 'its signature is wrong' }
}

function fits(key: KeyObject, { kind, curve }: Algorithm): boolean {
  const type = key.type === 'secret' ? 'secret' : key.asymmetricKeyType
  if (type !== keyTypeOf[kind]) return false
  return curve === undefined || key.asymmetricKeyDetails?.namedCurve === curve
}

function isSignature(
  { kind, hash }: Algorithm,
  key: KeyObject,
  signed: Buffer,
  signature: Buffer,
): boolean {
  switch (kind) {
    case 'hmac': {
      const expected = createHmac(hash, key).update(signed).digest()
      return expected.length === signature.length && timingSafeEqual(expected, signature)
    }
    case 'rsa':
      return verify(hash, signed, { key, padding: constants.RSA_PKCS1_PADDING }, signature)
    case 'rsa-pss': {
      const saltLength = constants.RSA_PSS_SALTLEN_DIGEST
      const padding = constants.RSA_PKCS1_PSS_PADDING
      return verify(hash, signed, { key, padding, saltLength }, signature)
    }
    case 'ecdsa':
      return verify(hash, signed, { key, dsaEncoding: 'ieee-p1363' }, signature)
  }
}

function readObject(encoded: string): Claims | undefined {
  if (!/^[A-Za-z0-9_-]+$/.test(encoded)) return undefined
  try {
    const value: unknown = JSON.parse(Buffer.from(encoded, 'base64url').toString('utf8'))
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
    return isObject ? (value as Claims) : undefined
  } catch {
    return undefined
  }
}
