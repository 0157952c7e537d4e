import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import type { Random } from '../../platform/index.ts'
import { invalidCredentials } from './sasl.ts'
import type { SaslExchange, SaslStep } from './sasl.ts'
import { scramHash } from './scram-credential.ts'
import type { ScramCredential, ScramMechanism } from './scram-credential.ts'
import type { Users } from './users.ts'

/*
 * RFC 5802, as Kafka uses it:
 *
 *   client first   n,[a=authorization id],n=user,r=client nonce[,extensions]
 *   server first   r=client nonce + server nonce,s=salt,i=iterations
 *   client final   c=biws,r=both nonces,p=proof
 *   server final   v=signature
 */
interface ClientFirst {
  readonly header: string
  readonly bare: string
  readonly user: string
  readonly nonce: string
}

interface Challenge {
  readonly client: ClientFirst
  readonly nonce: string
  readonly serverFirst: string
  readonly credential: ScramCredential
  /** Whether the user exists; for others the exchange goes on with a made-up credential. */
  readonly known: boolean
}

/** SCRAM: expects the client's first message, then its final one, then nothing. */
export function scramExchange(
  mechanism: ScramMechanism,
  users: Users,
  random: Random,
): SaslExchange {
  let challenge: Challenge | undefined
  let finished = false
  return (message) => {
    const text = message.toString('utf8')
    if (finished) return malformed('a message after the last')
    if (challenge !== undefined) {
      finished = true
      return finalStep(mechanism, challenge, text)
    }
    const client = parseClientFirst(text)
    if (client === undefined) return malformed('the first message')
    challenge = challengeFor(mechanism, users, random, client)
    return { kind: 'challenge', bytes: Buffer.from(challenge.serverFirst) }
  }
}

function malformed(what: string): SaslStep {
  return { kind: 'failure', message: `SASL/SCRAM: ${what} is not as RFC 5802 has it` }
}

function parseClientFirst(text: string): ClientFirst | undefined {
  const match = /^(n,(?:a=([^,]*))?,)(n=([^,]+),r=([\x21-\x2b\x2d-\x7e]+)(?:,.*)?)$/s.exec(text)
  if (match === null) return undefined
  const [, header = '', authorizationId, bare = '', name = '', nonce = ''] = match
  const user = decodeName(name)
  if (user === undefined) return undefined
  if (authorizationId !== undefined && decodeName(authorizationId) !== user) return undefined
  return { header, bare, user, nonce }
}

/** A name writes `,` as `=2C` and `=` as `=3D`; any other `=` is an error. */
function decodeName(name: string): string | undefined {
  if (/=(?!2C|3D)/.test(name)) return undefined
  return name.replaceAll('=2C', ',').replaceAll('=3D', '=')
}

function challengeFor(
  mechanism: ScramMechanism,
  users: Users,
  random: Random,
  client: ClientFirst,
): Challenge {
  const found = users.scramCredential(mechanism, client.user)
  const credential = found ?? users.madeUpCredential(mechanism, client.user)
  const nonce = client.nonce + Buffer.from(random.bytes(24)).toString('base64url')
  const salt = credential.salt.toString('base64')
  return {
    client,
    nonce,
    serverFirst: `r=${nonce},s=${salt},i=${credential.iterations}`,
    credential,
    known: found !== undefined,
  }
}

function finalStep(mechanism: ScramMechanism, challenge: Challenge, text: string): SaslStep {
  const match = /^(c=([A-Za-z0-9+/=]+),r=([^,]+)(?:,[^p][^,]*)*),p=([A-Za-z0-9+/=]+)$/.exec(text)
  if (match === null) return malformed('the final message')
  const [, withoutProof = '', binding = '', nonce, proof = ''] = match
  if (binding !== Buffer.from(challenge.client.header).toString('base64')) {
    return malformed('the channel binding')
  }
  if (nonce !== challenge.nonce) return invalidCredentials(mechanism)
  const signed = [challenge.client.bare, challenge.serverFirst, withoutProof].join(',')
  const correct = proofFits(mechanism, challenge.credential, signed, Buffer.from(proof, 'base64'))
  if (!correct || !challenge.known) return invalidCredentials(mechanism)
  const signature = createHmac(scramHash(mechanism), challenge.credential.serverKey)
    .update(signed)
    .digest('base64')
  return { kind: 'success', bytes: Buffer.from(`v=${signature}`), user: challenge.client.user }
}

/** The proof is the client key masked with a signature; only the key's hash is known here. */
function proofFits(
  mechanism: ScramMechanism,
  credential: ScramCredential,
  signed: string,
  proof: Buffer,
): boolean {
  const hash = scramHash(mechanism)
  const mask = createHmac(hash, credential.storedKey).update(signed).digest()
  if (proof.length !== mask.length) return false
  const clientKey = Buffer.from(proof.map((byte, i) => byte ^ (mask[i] as number)))
  return timingSafeEqual(createHash(hash).update(clientKey).digest(), credential.storedKey)
}
