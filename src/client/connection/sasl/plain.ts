import { loginFailed } from './login-error.ts'
import type { Credentials } from './sasl-options.ts'
import type { SaslAnswer, SaslExchange } from './sasl-exchange.ts'

/** PLAIN (RFC 4616): one message, `authorization id NUL user NUL password`. */
export function logInPlain(
  { username, password }: Credentials,
  exchange: SaslExchange,
): Promise<SaslAnswer> {
  if (username.includes('\0') || password.includes('\0')) {
    throw loginFailed('PLAIN', 'user names and passwords must not contain the character NUL')
  }
  return exchange(Buffer.from(`\0${username}\0${password}`))
}
