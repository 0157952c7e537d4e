import { OptionError } from '../../errors.ts'
import type { Clock } from '../../platform/index.ts'
import { readSignedToken } from './json-web-token.ts'
import type { Claims } from './json-web-token.ts'
import { readTokenKeys } from './token-keys.ts'
import type { TokenKey, TokenKeySources } from './token-keys.ts'

/** Which tokens OAUTHBEARER takes, and whom they stand for. */
export interface OAuthOptions extends TokenKeySources {
  /** What a token's `iss` must be. @defaultValue anything */
  readonly issuer?: string
  /** One of these must be in a token's `aud`. @defaultValue anything */
  readonly audience?: string | readonly string[]
  /** The claim that names the user. @defaultValue 'sub' */
  readonly principalClaim?: string
  /** By how much the issuer's clock may differ. @defaultValue 30000 */
  readonly clockSkewMs?: number
}

/** What a token has proved. */
export interface VerifiedToken {
  readonly user: string
  readonly expiresAtMs: number
}

/** Checks tokens by their signatures and claims (RFC 7519), as Kafka's validator does. */
export class TokenVerifier {
  readonly #keys: readonly TokenKey[]
  readonly #clock: Pick<Clock, 'now'>
  readonly #issuer: string | undefined
  readonly #audiences: readonly string[]
  readonly #principalClaim: string
  readonly #clockSkewMs: number

  /** Throws an `OptionError` for keys that cannot be used. */
  constructor(options: OAuthOptions, clock: Pick<Clock, 'now'>) {
    const { issuer, audience = [], principalClaim = 'sub', clockSkewMs = 30_000 } = options
    if (!(clockSkewMs >= 0)) {
      throw new OptionError('oauth.clockSkewMs', `(${clockSkewMs}) must be 0 or more`)
    }
    this.#keys = readTokenKeys(options)
    this.#clock = clock
    this.#issuer = issuer
    this.#audiences = typeof audience === 'string' ? [audience] : audience
    this.#principalClaim = principalClaim
    this.#clockSkewMs = clockSkewMs
  }

  verify(token: string): VerifiedToken | { readonly problem: string } {
    const read = readSignedToken(token, this.#keys)
    if ('problem' in read) return read
    const { claims } = read
    const problem = this.#problemWith(claims)
    if (problem !== undefined) return { problem }
    const user = claims[this.#principalClaim]
    if (typeof user !== 'string' || user.trim() === '') {
      return { problem: `its claim ${this.#principalClaim} names nobody` }
    }
    return { user, expiresAtMs: (claims['exp'] as number) * 1000 }
  }

  #problemWith(claims: Claims): string | undefined {
    const { exp: expiry, nbf: notBefore, iat: issuedAt, iss: issuer, aud: audience } = claims
    const now = this.#clock.now()
    if (!isDate(expiry)) return 'it does not say when it expires'
    if (!isDate(issuedAt)) return 'it does not say when it was issued'
    if (now - this.#clockSkewMs >= expiry * 1000) return 'it has expired'
    if (notBefore !== undefined && !isDate(notBefore)) return 'its claim nbf is no date'
    if (isDate(notBefore) && now + this.#clockSkewMs < notBefore * 1000) {
      return 'it does not count yet'
    }
    if (this.#issuer !== undefined && issuer !== this.#issuer) return 'it is of another issuer'
    const audiences: readonly unknown[] = Array.isArray(audience) ? audience : [audience]
    const isMeant = this.#audiences.some((expected) => audiences.includes(expected))
    return this.#audiences.length === 0 || isMeant ? undefined : 'it is for another audience'
  }
}

/** Seconds since the epoch. */
function isDate(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0
}
