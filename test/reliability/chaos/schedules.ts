import type { ChaosCluster } from './chaos-cluster.ts'
import type { ChaosWorker } from './chaos-worker.ts'

/** What a schedule may lay hands on. */
export interface ChaosWorld {
  readonly cluster: Pick<ChaosCluster, 'failNode' | 'cut'>
  /** Those that work from the beginning. */
  readonly workers: readonly ChaosWorker[]
  /** One more, that does not work yet. */
  readonly newcomer: ChaosWorker
  readonly sessionTimeoutMs: number
}

export interface ChaosSchedule {
  readonly name: string
  /** What is done, for the head of a column. */
  readonly title: string
  readonly run: (world: ChaosWorld) => Promise<void>
}

const after = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))
const times = (count: number) => Array.from({ length: count }, (_, index) => index)

function workerOf({ workers }: ChaosWorld, turn: number): ChaosWorker {
  return workers[turn % workers.length] as ChaosWorker
}

/** What everything is tried under, one after the other: each lasts about twenty seconds. */
export const schedules: readonly ChaosSchedule[] = [
  {
    name: 'kill',
    title: 'a worker is killed (SIGKILL) every 3 s and started again',
    run: async (world) => {
      for (const turn of times(6)) {
        await after(2_500)
        await workerOf(world, turn).kill()
        await after(500)
        workerOf(world, turn).start()
      }
    },
  },
  {
    name: 'pause',
    title: 'a worker stands still (SIGSTOP) for twice its session timeout, two times',
    run: async (world) => {
      for (const turn of times(2)) {
        await after(2_000)
        workerOf(world, turn).suspend()
        await after(world.sessionTimeoutMs * 2)
        workerOf(world, turn).resume()
      }
    },
  },
  {
    name: 'node',
    title: 'a Kafka node is killed, and started again 2 s later, two times',
    run: async ({ cluster }) => {
      for (const turn of times(2)) {
        await after(2_500)
        await cluster.failNode(turn, 2_000)
      }
    },
  },
  {
    name: 'rolling',
    title: 'workers are restarted one after the other (SIGTERM), three times round',
    run: async (world) => {
      for (const turn of times(3 * world.workers.length)) {
        await after(2_000)
        await workerOf(world, turn).end()
        workerOf(world, turn).start()
      }
    },
  },
  {
    name: 'join-leave',
    title: 'a third worker joins and leaves, three times',
    run: async ({ newcomer }) => {
      for (let turn = 0; turn < 3; turn++) {
        newcomer.start()
        await after(3_500)
        await newcomer.end()
        await after(2_000)
      }
    },
  },
  {
    name: 'cut',
    title: 'connections are cut between request and answer, or in the answer, 10 times',
    run: async ({ cluster }) => {
      for (const turn of times(10)) {
        await after(1_500)
        cluster.cut(turn % 2 === 0 ? 'before' : 'within')
      }
    },
  },
]
