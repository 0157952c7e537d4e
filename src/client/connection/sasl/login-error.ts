import { MillraceError } from '../../../errors.ts'
import { isRetriable, kafkaError, kafkaErrorName } from '../../../protocol/index.ts'
import { quoted } from '../../quoted.ts'

/** A login that failed. `problem` names no user and no secret. */
export function loginFailed(
  mechanism: string,
  problem: string,
  options: { readonly cause?: unknown; readonly retriable?: boolean } = {},
): MillraceError {
  const message = `login with ${mechanism} failed: ${problem}`
  return new MillraceError('MILLRACE_CLIENT_LOGIN_FAILED', message, options)
}

/** A login that the broker refused with one of Kafka's codes. */
export function loginRefused(
  mechanism: string,
  errorCode: number,
  errorMessage: string | null,
  secrets: readonly string[],
): MillraceError {
  const words =
    errorMessage === null || errorMessage === '' ? '' : `: ${quote(errorMessage, secrets)}`
  const problem = `the broker answered ${kafkaErrorName(errorCode)} (${errorCode})${words}`
  return loginFailed(mechanism, problem, { retriable: isRetriable(errorCode) })
}

/** A mechanism that the broker would not begin with: mostly one that it does not have. */
export function mechanismRefused(
  mechanism: string,
  answer: { readonly errorCode: number; readonly mechanisms: readonly string[] },
): MillraceError {
  const { errorCode, mechanisms } = answer
  if (errorCode !== kafkaError.UNSUPPORTED_SASL_MECHANISM) {
    return loginRefused(mechanism, errorCode, null, [])
  }
  const offered = quoted(mechanisms.join(', '))
  return loginFailed(mechanism, `sasl.mechanism must be one that the broker has: ${offered}`)
}

/** What the other side said, without what it was told in confidence: some repeat it. */
export function quote(text: string, secrets: readonly string[]): string {
  const longestFirst = secrets.filter((secret) => secret !== '').sort((a, b) => b.length - a.length)
  return quoted(longestFirst.reduce((rest, secret) => rest.replaceAll(secret, '***'), text))
}
