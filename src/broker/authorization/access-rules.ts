import type { AccessRule } from './gate.ts'
import { clusterRules, connectionRules } from './rules/cluster-rules.ts'
import { groupRules } from './rules/group-rules.ts'
import { recordRules } from './rules/record-rules.ts'
import { shareRules } from './rules/share-rules.ts'
import { topicRules } from './rules/topic-rules.ts'
import { transactionRules } from './rules/transaction-rules.ts'

/** What each API needs, in the order of Kafka's keys. An API that is not here cannot be served. */
export const accessRules: readonly AccessRule[] = [
  ...connectionRules,
  ...recordRules,
  ...topicRules,
  ...groupRules,
  ...shareRules,
  ...transactionRules,
  ...clusterRules,
].sort((one, other) => one.api.key - other.api.key)
