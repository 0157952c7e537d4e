/** A simulated world in which clients of the library work in transactions. */
import type { TransactionVersion } from '../../src/client/producer/transaction/transaction-coordinator.ts'
import { updateFeaturesApi } from '../../src/protocol/index.ts'
import type {
  History,
  HistoryRecorder,
  ScenarioResult,
  Simulation,
} from '../../src/testing/index.ts'
import { untilAnswered } from './broker-session.ts'
import { client, simulateBroker, simulated } from './broker-simulation.ts'
import type { Load } from './broker-simulation.ts'
import { connectCluster, runTransactions, runTransformations } from './transactional-clients.ts'

/**
 * Producers of transactions, two of which take one transactional id from each other, and a group that transforms in
 * transactions: all by the library, on a broker to which everything happens. What was said of each
 * transaction is held against what readers of committed records see.
 */
export function simulateTransactions(
  seed: number,
  version: TransactionVersion,
): Promise<ScenarioResult & { readonly history: History }> {
  const replay = (again: number) => `npm run simulate -- --transactions ${version} --seed ${again}`
  return simulateBroker(seed, clientsOf(version), replay)
}

const { topic, target, partitions, brokerHost, port, workMs, quietMs } = simulated

function clientsOf(version: TransactionVersion): Load {
  return (simulation: Simulation, history: HistoryRecorder): void => {
    const goesOn = () => simulation.nowMs < workMs
    client(simulation, 'administrator', async (session) => {
      const feature = 'transaction.version'
      const update = { feature, maxVersionLevel: version, upgradeType: 2 }
      const request = { timeoutMs: 1_000, featureUpdates: [update] }
      await untilAnswered(session, () => session.request(updateFeaturesApi, 1, request))
    })
    // Two have the same transactional id: they take it from each other.
    for (const [name, transactionalId] of [
      ['transactional-1', 'first'],
      ['transactional-2', 'second'],
      ['transactional-3', 'second'],
    ] as const) {
      client(simulation, name, async ({ platform }, process) => {
        await using cluster = connectCluster({
          platform,
          host: brokerHost,
          port,
          clientId: process,
        })
        await runTransactions({
          ...{ cluster, history, topic, partitions, goesOn, transactionalId },
          name: process,
          pauseMs: 200,
        })
      })
    }
    for (const number of [1, 2]) {
      const transactionalId = `transformer-${number}`
      client(simulation, transactionalId, async (session, process) => {
        const { platform } = session
        await using cluster = connectCluster({
          platform,
          host: brokerHost,
          port,
          clientId: process,
        })
        await runTransformations({
          ...{ cluster, session, history, topic, target, partitions, transactionalId },
          goesOn: () => simulation.nowMs < workMs + quietMs,
          name: process,
          group: 'transformers',
        })
      })
    }
  }
}
