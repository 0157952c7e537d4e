import type { Random } from '../../platform/index.ts'
import { plainExchange } from './plain.ts'
import { scramExchange } from './scram.ts'
import { scramMechanisms } from './scram-credential.ts'
import type { ScramMechanism } from './scram-credential.ts'
import type { Users } from './users.ts'

/** What a server says to one message of a client. */
export type SaslStep =
  | { readonly kind: 'challenge'; readonly bytes: Buffer }
  | { readonly kind: 'success'; readonly bytes: Buffer; readonly user: string }
  | { readonly kind: 'failure'; readonly message: string }

/** One attempt to authenticate: takes the client's messages in turn. */
export type SaslExchange = (message: Buffer) => SaslStep

export type SaslMechanism = 'PLAIN' | ScramMechanism

export const saslMechanisms: readonly SaslMechanism[] = ['PLAIN', ...scramMechanisms]

export function isSaslMechanism(name: string): name is SaslMechanism {
  return (saslMechanisms as readonly string[]).includes(name)
}

export function startSaslExchange(
  mechanism: SaslMechanism,
  users: Users,
  random: Random,
): SaslExchange {
  return mechanism === 'PLAIN' ? plainExchange(users) : scramExchange(mechanism, users, random)
}

/** The same words for an unknown user and a wrong password: a guesser learns nothing from them. */
export function invalidCredentials(mechanism: SaslMechanism): SaslStep {
  return {
    kind: 'failure',
    message: `Authentication failed during authentication due to invalid credentials with SASL mechanism ${mechanism}`,
  }
}
