import type { Clock } from '../../platform/index.ts'

/**
 * Waits until what `watch` gives is called, or time is up. `watch` answers how to end its watching. The continuation runs
 * after the input at hand, so that many changes of one moment wake a reader once.
 */
export async function untilCalled(
  clock: Clock,
  waitMs: number,
  watch: (finish: () => void) => readonly (() => void)[],
): Promise<void> {
  let unsubscribe: readonly (() => void)[] = []
  await new Promise<void>((resolve) => {
    let done = false
    const finish = () => {
      if (done) return
      done = true
      timer.cancel()
      clock.defer(resolve)
    }
    const timer = clock.setTimer(waitMs, finish)
    unsubscribe = watch(finish)
  })
  for (const stop of unsubscribe) stop()
}
