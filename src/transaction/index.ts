export { createConsumer, createService } from './create.ts'
export { makeExactlyOnce } from './exactly-once.ts'
export { checkSize, TopicLimits } from './topic-limits.ts'
export { TransactionalCommits } from './transactional-commits.ts'
