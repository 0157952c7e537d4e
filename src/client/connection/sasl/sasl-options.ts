/** A user and what proves it. */
export interface Credentials {
  readonly username: string
  readonly password: string
}

/** What an identity provider gave, as OAUTHBEARER sends it (RFC 7628). */
export interface BearerToken {
  readonly value: string
  /** When it expires, in milliseconds since the epoch. The connection logs in again before. */
  readonly expiresAtMs?: number
  /** SASL extensions that go with it. */
  readonly extensions?: Readonly<Record<string, string>>
}

interface PasswordLogin {
  /** Also as a function, called for every login, so that a password can change while it runs. */
  readonly credentials: Credentials | (() => Credentials | Promise<Credentials>)
}

/** How to log in. */
export type SaslOptions =
  | (PasswordLogin & {
      readonly mechanism: 'PLAIN'
      /** Sends the password over a connection without TLS. @defaultValue false */
      readonly allowWithoutTls?: boolean
    })
  | (PasswordLogin & { readonly mechanism: 'SCRAM-SHA-256' | 'SCRAM-SHA-512' })
  | {
      readonly mechanism: 'OAUTHBEARER'
      /** Called for every login. */
      readonly token: () => BearerToken | Promise<BearerToken>
      /** Sends the token over a connection without TLS. @defaultValue false */
      readonly allowWithoutTls?: boolean
    }

/** Whether it can be sent: half of a surrogate pair has no UTF-8, and would arrive as something else. */
export function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && !/\p{Surrogate}/u.test(value)
}
