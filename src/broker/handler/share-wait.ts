import type { Clock } from '../../platform/index.ts'
import type { ShareSession } from '../share/index.ts'
import { bytesToAcquire } from './share-read.ts'
import type { SharedSource, sharedReader } from './share-read.ts'
import { untilCalled } from './until-called.ts'

interface ShareWait {
  readonly sources: readonly SharedSource[]
  readonly reader: ReturnType<typeof sharedReader>
  readonly session: ShareSession
  readonly minBytes: number
  /** On the clock that never steps back. */
  readonly untilMs: number
}

/** Waits until the share partitions hold `minBytes` that a member may acquire, the session ends, or time is up. */
export async function waitForShared(
  { sources, reader, session, minBytes, untilMs }: ShareWait,
  clock: Clock,
): Promise<void> {
  const bytesNow = () =>
    sources.reduce((sum, source) => sum + bytesToAcquire(source, minBytes, reader), 0)
  if (bytesNow() >= Math.max(1, minBytes)) return
  await untilCalled(clock, Math.max(0, untilMs - clock.elapsedMs()), (finish) => [
    session.onEnd(finish),
    ...sources.flatMap(({ partition, shared }) => {
      const look = () => {
        // What was closed, or moved to another leader, has an error to tell.
        if (partition.log.closed || shared.closed || bytesNow() >= Math.max(1, minBytes)) finish()
      }
      return [partition.log.onChange(look), shared.onChange(look)]
    }),
  ])
}
