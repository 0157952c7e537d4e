import type { Clock } from '../../platform/index.ts'

/** What the system sends to a process that should end. */
export type EndSignal = 'SIGTERM' | 'SIGINT'

const numbers = { SIGINT: 2, SIGTERM: 15 } as const

/**
 * Calls back at the first signal that asks the process to end. A second one ends it at once, with the exit code that
 * shells expect. Answers a function that stops listening.
 */
export function onEndSignal(callback: (signal: EndSignal) => void): () => void {
  let isEnding = false
  const heard = (signal: EndSignal) => {
    if (isEnding) process.exit(128 + numbers[signal])
    isEnding = true
    callback(signal)
  }
  const term = () => heard('SIGTERM')
  const interrupt = () => heard('SIGINT')
  process.on('SIGTERM', term)
  process.on('SIGINT', interrupt)
  return () => {
    process.off('SIGTERM', term)
    process.off('SIGINT', interrupt)
  }
}

/** What comes after a service in its program has so long; then what hangs is not waited for. */
const lingerMs = 2_000

/**
 * Lets the process end with an exit code. Handlers that ignore their signal would keep it alive: nobody waits for them
 * any more, and what they still do counts for nothing.
 */
export function endProcess(clock: Pick<Clock, 'setTimer'>, exitCode: 1 | 2): void {
  process.exitCode ??= exitCode
  clock.setTimer(lingerMs, () => process.exit())
}
