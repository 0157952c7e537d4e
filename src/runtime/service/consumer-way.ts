import type { LatestTime } from '../latest-time.ts'
import type { Step } from '../outcome.ts'
import type { HandlingParts } from './handlers.ts'

/** What a service puts around the handlers of each of its consumers. */
export interface ConsumerWayParts extends HandlingParts {
  readonly time: LatestTime
  /** Around what runs once a record has been read. */
  readonly steps: readonly Step[]
}
