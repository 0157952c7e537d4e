import { OptionError } from '../../../errors.ts'
import { nearest } from '../../../nearest.ts'
import { flag, optionsOf } from '../../../option-checks.ts'
import { quoted } from '../../quoted.ts'
import { isText } from './sasl-options.ts'
import type { SaslOptions } from './sasl-options.ts'

/** The options of each mechanism, beside `mechanism` itself. */
const known = {
  PLAIN: ['credentials', 'allowWithoutTls'],
  'SCRAM-SHA-256': ['credentials'],
  'SCRAM-SHA-512': ['credentials'],
  OAUTHBEARER: ['token', 'allowWithoutTls'],
} as const satisfies Record<SaslOptions['mechanism'], readonly string[]>

const mechanisms = Object.keys(known)

/** Checks `sasl`. No message shows what is in `credentials`. */
export function resolveSasl(sasl: unknown, hasTls: boolean): SaslOptions | undefined {
  if (sasl === undefined) return undefined
  const every = [...new Set(['mechanism', ...Object.values(known).flat()])]
  const { mechanism } = optionsOf(sasl, 'sasl', every)
  if (!isMechanism(mechanism)) throw unknownMechanism(mechanism)
  const given = optionsOf(sasl, 'sasl', ['mechanism', ...known[mechanism]])
  if (mechanism === 'OAUTHBEARER') checkToken(given['token'])
  else checkCredentials(given['credentials'])
  const allowWithoutTls = flag(given, 'allowWithoutTls', 'sasl.allowWithoutTls')
  const showsSecret = mechanism === 'PLAIN' || mechanism === 'OAUTHBEARER'
  if (showsSecret && !hasTls && !allowWithoutTls) {
    const remedy = 'set tls, or sasl.allowWithoutTls'
    const reason = 'shows the secret to everybody on the way where there is no TLS'
    throw new OptionError('sasl.mechanism', `(${mechanism}) ${reason}: ${remedy}`)
  }
  return sasl as SaslOptions
}

function isMechanism(value: unknown): value is SaslOptions['mechanism'] {
  return typeof value === 'string' && mechanisms.includes(value)
}

function unknownMechanism(value: unknown): OptionError {
  if (typeof value !== 'string') {
    return new OptionError('sasl.mechanism', `must be one of ${mechanisms.join(', ')}`)
  }
  const meant = nearest(value, mechanisms)
  const hint = meant === undefined ? '' : `; did you mean ${meant}?`
  const allowed = `must be one of ${mechanisms.join(', ')}${hint}`
  return new OptionError('sasl.mechanism', `(${quoted(value)}) ${allowed}`)
}

function checkToken(token: unknown): void {
  if (typeof token === 'function') return
  throw new OptionError('sasl.token', 'must be a function that answers { value, expiresAtMs }')
}

/** What a function answers is checked at each login. */
function checkCredentials(credentials: unknown): void {
  if (typeof credentials === 'function') return
  const given = optionsOf(credentials, 'sasl.credentials', ['username', 'password'])
  for (const name of ['username', 'password']) {
    if (isText(given[name])) continue
    throw new OptionError(`sasl.credentials.${name}`, 'must be a text that is not empty')
  }
}
