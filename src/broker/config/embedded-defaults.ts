/**
 * Where the embedded broker differs from the defaults of Apache Kafka, and why. These count as its
 * `server.properties`: they are described as static, with Kafka's default behind them.
 */
export function embeddedDefaults(nodeCount: number): ReadonlyMap<string, string> {
  const replicas = String(Math.min(3, nodeCount))
  return new Map([
    // A test should not wait three seconds for the first member of a group.
    ['group.initial.rebalance.delay.ms', '0'],
    // The protocols that are served.
    ['group.coordinator.rebalance.protocols', 'classic,consumer'],
    // Each partition is a log to open at start; eight spread groups and transactions well enough.
    ['offsets.topic.num.partitions', '8'],
    ['transaction.state.log.num.partitions', '8'],
    ['share.coordinator.state.topic.num.partitions', '8'],
    // Nodes share their logs: more replicas say which nodes may lead, and nothing about durability.
    ['offsets.topic.replication.factor', replicas],
    ['transaction.state.log.replication.factor', replicas],
    ['transaction.state.log.min.isr', '1'],
    ['share.coordinator.state.topic.replication.factor', replicas],
    ['share.coordinator.state.topic.min.isr', '1'],
  ])
}
