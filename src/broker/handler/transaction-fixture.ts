import type {
  Api,
  RequestInput,
  RequestOf,
  ResponseInput,
  ResponseOf,
} from '../../protocol/index.ts'
import type { Cluster, Partition } from '../cluster/cluster.ts'
import { TestCluster } from '../transaction/coordinator-fixture.ts'
import type { Handler, RequestContext } from './handler.ts'

interface TransactionHandlersOptions {
  /** The partitions that there are. */
  readonly names?: readonly string[]
  /** What a partition of the cluster is, by `topic-index`, besides being led by node 1. */
  readonly partitions?: Readonly<Record<string, Partial<Partition>>>
}

/** A transaction coordinator on node 1 of two, and the means to ask as clients do. */
export interface TransactionHandlers {
  readonly around: TestCluster
  /** Sends a request through the codecs, to the handler and back. */
  readonly ask: <A extends Api>(
    handler: Handler<A>,
    version: number,
    request: RequestInput<A>,
    nodeId?: number,
  ) => Promise<ResponseOf<A>>
}

export async function createTransactionHandlers(
  options: TransactionHandlersOptions = {},
): Promise<TransactionHandlers> {
  const around = await TestCluster.started(options.names)
  const leader = 1
  const cluster: Pick<Cluster, 'coordinator' | 'partition' | 'prepareCoordinators' | 'topic'> = {
    prepareCoordinators: async (kind) => {
      if (kind === 'group') around.addPartition('__consumer_offsets-0')
      await Promise.resolve()
    },
    coordinator: () => ({ index: 0, leader }) as Partition,
    partition: (topic, index) => {
      const name = `${topic}-${index}`
      if (!around.partitions.has(name)) return undefined
      return { index, leader, replicas: [leader], ...options.partitions?.[name] } as Partition
    },
    topic: (name) => {
      const partitions: Partition[] = []
      for (let index = 0; ; index += 1) {
        const partition = cluster.partition(name, index)
        if (partition === undefined) break
        partitions.push(partition)
      }
      return partitions.length === 0 ? undefined : ({ name, partitions } as never)
    },
  }
  return {
    around,
    async ask<A extends Api>(
      handler: Handler<A>,
      version: number,
      request: RequestInput<A>,
      nodeId = 1,
    ) {
      const broker = { cluster, transactions: around.coordinator }
      const context = { broker, nodeId, header: { version } } as unknown as RequestContext
      const api: Api = handler.api
      const received = api.request.decode(api.request.encode(request, version), version)
      const answered = await handler.handle(received as RequestOf<A>, context)
      const sent = api.response.encode(answered as ResponseInput<A>, version)
      return api.response.decode(sent, version) as ResponseOf<A>
    },
  }
}
