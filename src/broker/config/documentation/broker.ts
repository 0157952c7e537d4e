import type { BrokerPropertyName } from '../synonyms.ts'
import { coordinatorDocumentation } from './coordinator.ts'
import { logDocumentation } from './log.ts'
import { securityDocumentation } from './security.ts'
import { tieredStorageDocumentation } from './tiered-storage.ts'

/** What the properties of a node and of what it serves say. */
const nodeDocumentation = {
  'alter.config.policy.class.name': 'The class that may refuse a change of configurations.',
  'alter.log.dirs.replication.quota.window.num':
    'Over how many windows the rate of moving replicas between folders is measured.',
  'alter.log.dirs.replication.quota.window.size.seconds':
    'The length of one window in which the rate of moving replicas between folders is measured.',
  'auto.create.topics.enable':
    'Whether a topic is made when a client asks for one that is not there.',
  'auto.leader.rebalance.enable':
    'Whether leaders go back to the first of their replicas by themselves.',
  'background.threads': 'How many threads do chores.',
  'broker.heartbeat.interval.ms': 'How often a broker tells the controller that it lives.',
  'broker.id': 'The number of the broker; node.id is its newer name.',
  'broker.rack':
    'Where the broker stands, so that replicas are spread and readers find a near one.',
  'broker.session.timeout.ms': 'After which silence the controller counts a broker as gone.',
  'client.quota.callback.class': 'The class that decides what clients may use.',
  'connections.max.idle.ms': 'After which silence a connection is closed.',
  'controlled.shutdown.enable': 'Whether a broker gives its leaders away before it ends.',
  'controller.performance.always.log.threshold.ms':
    'From which time on a slow event of the controller is always logged.',
  'controller.performance.sample.period.ms':
    'How often the slowest events of the controller are logged.',
  'controller.quorum.append.linger.ms':
    'How long the leader of the controllers gathers records before it writes them.',
  'controller.quorum.bootstrap.servers': 'Where the controllers are found at the start.',
  'controller.quorum.election.backoff.max.ms':
    'The longest time before a new election of the leader of the controllers.',
  'controller.quorum.election.timeout.ms':
    'How long an election of the leader of the controllers may take.',
  'controller.quorum.fetch.timeout.ms':
    'How long a controller reads nothing from its leader before it asks for an election.',
  'controller.quorum.request.timeout.ms': 'How long a request of a controller may take.',
  'controller.quorum.retry.backoff.ms': 'The time before a request of a controller is tried again.',
  'controller.quorum.voters': 'The controllers that vote, as id@host:port.',
  'controller.quota.window.num':
    'Over how many windows the rate of changes to the cluster is measured.',
  'controller.quota.window.size.seconds':
    'The length of one window in which the rate of changes to the cluster is measured.',
  'controller.socket.timeout.ms': 'How long a request between controller and broker may take.',
  'create.topic.policy.class.name': 'The class that may refuse a new topic.',
  'default.replication.factor': 'How many replicas a topic is made with when nobody says how many.',
  'delete.records.purgatory.purge.interval.requests':
    'After how many requests what is left of waiting DeleteRecords is cleared away.',
  'delete.topic.enable': 'Whether topics can be deleted.',
  'fetch.max.bytes': 'How many bytes one fetch is answered with at most.',
  'fetch.purgatory.purge.interval.requests':
    'After how many requests what is left of waiting fetches is cleared away.',
  'follower.replication.throttled.rate':
    'How many bytes a second throttled replicas follow with at most.',
  'initial.broker.registration.timeout.ms':
    'How long a broker waits at the start for the controller to know it.',
  'internal.metadata.delete.delay.millis':
    "How long deleted files of the cluster's own log stay on the disk.",
  'internal.metadata.log.segment.bytes':
    "The size at which a segment of the cluster's own log is closed, without a lower bound; for tests.",
  'internal.metadata.max.batch.size.in.bytes':
    "The largest batch that is written to the cluster's own log.",
  'internal.metadata.max.fetch.size.in.bytes':
    "How many bytes of the cluster's own log one fetch is answered with at most.",
  'kafka.metrics.polling.interval.secs': 'How often metrics are handed to their reporters.',
  'kafka.metrics.reporters': 'Classes that report metrics of an older kind.',
  'leader.imbalance.check.interval.seconds':
    'How often the controller looks for leaders to give back to the first of their replicas.',
  'leader.replication.throttled.rate':
    'How many bytes a second throttled leaders send to followers at most.',
  'max.connection.creation.rate': 'How many connections a second may be opened.',
  'max.connections': 'How many connections may be open; more are closed at once.',
  'max.connections.per.ip': 'How many connections an address may hold open.',
  'max.connections.per.ip.overrides': 'How many for single addresses, as address:count.',
  'max.incremental.fetch.session.cache.slots': 'How many fetch sessions are kept.',
  'max.request.partition.size.limit':
    'How many partitions one DescribeTopicPartitions is answered with at most.',
  'metadata.log.dir': "The folder that holds the cluster's own log.",
  'metadata.log.max.record.bytes.between.snapshots':
    "After how many bytes of the cluster's own log its state is written down whole.",
  'metadata.log.max.snapshot.interval.ms':
    'After which time the state of the cluster is written down whole.',
  'metadata.log.segment.bytes': "The size at which a segment of the cluster's own log is closed.",
  'metadata.log.segment.ms': "The age at which a segment of the cluster's own log is closed.",
  'metadata.max.idle.interval.ms':
    "How often something is written to the cluster's own log when nothing happens.",
  'metadata.max.retention.bytes':
    "How large the cluster's own log may grow before its oldest part is deleted.",
  'metadata.max.retention.ms': "How long the cluster's own log is kept.",
  'metric.reporters': 'Classes that report metrics.',
  'metrics.num.samples': 'Over how many samples a metric is computed.',
  'metrics.recording.level': 'How detailed metrics are: INFO, DEBUG or TRACE.',
  'metrics.sample.window.ms': 'The length of one sample of a metric.',
  'node.id': 'The number of the node in its cluster.',
  'num.io.threads': 'How many threads answer requests.',
  'num.network.threads': 'How many threads read requests and write responses.',
  'num.partitions': 'How many partitions a topic is made with when nobody says how many.',
  'num.replica.alter.log.dirs.threads': 'How many threads move replicas between folders.',
  'num.replica.fetchers': 'How many threads copy from each other broker.',
  'process.roles': 'What the node is: broker, controller or both.',
  'producer.purgatory.purge.interval.requests':
    'After how many requests what is left of waiting produces is cleared away.',
  'queued.max.request.bytes':
    'How many bytes of requests may wait before no more are read; -1 sets no bound.',
  'queued.max.requests': 'How many requests may wait before no more are read.',
  'quota.window.num': 'Over how many windows what clients use is measured.',
  'quota.window.size.seconds': 'The length of one window in which what clients use is measured.',
  'replica.alter.log.dirs.io.max.bytes.per.second':
    'How many bytes a second are moved between folders at most.',
  'replica.fetch.backoff.ms': 'How long a follower waits after a fetch that failed.',
  'replica.fetch.max.bytes': 'How many bytes of a partition a follower asks for at once.',
  'replica.fetch.min.bytes': 'How many bytes a follower waits for.',
  'replica.fetch.response.max.bytes': 'How many bytes a follower asks for at once in all.',
  'replica.fetch.wait.max.ms': 'How long a fetch of a follower waits.',
  'replica.high.watermark.checkpoint.interval.ms':
    'How often it is written down up to where replicas agree.',
  'replica.lag.time.max.ms':
    'After which time a follower that has not caught up is no longer in sync.',
  'replica.selector.class': 'The class that chooses the replica to read from.',
  'replica.socket.receive.buffer.bytes': 'The receive buffer of a socket of a follower.',
  'replica.socket.timeout.ms': 'How long a request of a follower may take.',
  'replication.quota.window.num': 'Over how many windows the rate of replication is measured.',
  'replication.quota.window.size.seconds':
    'The length of one window in which the rate of replication is measured.',
  'request.timeout.ms': 'How long a request of a broker may take.',
  'server.max.startup.time.ms': 'How long the start may take.',
  'share.fetch.purgatory.purge.interval.requests':
    'After how many requests what is left of waiting share fetches is cleared away.',
  'socket.connection.setup.timeout.max.ms': 'The longest time that connecting may take.',
  'socket.connection.setup.timeout.ms': 'How long the first try to connect may take.',
  'socket.listen.backlog.size': 'How many connections may wait to be accepted.',
  'socket.receive.buffer.bytes': 'The receive buffer of a socket; -1 leaves it to the system.',
  'socket.request.max.bytes': 'The largest request that is taken.',
  'socket.send.buffer.bytes': 'The send buffer of a socket; -1 leaves it to the system.',
  'telemetry.max.bytes': 'How many bytes of metrics a client may push at once.',
  'unstable.api.versions.enable': 'Whether versions that may still change are served.',
  'unstable.feature.versions.enable':
    'Whether levels of features that may still change are offered.',
} as const satisfies Partial<Record<BrokerPropertyName, string>>

/** What each property of a broker says, for DescribeConfigs. */
export const brokerDocumentation: Readonly<Record<BrokerPropertyName, string>> = {
  ...nodeDocumentation,
  ...coordinatorDocumentation,
  ...logDocumentation,
  ...securityDocumentation,
  ...tieredStorageDocumentation,
}
