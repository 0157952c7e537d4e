import { createHmac, createPrivateKey, generateKeyPairSync, sign } from 'node:crypto'
import type { KeyObject } from 'node:crypto'

/** Pairs of keys, made once: RSA takes a while. */
export const rsaPair = generateKeyPairSync('rsa', { modulusLength: 2048 })
export const curvePair = generateKeyPairSync('ec', { namedCurve: 'P-256' })
export const secret = 'a secret of thirty-two bytes, no less'

export const publicPem = (key: KeyObject) => key.export({ type: 'spki', format: 'pem' }) as string
export const rsaPublicPem = publicPem(rsaPair.publicKey)
export const curvePublicPem = publicPem(curvePair.publicKey)

const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')

/** Makes a token; `key` is a private key, or the secret of an HMAC. */
export function signToken(
  algorithm: string,
  key: KeyObject | string,
  claims: object,
  header: object = {},
): string {
  const signed = `${encode({ alg: algorithm, ...header })}.${encode(claims)}`
  return `${signed}.${signatureOf(algorithm, key, Buffer.from(signed)).toString('base64url')}`
}

function signatureOf(algorithm: string, key: KeyObject | string, signed: Buffer): Buffer {
  const hash = `sha${algorithm.slice(2)}`
  if (algorithm === 'none') return Buffer.alloc(0)
  if (algorithm.startsWith('HS')) return createHmac(hash, key).update(signed).digest()
  const privateKey = typeof key === 'string' ? createPrivateKey(key) : key
  return algorithm.startsWith('ES')
    ? sign(hash, signed, { key: privateKey, dsaEncoding: 'ieee-p1363' })
    : sign(hash, signed, privateKey)
}
