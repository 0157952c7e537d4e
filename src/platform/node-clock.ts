import type { Clock, Timer } from './platform.ts'

/** Above this Node fires a timer at once instead of late. */
const timerDelayMsMax = 2 ** 31 - 1

/** The clock of this machine. */
export const nodeClock: Clock = {
  now: () => Date.now(),
  elapsedMs: () => performance.now(),
  setTimer: (delayMs, callback) => startTimer(delayMs, callback, false),
  sleep,
  defer: (callback) => {
    setImmediate(callback)
  },
}

/** A delay that Node cannot count in one go is split into several timers. */
function startTimer(delayMs: number, callback: () => void, keepsAlive: boolean): Timer {
  let timeout: NodeJS.Timeout
  const arm = (remainingMs: number): void => {
    const stepMs = Math.min(remainingMs, timerDelayMsMax)
    const next = stepMs < remainingMs ? () => arm(remainingMs - stepMs) : callback
    timeout = setTimeout(next, stepMs)
    if (!keepsAlive) timeout.unref()
  }
  arm(Math.max(0, delayMs))
  return { cancel: () => clearTimeout(timeout) }
}

function sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) {
      reject(signal.reason as Error)
      return
    }
    const onAbort = (): void => {
      timer.cancel()
      reject(signal?.reason as Error)
    }
    const onTime = (): void => {
      signal?.removeEventListener('abort', onAbort)
      resolve()
    }
    const timer = startTimer(delayMs, onTime, true)
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}
