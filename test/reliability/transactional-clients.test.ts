/**
 * Promise: the library's transactions are there as a whole or not at all, once, and in order, and a group that
 * reads, writes and commits in them does so exactly once, whatever is killed, paused, cut off or loses its power;
 * in both versions of the protocol.
 */
import { describe, expect, it } from 'vitest'
import { updateFeaturesApi } from '../../src/protocol/index.ts'
import type { History, HistoryRecorder, Simulation } from '../../src/testing/index.ts'
import { untilAnswered } from './broker-session.ts'
import { client, simulateBroker, simulated } from './broker-simulation.ts'
import { connectCluster, runTransactions, runTransformations } from './transactional-clients.ts'

const { topic, target, partitions, brokerHost, port, workMs, quietMs } = simulated

function load(version: 1 | 2) {
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

/** How many transactions of a history have ended in each way. */
function transactionsIn({ events }: History): { committed: number; aborted: number } {
  const transactions = new Set<number>()
  const count = { committed: 0, aborted: 0 }
  for (const event of events) {
    if (event.event === 'begin' && event.kind === 'transaction') transactions.add(event.id)
    if (event.event !== 'end' || !transactions.has(event.id)) continue
    if (event.outcome === 'ok') count.committed += 1
    if (event.outcome === 'failed') count.aborted += 1
  }
  return count
}

describe.each([1, 2] as const)('transactions of version %i in a simulated world', (version) => {
  it.each([1, 2, 3])('keep their promises (seed %i)', { timeout: 60_000 }, async (seed) => {
    const { history } = await simulateBroker(seed, load(version))
    const { committed, aborted } = transactionsIn(history)
    expect(committed).toBeGreaterThan(50)
    expect(aborted).toBeGreaterThan(10)
  })
})
