const strayEvents = ['unhandledRejection', 'uncaughtException'] as const

/**
 * Directs errors that nobody caught to `onError` while `run` runs: a rejection that nobody handles,
 * an exception in a microtask. In a process of its own each would end the process; here it must end
 * the simulated process in whose turn it happened, and nothing else. Node reports both before the
 * next turn begins.
 */
export async function catchingStrayErrors<Result>(
  onError: (error: unknown) => void,
  run: () => Promise<Result>,
): Promise<Result> {
  const before = strayEvents.map((event) => ({ event, listeners: process.rawListeners(event) }))
  for (const event of strayEvents) {
    process.removeAllListeners(event)
    process.on(event, onError)
  }
  try {
    return await run()
  } finally {
    for (const { event, listeners } of before) {
      process.removeAllListeners(event)
      for (const listener of listeners) process.on(event, listener as (error: unknown) => void)
    }
  }
}
