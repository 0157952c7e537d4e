import type { Clock } from '../../platform/index.ts'
import type { ShareSession } from '../share/index.ts'
import { bytesToAcquire } from './share-read.ts'
import type { SharedSource, sharedReader } from './share-read.ts'

interface ShareWait {
  readonly sources: readonly SharedSource[]
  readonly reader: ReturnType<typeof sharedReader>
  readonly session: ShareSession
  readonly minBytes: number
  /** On the clock that never steps back. */
  readonly untilMs: number
}

/**
 * Waits until the share partitions hold `minBytes` that a member may acquire, the session ends, or
 * time is up. The continuation runs after the input at hand, so that many changes of one moment wake
 * a reader once.
 */
export async function waitForShared(
  { sources, reader, session, minBytes, untilMs }: ShareWait,
  clock: Clock,
): Promise<void> {
  const bytesNow = () =>
    sources.reduce((sum, source) => sum + bytesToAcquire(source, minBytes, reader), 0)
  if (bytesNow() >= Math.max(1, minBytes)) return
  const unsubscribe: (() => void)[] = []
  await new Promise<void>((resolve) => {
    let done = false
    const finish = () => {
      if (done) return
      done = true
      timer.cancel()
      clock.defer(resolve)
    }
    const timer = clock.setTimer(Math.max(0, untilMs - clock.elapsedMs()), finish)
    unsubscribe.push(session.onEnd(finish))
    for (const { partition, shared } of sources) {
      const look = () => {
        // What was closed, or moved to another leader, has an error to tell.
        if (partition.log.closed || shared.closed || bytesNow() >= Math.max(1, minBytes)) finish()
      }
      unsubscribe.push(partition.log.onChange(look), shared.onChange(look))
    }
  })
  for (const stop of unsubscribe) stop()
}
