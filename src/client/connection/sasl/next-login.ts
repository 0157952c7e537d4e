import type { Random } from '../../../platform/index.ts'

/** A broker that is asked sooner refuses, and cuts the connection. */
const pauseMsMin = 1000

/** Timers do not reach further: a longer delay would fire at once. Logging in early does no harm. */
const timerMsMax = 2 ** 31 - 1

/**
 * How long after a login to log in again: after 85 to 95 % of the session's lifetime, so that neither the
 * network's delay nor many clients at once let it end. Undefined for a session without end (0): a broker
 * that set no end takes a second login for an error and cuts the connection.
 */
export function nextLoginMs(
  sessionLifetimeMs: number,
  random: Pick<Random, 'fraction'>,
): number | undefined {
  if (!(sessionLifetimeMs > 0)) return undefined
  const share = 0.85 + 0.1 * random.fraction()
  return Math.min(Math.max(sessionLifetimeMs * share, pauseMsMin), timerMsMax)
}
