import type { ExactlyOnce, ExactlyOnceParts } from '../runtime/index.ts'
import { TopicLimits } from './topic-limits.ts'
import { TransactionalCommits } from './transactional-commits.ts'

/** Makes what commits a consumer's progress together with what it writes. */
export function makeExactlyOnce(parts: ExactlyOnceParts): ExactlyOnce {
  const limits = new TopicLimits(parts.driver.admin(), parts.platform.clock)
  return {
    strategy: new TransactionalCommits(parts),
    check: (record) => limits.check(record),
  }
}
