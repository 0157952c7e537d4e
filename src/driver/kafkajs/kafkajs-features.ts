import type { DriverFeatures } from '../driver.ts'

/** What holds of kafkajs 2.2.4, which has not changed since 2023; each reason was seen in its source or in a run. */
export const kafkaJsFeatures: DriverFeatures = {
  commitMetadata: true,
  partitionPause: true,
  awaitedRevocation:
    'kafkajs tells of a rebalance when the partitions are gone already, and waits for nobody',
  fencedCommits:
    'kafkajs sends a commit again whose answer was lost, under the generation of that time, and no broker checks who holds the partition',
  toldOffsetLoss:
    'kafkajs commits another offset by itself when the one it reads at is gone; the driver notices and commits the old one again, unless the process dies in between',
  logIdentity:
    'kafkajs knows neither ids of topics nor leader epochs: offsets of a topic that was made anew, or lost its end in a failover, look like any others',
  exactReadCommitted:
    'kafkajs leaves out aborted transactions by rules that let some of their records through, and takes the end of all records for the end',
  idempotentWrites:
    'the idempotent producer of kafkajs counts on after an error as if nothing had been written, so a retry may be there twice or be refused for ever',
  exactHeaders:
    'kafkajs has headers as an object: it forgets the order of different names, and cannot write null',
  transactions:
    'kafkajs commits offsets in a transaction without the generation of the group, so a member that was thrown out is not fenced',
  staticMembership: 'kafkajs never sends the name of a static member',
  consumerProtocol: 'kafkajs speaks the classic protocol for groups only',
  assignors:
    'kafkajs has an assignor of its own, RoundRobinAssigner, and gives everything up at each rebalance',
  topicPatterns:
    'kafkajs compares a pattern with the topics once: those that come later are not read',
}
