import { startBroker } from '../../../src/broker/index.ts'
import type { EmbeddedBroker } from '../../../src/broker/index.ts'
import { isDiskError } from '../../../src/platform/index.ts'
import type { Simulation } from '../../../src/testing/index.ts'
import { simulated } from '../broker-simulation.ts'
import type { BrokerWatch } from './broker-watch.ts'
import { ClusterFaults } from './cluster-faults.ts'
import type { Tally } from './exercised.ts'
import type { Tell } from './narration.ts'

const { topic, target, partitions, brokerHost, port } = simulated

export interface WorldBrokerOptions {
  readonly simulation: Simulation
  readonly nodes: number
  readonly watch: BrokerWatch
  readonly tally: Tally
  readonly tell: Tell
  /** Whether faults go on. */
  readonly goesOn: () => boolean
  /** Called in each of its lives, once it listens. */
  readonly started: (broker: EmbeddedBroker, faults: ClusterFaults) => void
}

/** Everything is short: what a real cluster waits a minute for happens here within a second or two. */
const properties = {
  'offsets.topic.num.partitions': '2',
  'transaction.state.log.num.partitions': '2',
  'transaction.abort.timed.out.transaction.cleanup.interval.ms': '200',
  'group.min.session.timeout.ms': '500',
  'group.consumer.min.session.timeout.ms': '500',
  'group.consumer.session.timeout.ms': '1500',
  'group.consumer.min.heartbeat.interval.ms': '100',
  'group.consumer.heartbeat.interval.ms': '200',
}

/** The cluster, in a process of its own, with a disk to lose. */
export function startWorldBroker(options: WorldBrokerOptions): void {
  const { simulation, nodes, watch, started } = options
  simulation.host(brokerHost).start(
    'broker',
    async (platform) => {
      const broker = await startBroker({
        ...{ platform, nodes, port, properties },
        host: brokerHost,
        insecure: true,
        data: '/data',
      })
      for (const name of [topic, target]) {
        if (broker.cluster.topic(name) !== undefined) continue
        const configs = new Map<string, string>()
        const wanted = { name, partitions, replicationFactor: nodes, configs }
        const made = await broker.cluster.createTopic(wanted)
        if ('error' in made) throw made.cause ?? new Error(made.message)
      }
      watch.watch(broker)
      const faults = new ClusterFaults({ ...options, broker, platform })
      started(broker, faults)
      const failure = broker.failure.then((error) => Promise.reject(error))
      await Promise.all([failure, faults.run()])
    },
    // A broker whose disk fails ends; it is started again like one that was killed.
    { mayFail: isDiskError },
  )
}
