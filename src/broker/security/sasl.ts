import type { Random } from '../../platform/index.ts'
import { plainExchange } from './plain.ts'
import { scramExchange } from './scram.ts'
import { scramMechanisms } from './scram-credential.ts'
import type { ScramMechanism } from './scram-credential.ts'
import type { Users } from './users.ts'

/** What a server says to one message of a client. */
export type SaslStep =
  | { readonly kind: 'challenge'; readonly bytes: Buffer }
  | {
      readonly kind: 'success'
      readonly bytes: Buffer
      readonly user: string
      /** Until when what was shown proves anything, in milliseconds since the epoch. */
      readonly expiresAtMs?: number
    }
  | {
      readonly kind: 'failure'
      /** For the client. */
      readonly message: string
      /** For operators, where they may know more. */
      readonly reason?: string
    }

/** One attempt to authenticate: takes the client's messages in turn. */
export type SaslExchange = (message: Buffer) => SaslStep

/** The mechanisms by which a user proves to know a password. */
export type PasswordMechanism = 'PLAIN' | ScramMechanism
export type SaslMechanism = PasswordMechanism | 'OAUTHBEARER'

export const passwordMechanisms: readonly PasswordMechanism[] = ['PLAIN', ...scramMechanisms]
export const saslMechanisms: readonly SaslMechanism[] = [...passwordMechanisms, 'OAUTHBEARER']

export function isSaslMechanism(name: string): name is SaslMechanism {
  return (saslMechanisms as readonly string[]).includes(name)
}

export function startSaslExchange(
  mechanism: PasswordMechanism,
  users: Users,
  random: Random,
): SaslExchange {
  return mechanism === 'PLAIN' ? plainExchange(users) : scramExchange(mechanism, users, random)
}

/** The same words for an unknown user and a wrong password: a guesser learns nothing from them. */
export function invalidCredentials(mechanism: SaslMechanism): SaslStep & { kind: 'failure' } {
  return {
    kind: 'failure',
    message: `Authentication failed during authentication due to invalid credentials with SASL mechanism ${mechanism}`,
  }
}
