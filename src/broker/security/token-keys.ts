import { createPublicKey, createSecretKey } from 'node:crypto'
import type { JsonWebKey, KeyObject } from 'node:crypto'
import { OptionError } from '../../errors.ts'

/** A key that a token may be signed with. */
export interface TokenKey {
  readonly key: KeyObject
  /** By which tokens name it; absent: it is tried for every token. */
  readonly keyId?: string
  /** The only algorithm that it may be used with, where that was said. */
  readonly algorithm?: string
}

/** Where keys come from. */
export interface TokenKeySources {
  /** A JWKS document (RFC 7517) as text: `{"keys":[…]}`. */
  readonly jwks?: string
  /** Public keys or certificates in PEM: RSA, or an elliptic curve. */
  readonly publicKeys?: readonly string[]
  /** Secrets of at least 32 bytes that the issuer of the tokens has too. For tests. */
  readonly secrets?: readonly string[]
}

const secretBytesMin = 32
const keyTypes: readonly unknown[] = ['RSA', 'EC', 'oct']

/** Reads all keys; throws an `OptionError` that names the one that cannot be used. */
export function readTokenKeys(sources: TokenKeySources): readonly TokenKey[] {
  const { jwks, publicKeys = [], secrets = [] } = sources
  const keys = [
    ...(jwks === undefined ? [] : readJwks(jwks)),
    ...publicKeys.map((pem, index) => ({
      key: attempt(`oauth.publicKeys[${index}]`, () => createPublicKey(pem)),
    })),
    ...secrets.map((secret, index) => readSecret(`oauth.secrets[${index}]`, Buffer.from(secret))),
  ]
  if (keys.length === 0) {
    throw new OptionError('oauth', 'needs a key: give jwks, publicKeys or secrets')
  }
  return keys
}

function readJwks(text: string): TokenKey[] {
  const document = attempt('oauth.jwks', () => JSON.parse(text) as { keys?: unknown })
  const { keys } = document
  if (!Array.isArray(keys)) throw new OptionError('oauth.jwks', 'must be {"keys":[…]} (RFC 7517)')
  // A document may hold keys for other purposes, and of kinds that nobody here can use.
  return (keys as JsonWebKey[])
    .map((key, index) => ({ key, name: `oauth.jwks, key ${index}` }))
    .filter(({ key }) => keyTypes.includes(key.kty) && key['use'] !== 'enc')
    .map(({ key, name }) => readJsonWebKey(name, key))
}

function readJsonWebKey(name: string, jwk: JsonWebKey): TokenKey {
  const { kid, alg } = jwk as { kid?: unknown; alg?: unknown }
  const { key } =
    jwk.kty === 'oct'
      ? readSecret(name, Buffer.from(jwk.k ?? '', 'base64url'))
      : { key: attempt(name, () => createPublicKey({ key: jwk, format: 'jwk' })) }
  return {
    key,
    ...(typeof kid === 'string' ? { keyId: kid } : {}),
    ...(typeof alg === 'string' ? { algorithm: alg } : {}),
  }
}

/** What is shorter can be guessed from one token (RFC 7518, 3.2). */
function readSecret(name: string, bytes: Buffer): TokenKey {
  if (bytes.length < secretBytesMin) {
    throw new OptionError(name, `must have at least ${secretBytesMin} bytes`)
  }
  return { key: createSecretKey(bytes) }
}

/** The key itself is not repeated. */
function attempt<Result>(name: string, read: () => Result): Result {
  try {
    return read()
  } catch (cause) {
    throw new OptionError(name, 'cannot be read', { cause })
  }
}
