import { nodeClock } from './node-clock.ts'
import { nodeDisk } from './node-disk.ts'
import { nodeNetwork } from './node-network.ts'
import { nodeOffload } from './node-offload.ts'
import { nodeRandom } from './node-random.ts'
import type { Platform } from './platform.ts'

/** The real world: the clock, chance, network, files and threads of this machine. */
export function createNodePlatform(): Platform {
  return {
    clock: nodeClock,
    random: nodeRandom,
    network: nodeNetwork,
    disk: nodeDisk,
    offload: nodeOffload,
  }
}
