import type { Random } from '../../platform/index.ts'
import { oauthBearerExchange } from './oauth-bearer.ts'
import { startSaslExchange } from './sasl.ts'
import type { SaslExchange, SaslMechanism } from './sasl.ts'
import type { TokenVerifier } from './token-verifier.ts'
import type { Users } from './users.ts'

/** How clients log in. */
export interface Logins {
  /** What they may choose. */
  readonly mechanisms: readonly SaslMechanism[]
  /** For how long a login counts at most (`connections.max.reauth.ms`); 0: without an end. */
  readonly lifetimeMsMax: () => number
  startExchange(mechanism: SaslMechanism, random: Random): SaslExchange
}

interface LoginsOptions {
  readonly mechanisms: readonly SaslMechanism[]
  readonly users: Users
  /** Absent where OAUTHBEARER is not among the mechanisms. */
  readonly tokens: TokenVerifier | undefined
  readonly lifetimeMsMax: () => number
}

export function createLogins({ mechanisms, users, tokens, lifetimeMsMax }: LoginsOptions): Logins {
  return {
    mechanisms,
    lifetimeMsMax,
    startExchange(mechanism, random) {
      if (mechanism !== 'OAUTHBEARER') return startSaslExchange(mechanism, users, random)
      if (tokens === undefined) throw new Error('OAUTHBEARER is offered without keys')
      return oauthBearerExchange(tokens)
    },
  }
}
