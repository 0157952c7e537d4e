import { invalidCredentials } from './sasl.ts'
import type { SaslExchange } from './sasl.ts'
import type { TokenVerifier } from './token-verifier.ts'

/*
 * RFC 7628, as Kafka uses it (KIP-255), with ^A for the byte 1:
 *
 *   client first   n,[a=authorization id],^Aauth=Bearer token^A[key=value^A…]^A
 *   server         nothing: success; or {"status":"invalid_token"}
 *   client         ^A, and the login has failed
 */
const clientFirst =
  /^n,(?:a=((?:[^=,\x01]|=2C|=3D)+))?,\x01((?:[A-Za-z]+=[\x21-\x7e \t\r\n]+\x01)*)\x01$/
const bearer = /^bearer +([-_~+/.a-zA-Z0-9]+=*)$/i
const separator = '\x01'

/** OAUTHBEARER: expects a token, and where it is refused the client's word that it has understood. */
export function oauthBearerExchange(tokens: TokenVerifier): SaslExchange {
  let refusal: string | undefined
  return (message) => {
    if (refusal !== undefined) {
      const { message: words } = invalidCredentials('OAUTHBEARER')
      return { kind: 'failure', message: words, reason: `the token was refused: ${refusal}` }
    }
    const first = parseClientFirst(message.toString('utf8'))
    if (first === undefined) return invalidCredentials('OAUTHBEARER')
    const verified = tokens.verify(first.token)
    if ('problem' in verified) {
      refusal = verified.problem
      return { kind: 'challenge', bytes: Buffer.from(JSON.stringify({ status: 'invalid_token' })) }
    }
    const { authorizationId } = first
    if (authorizationId !== undefined && authorizationId !== verified.user) {
      return {
        kind: 'failure',
        message: 'SASL/OAUTHBEARER: the authorization id must be empty or the user of the token',
      }
    }
    return { kind: 'success', bytes: Buffer.alloc(0), ...verified }
  }
}

function parseClientFirst(
  text: string,
): { readonly token: string; readonly authorizationId: string | undefined } | undefined {
  const match = clientFirst.exec(text)
  if (match === null) return undefined
  const [, authorizationId, pairs = ''] = match
  const auth = pairs.split(separator).filter((pair) => pair.startsWith('auth='))
  const token = bearer.exec(auth[0]?.slice('auth='.length) ?? '')?.[1]
  if (auth.length !== 1 || token === undefined) return undefined
  return { token, authorizationId: authorizationId?.replaceAll('=2C', ',').replaceAll('=3D', '=') }
}
