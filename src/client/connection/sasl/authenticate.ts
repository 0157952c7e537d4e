import type { Platform } from '../../../platform/index.ts'
import { loginFailed, loginRefused } from './login-error.ts'
import { logInBearer } from './oauthbearer.ts'
import { logInPlain } from './plain.ts'
import { askForProof, secretsOf, untilAborted } from './proof.ts'
import type { Proof } from './proof.ts'
import type { SaslAnswer, SaslExchange } from './sasl-exchange.ts'
import type { SaslOptions } from './sasl-options.ts'
import { logInScram } from './scram.ts'

export { nextLoginMs } from './next-login.ts'

export interface LoginOptions {
  readonly sasl: SaslOptions
  /** Whether the connection has TLS. */
  readonly encrypted: boolean
  readonly platform: Pick<Platform, 'clock' | 'offload' | 'random'>
  /** For `sasl.credentials` or `sasl.token` to answer. @defaultValue 10000 */
  readonly proofTimeoutMs?: number
  readonly signal?: AbortSignal
}

/** How a connection speaks with its broker while it logs in. */
export interface LoginWire {
  /** Chooses the mechanism, SaslHandshake 1; rejects when the broker does not have it. */
  readonly handshake: (mechanism: string) => Promise<void>
  /** Sends one message of the mechanism, SaslAuthenticate, and answers the response as it came. */
  readonly exchange: (authBytes: Buffer) => Promise<SaslResponse>
}

export interface SaslResponse extends SaslAnswer {
  readonly errorCode: number
  readonly errorMessage: string | null
}

export interface Login {
  /** After which the broker ends the session or the token expires; 0 for a session without end. */
  readonly sessionLifetimeMs: number
}

/**
 * Logs in on a connection. Rejects with MILLRACE_CLIENT_LOGIN_FAILED when the broker refuses, cannot prove
 * who it is, or says what the mechanism does not have it say; with what `handshake` or `exchange` rejects
 * with; when the signal aborts, with its reason.
 */
export async function authenticate(options: LoginOptions & LoginWire): Promise<Login> {
  const logIn = await prepareLogin(options)
  return logIn(options)
}

/**
 * The first half of `authenticate`: asks for credentials or a token, and answers the other half. Where a
 * login needs the connection for itself, only that half does: an identity provider may take its time.
 */
export async function prepareLogin(
  options: LoginOptions,
): Promise<(wire: LoginWire) => Promise<Login>> {
  const { sasl, platform, signal, proofTimeoutMs: timeoutMs = 10_000 } = options
  signal?.throwIfAborted()
  refuseToShowSecrets(options)
  const proof = await askForProof(sasl, { clock: platform.clock, timeoutMs, signal })
  return async (wire) => {
    await untilAborted(wire.handshake(sasl.mechanism), signal)
    const answer = await untilAborted(converse(platform, wire, proof), signal)
    return { sessionLifetimeMs: lifetimeMs(platform, proof, answer.sessionLifetimeMs) }
  }
}

/** The options were checked before, but what a connection is, only the connection knows. */
function refuseToShowSecrets({ sasl, encrypted }: LoginOptions): void {
  const { mechanism } = sasl
  if (mechanism !== 'PLAIN' && mechanism !== 'OAUTHBEARER') return
  if (encrypted || sasl.allowWithoutTls === true) return
  throw loginFailed(mechanism, 'without TLS it would show the secret to everybody on the way')
}

function converse(
  platform: LoginOptions['platform'],
  wire: LoginWire,
  proof: Proof,
): Promise<SaslAnswer> {
  const exchange: SaslExchange = async (message) => {
    const response = await wire.exchange(message)
    const { errorCode, errorMessage } = response
    if (errorCode === 0) return response
    throw loginRefused(proof.mechanism, errorCode, errorMessage, secretsOf(proof))
  }
  switch (proof.mechanism) {
    case 'PLAIN':
      return logInPlain(proof.credentials, exchange)
    case 'OAUTHBEARER':
      return logInBearer(proof.token, exchange)
    default: {
      const { mechanism, credentials } = proof
      return logInScram({ mechanism, credentials, platform, exchange })
    }
  }
}

/** A broker that named no end wants no second login, whatever the token says. */
function lifetimeMs(
  { clock }: Pick<Platform, 'clock'>,
  proof: Proof,
  sessionLifetimeMs: number,
): number {
  if (!(sessionLifetimeMs > 0)) return 0
  const expiresAtMs = proof.mechanism === 'OAUTHBEARER' ? proof.token.expiresAtMs : undefined
  const remainingMs = (expiresAtMs ?? Infinity) - clock.now()
  // A token that looks expired was taken all the same: the clocks differ, and the broker's counts.
  return remainingMs > 0 ? Math.min(sessionLifetimeMs, remainingMs) : sessionLifetimeMs
}
