import type { EmbeddedBroker } from '../../src/broker/index.ts'

/**
 * Throws unless everything that was ever written is durable and decided: without faults and without
 * writers no transaction may hang, and no coordinator may have given a partition up.
 */
export function checkSettled(broker: EmbeddedBroker | undefined): void {
  if (broker === undefined) throw new Error('the broker has never started')
  for (const topic of broker.cluster.topics()) {
    for (const { index, log } of topic.partitions) {
      const { logEndOffset, highWatermark, lastStableOffset } = log
      const open = log.producers().filter((producer) => producer.transactionOpen)
      if (lastStableOffset === logEndOffset && open.length === 0) continue
      const offsets = `end ${logEndOffset}, high watermark ${highWatermark}, stable ${lastStableOffset}`
      throw new Error(
        `${topic.name}-${index} is not settled: ${offsets}, open ${JSON.stringify(open)}`,
      )
    }
  }
}
