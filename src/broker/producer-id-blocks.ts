import type { Cluster } from './cluster/cluster.ts'
import type { ProducerIdBlocks } from './transaction/index.ts'

/** As many ids as Kafka reserves at once. */
const blockLength = 1000

/** Reserves producer ids in the cluster's log, one block after the other. */
export function storedProducerIdBlocks(cluster: Cluster): ProducerIdBlocks {
  let reserving: Promise<unknown> = Promise.resolve()
  const reserve = async () => {
    const stored = cluster.dynamicSettings('producer-ids', '').get('next')
    const first = stored === undefined ? 0 : Number(stored)
    const next = new Map([['next', String(first + blockLength)]])
    await cluster.setDynamicSettings('producer-ids', '', next)
    return { first, length: blockLength }
  }
  return {
    allocate() {
      const block = reserving.then(reserve)
      reserving = block.catch(() => undefined)
      return block
    },
  }
}
