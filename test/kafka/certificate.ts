/** A certificate for 127.0.0.1 that signs itself, made for one test run. */
import { generateKeyPairSync, randomBytes, sign } from 'node:crypto'

export interface TestCertificate {
  /** PEM; also the authority to trust. */
  readonly certificate: string
  /** PEM, PKCS #8. */
  readonly privateKey: string
}

/*
 * RFC 5280, in DER:
 * Certificate    = SEQUENCE { TBSCertificate, AlgorithmIdentifier, BIT STRING signature }
 * TBSCertificate = SEQUENCE { [0] version 2, serial, algorithm, issuer, validity, subject,
 *                             SubjectPublicKeyInfo, [3] extensions }
 */
const tag = { integer: 2, bitString: 3, octetString: 4, identifier: 6, text: 12, sequence: 48 }
const setTag = 49
const utcTimeTag = 23
const explicitVersionTag = 0xa0
const explicitExtensionsTag = 0xa3
/** Object identifiers in their encoded form. */
const ecdsaWithSha256 = Buffer.from('2a8648ce3d040302', 'hex')
const commonName = Buffer.from('550403', 'hex')
const subjectAlternativeName = Buffer.from('551d11', 'hex')
const basicConstraints = Buffer.from('551d13', 'hex')
/** Tags of a name inside the subject alternative names. */
const dnsNameTag = 0x82
const addressTag = 0x87

/** Makes a key and a certificate for `localhost` and 127.0.0.1, valid from yesterday for a year. */
export function makeCertificate(): TestCertificate {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
  const algorithm = sequence(der(tag.identifier, ecdsaWithSha256))
  const attribute = sequence(
    der(tag.identifier, commonName),
    der(tag.text, Buffer.from('localhost')),
  )
  const name = sequence(der(setTag, attribute))
  const dayMs = 86_400_000
  const validity = sequence(time(Date.now() - dayMs), time(Date.now() + 365 * dayMs))
  const toBeSigned = sequence(
    der(explicitVersionTag, der(tag.integer, Buffer.from([2]))),
    // The first bit clear: a serial number is positive.
    der(tag.integer, Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    algorithm,
    name,
    validity,
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(explicitExtensionsTag, sequence(alternativeNames(), authority())),
  )
  const signature = sign('sha256', toBeSigned, privateKey)
  const certificate = sequence(toBeSigned, algorithm, bitString(signature))
  const lines = certificate.toString('base64').match(/.{1,64}/g) ?? []
  return {
    certificate: `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`,
    privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  }
}

function alternativeNames(): Buffer {
  const names = sequence(
    der(dnsNameTag, Buffer.from('localhost')),
    der(addressTag, Buffer.from([127, 0, 0, 1])),
  )
  return sequence(der(tag.identifier, subjectAlternativeName), der(tag.octetString, names))
}

/** Says that it may sign, so that clients accept it as its own authority. */
function authority(): Buffer {
  const yes = sequence(Buffer.from([1, 1, 0xff]))
  return sequence(der(tag.identifier, basicConstraints), der(tag.octetString, yes))
}

function time(atMs: number): Buffer {
  const text = new Date(atMs).toISOString().replace(/[-:T]/g, '').slice(2, 14)
  return der(utcTimeTag, Buffer.from(`${text}Z`))
}

function bitString(bytes: Buffer): Buffer {
  // The first byte counts the unused bits of the last one.
  return der(tag.bitString, Buffer.concat([Buffer.from([0]), bytes]))
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return der(tag.sequence, Buffer.concat(parts))
}

function der(type: number, content: Buffer): Buffer {
  return Buffer.concat([Buffer.from([type]), lengthOf(content.length), content])
}

function lengthOf(length: number): Buffer {
  if (length < 0x80) return Buffer.from([length])
  if (length < 0x100) return Buffer.from([0x81, length])
  return Buffer.from([0x82, length >> 8, length & 0xff])
}
