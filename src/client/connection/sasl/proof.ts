import type { Clock } from '../../../platform/index.ts'
import { loginFailed } from './login-error.ts'
import { isText } from './sasl-options.ts'
import type { BearerToken, Credentials, SaslOptions } from './sasl-options.ts'

/** What proves who is logging in. */
export type Proof =
  | { readonly mechanism: PasswordMechanism; readonly credentials: Credentials }
  | { readonly mechanism: 'OAUTHBEARER'; readonly token: BearerToken }

export type PasswordMechanism = Exclude<SaslOptions['mechanism'], 'OAUTHBEARER'>

export interface AskOptions {
  readonly clock: Pick<Clock, 'setTimer'>
  /** How long the user's function may take. */
  readonly timeoutMs: number
  readonly signal?: AbortSignal | undefined
}

/** Asks for what this login proves itself with: a password may change, and a token does. */
export async function askForProof(sasl: SaslOptions, options: AskOptions): Promise<Proof> {
  const { mechanism } = sasl
  if (mechanism === 'OAUTHBEARER') {
    const token = await ask(mechanism, 'token', sasl.token, options)
    return { mechanism, token: checkedToken(token) }
  }
  const { credentials } = sasl
  const given =
    typeof credentials === 'function'
      ? await ask(mechanism, 'credentials', credentials, options)
      : credentials
  return { mechanism, credentials: checkedCredentials(mechanism, given) }
}

/** The texts of a proof that no message may repeat. */
export function secretsOf(proof: Proof): readonly string[] {
  if (proof.mechanism !== 'OAUTHBEARER') {
    return [proof.credentials.username, proof.credentials.password]
  }
  return [proof.token.value, ...Object.values(proof.token.extensions ?? {})]
}

/** The user's function decides with whom it speaks, so that it fails may pass, and is not our secret to tell. */
async function ask(
  mechanism: string,
  name: string,
  give: () => unknown,
  { clock, timeoutMs, signal }: AskOptions,
): Promise<unknown> {
  const failed = (problem: string, cause?: unknown) =>
    loginFailed(mechanism, `sasl.${name} ${problem}`, { cause, retriable: true })
  let stop = (): void => undefined
  const timeout = new Promise<never>((_resolve, reject) => {
    const timer = clock.setTimer(timeoutMs, () => reject(failed(`gave nothing in ${timeoutMs} ms`)))
    stop = () => timer.cancel()
  })
  const given = (async () => {
    try {
      return await give()
    } catch (cause) {
      throw failed('rejected: the cause of this error says why', cause)
    }
  })()
  try {
    return await untilAborted(Promise.race([given, timeout]), signal)
  } finally {
    stop()
  }
}

/** Waits for a promise, or rejects with the signal's reason when it aborts before. */
export async function untilAborted<Result>(
  promise: Promise<Result>,
  signal: AbortSignal | undefined,
): Promise<Result> {
  if (signal === undefined) return promise
  let stop = (): void => undefined
  const aborted = new Promise<never>((_resolve, reject) => {
    const abort = (): void => reject(signal.reason as Error)
    signal.addEventListener('abort', abort, { once: true })
    stop = () => signal.removeEventListener('abort', abort)
    if (signal.aborted) abort()
  })
  try {
    return await Promise.race([promise, aborted])
  } finally {
    stop()
  }
}

function checkedCredentials(mechanism: string, given: unknown): Credentials {
  const { username, password } = fieldsOf(given)
  if (isText(username) && isText(password)) return { username, password }
  throw loginFailed(mechanism, 'sasl.credentials must be { username, password }, both texts')
}

function checkedToken(given: unknown): BearerToken {
  const { value, expiresAtMs, extensions } = fieldsOf(given)
  if (!isText(value)) {
    throw loginFailed('OAUTHBEARER', 'sasl.token must give { value }, the token as text')
  }
  if (expiresAtMs !== undefined && !Number.isFinite(expiresAtMs)) {
    const allowed = 'must be a time in milliseconds since the epoch'
    throw loginFailed('OAUTHBEARER', `expiresAtMs of sasl.token ${allowed}`)
  }
  if (extensions !== undefined && !isRecordOfTexts(extensions)) {
    throw loginFailed('OAUTHBEARER', 'extensions of sasl.token must be texts by name')
  }
  return given as BearerToken
}

function fieldsOf(given: unknown): Record<string, unknown> {
  return typeof given === 'object' && given !== null ? (given as Record<string, unknown>) : {}
}

function isRecordOfTexts(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  return Object.values(value).every((content) => typeof content === 'string')
}
