import type { ClusterDescription } from '../../client/index.ts'
import type { DriverAdmin } from '../../driver/index.ts'
import { isMillraceError, MillraceError } from '../../errors.ts'
import type { Log } from '../../observe/index.ts'
import type { Clock } from '../../platform/index.ts'

export interface ClusterWait {
  readonly admin: Pick<DriverAdmin, 'cluster'>
  readonly clock: Clock
  readonly log: Log
  /** How long a cluster may be absent. */
  readonly connectTimeoutMs: number
  readonly signal: AbortSignal
}

/** So often the log says that it is waited. */
const progressMs = 3_000
const pauseMs = 250

/**
 * Waits until a broker answers, and says in the log that it waits. What waiting does not mend, as a refused login, is
 * thrown at once; a cluster that stays away when the time is over.
 */
export async function waitForCluster({
  admin,
  clock,
  log,
  connectTimeoutMs,
  signal,
}: ClusterWait): Promise<ClusterDescription> {
  const beganMs = clock.elapsedMs()
  const waitedMs = () => clock.elapsedMs() - beganMs
  let isWaiting = false
  for (;;) {
    const timeoutMs = Math.max(1, Math.ceil(Math.min(progressMs, connectTimeoutMs - waitedMs())))
    try {
      const cluster = await admin.cluster.describe({ timeoutMs, signal })
      if (isWaiting) log('info', 'a broker has answered', { waitedMs: Math.round(waitedMs()) })
      return cluster
    } catch (error) {
      signal.throwIfAborted()
      if (!isMillraceError(error) || !error.retriable) throw error
      if (waitedMs() + pauseMs >= connectTimeoutMs) throw absent(connectTimeoutMs, error)
      isWaiting = true
      const leftMs = Math.round(connectTimeoutMs - waitedMs())
      log('warn', 'no broker answers yet, the service waits', { leftMs, error: error.message })
      await clock.sleep(pauseMs, signal)
    }
  }
}

function absent(connectTimeoutMs: number, cause: MillraceError): MillraceError {
  const problem = `no broker answered within connectTimeoutMs (${connectTimeoutMs})`
  const hint = 'check kafka.brokers, TLS and the network, or wait longer'
  return new MillraceError('MILLRACE_CLIENT_UNREACHABLE', `${problem}: ${hint}; ${cause.message}`, {
    cause,
  })
}
