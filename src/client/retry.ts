import { MillraceError } from '../errors.ts'
import type { Clock } from '../platform/index.ts'
import { Backoff } from './backoff.ts'
import { isWorthRetrying } from './client-error.ts'
import type { Cluster } from './cluster/cluster.ts'

export interface RetryOptions {
  /** What is tried, for the error when the time is over: `'commit of group billing'`. */
  readonly what: string
  readonly timeoutMs: number
  readonly signal?: AbortSignal | undefined
  /** Whether to try again; by default what a broker or a lost connection says can pass. */
  readonly retry?: (error: unknown) => boolean
  /** The first pause, where errors pass sooner than the client's `retryBackoffMs`. */
  readonly firstPauseMs?: number
}

/**
 * Tries until it succeeds, fails with what no retry helps, or the time is over: then it rejects with the last
 * error as it came, because only that one tells whether something may have taken effect.
 */
export async function retry<Result>(
  cluster: Pick<Cluster, 'platform' | 'options' | 'closed'>,
  options: RetryOptions,
  attempt: (attempt: number) => Promise<Result>,
): Promise<Result> {
  const { clock, random } = cluster.platform
  const { retryBackoffMs, retryBackoffMsMax } = cluster.options
  const backoff = new Backoff(random, {
    firstMs: options.firstPauseMs ?? retryBackoffMs,
    limitMs: retryBackoffMsMax,
  })
  const deadline = clock.elapsedMs() + options.timeoutMs
  const mayRetry = options.retry ?? isWorthRetrying
  for (let count = 1; ; count++) {
    options.signal?.throwIfAborted()
    try {
      return await attempt(count)
    } catch (error) {
      const pauseMs = backoff.nextMs()
      if (!mayRetry(error)) throw error
      if (clock.elapsedMs() + pauseMs >= deadline) throw timeIsOver(error, options, count)
      await sleepUnless([options.signal, cluster.closed], clock, pauseMs)
    }
  }
}

/** Sleeps; rejects with the reason of the first of the signals that aborts. */
async function sleepUnless(
  signals: readonly (AbortSignal | undefined)[],
  clock: Clock,
  pauseMs: number,
): Promise<void> {
  const over = new AbortController()
  const ends = signals.map((signal) => {
    const end = () => over.abort(signal?.reason)
    if (signal?.aborted === true) end()
    else signal?.addEventListener('abort', end, { once: true })
    return () => signal?.removeEventListener('abort', end)
  })
  try {
    await clock.sleep(pauseMs, over.signal)
  } finally {
    for (const end of ends) end()
  }
}

function timeIsOver(error: unknown, { what, timeoutMs }: RetryOptions, attempts: number): unknown {
  if (error instanceof MillraceError) {
    error.message = `${what}: given up after ${attempts} attempts in ${timeoutMs} ms: ${error.message}`
  }
  return error
}
