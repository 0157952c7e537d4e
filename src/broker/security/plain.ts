import { createHash, timingSafeEqual } from 'node:crypto'
import { invalidCredentials } from './sasl.ts'
import type { SaslExchange } from './sasl.ts'
import type { Users } from './users.ts'

/** PLAIN (RFC 4616): one message, `authorization id NUL user NUL password`. */
export function plainExchange(users: Users): SaslExchange {
  return (message) => {
    const parts = message.toString('utf8').split('\0')
    const [authorizationId, user, password] = parts
    if (parts.length !== 3 || !user || !password) {
      return {
        kind: 'failure',
        message: 'SASL/PLAIN needs an authorization id, a user and a password',
      }
    }
    if (authorizationId !== '' && authorizationId !== user) {
      return {
        kind: 'failure',
        message: 'SASL/PLAIN: the authorization id must be empty or the user',
      }
    }
    const expected = users.password(user)
    // Compared for an unknown user too: the time that it takes must not tell that there is none.
    const same = sameText(expected ?? '', password)
    return same && expected !== undefined
      ? { kind: 'success', bytes: Buffer.alloc(0), user }
      : invalidCredentials('PLAIN')
  }
}

/** Compares in a time that does not depend on where the texts differ. */
function sameText(a: string, b: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(a), digest(b))
}
