import { isMillraceError } from '../../../errors.ts'
import { loginFailed, quote } from './login-error.ts'
import { secretsOf } from './proof.ts'
import type { SaslAnswer, SaslExchange } from './sasl-exchange.ts'
import type { BearerToken } from './sasl-options.ts'

/*
 * RFC 7628, where ^A is the byte 1:
 *
 *   client          n,,^Aauth=Bearer token^A[name=value^A...]^A
 *   server          nothing, or why not, as JSON
 *   client, then    ^A, which the server answers with the end of it
 */
const separator = '\x01'
const mechanism = 'OAUTHBEARER'

/** OAUTHBEARER: sends the token of an identity provider. */
export async function logInBearer(token: BearerToken, exchange: SaslExchange): Promise<SaslAnswer> {
  const answer = await exchange(Buffer.from(firstMessage(token)))
  if (answer.authBytes.length === 0) return answer
  await endRefusal(exchange)
  throw loginFailed(mechanism, reasonOf(answer.authBytes, token))
}

function firstMessage({ value, extensions = {} }: BearerToken): string {
  if (!/^[-._~+/A-Za-z0-9]+=*$/.test(value)) {
    throw loginFailed(mechanism, 'the token has characters that RFC 6750 does not allow in one')
  }
  const pairs = Object.entries(extensions).map(([name, content]) => {
    checkExtension(name, content)
    return `${name}=${content}${separator}`
  })
  return `n,,${separator}auth=Bearer ${value}${separator}${pairs.join('')}${separator}`
}

function checkExtension(name: string, content: string): void {
  if (!/^[A-Za-z]+$/.test(name) || name.toLowerCase() === 'auth') {
    const allowed = "must consist of letters and not be 'auth'"
    throw loginFailed(mechanism, `the name of an extension (${quote(name, [])}) ${allowed}`)
  }
  if (!/^[\x21-\x7e \t\r\n]+$/.test(content)) {
    throw loginFailed(mechanism, `the extension ${name} must be a text of ASCII characters`)
  }
}

/** The server waits for a last message; what it says to it adds nothing to the reason. */
async function endRefusal(exchange: SaslExchange): Promise<void> {
  try {
    await exchange(Buffer.from(separator))
  } catch (error) {
    if (!isMillraceError(error)) throw error
  }
}

const reasonBytesMax = 8192

function reasonOf(bytes: Buffer, token: BearerToken): string {
  if (bytes.length > reasonBytesMax) return `the server gives a reason of ${bytes.length} bytes`
  const text = bytes.toString('utf8')
  const secrets = secretsOf({ mechanism, token })
  return `the server says ${quote(statusOf(text) ?? text, secrets)}`
}

/** `{"status":"invalid_token","scope":"...","openid-configuration":"..."}`: the parts that are there. */
function statusOf(text: string): string | undefined {
  try {
    const json: unknown = JSON.parse(text)
    if (typeof json !== 'object' || json === null) return undefined
    const parts = ['status', 'scope', 'openid-configuration'].flatMap((name) => {
      const part: unknown = (json as Record<string, unknown>)[name]
      return typeof part === 'string' ? [`${name} ${part}`] : []
    })
    return parts.length === 0 ? undefined : parts.join(', ')
  } catch {
    return undefined
  }
}
