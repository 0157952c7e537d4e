import type {
  Api,
  RequestInput,
  RequestOf,
  ResponseInput,
  ResponseOf,
} from '../../protocol/index.ts'
import { unrestrictedAccess } from '../authorization/access.ts'
import { GroupBench } from '../group/fixture/group-bench.ts'
import type { Refusal } from '../refusal.ts'
import type { Handler, RequestContext } from './handler.ts'

/**
 * Two nodes, one of which coordinates all groups, and the means to ask as clients do: through the
 * codecs, so that an answer that its version cannot carry is an error.
 */
export class GroupHandlers {
  readonly bench: GroupBench
  /** The node that coordinates all groups; undefined while there is no topic for their offsets. */
  coordinator: number | undefined = 1
  /** What the transaction coordinator says of a write. */
  admission: Refusal | undefined
  prepared = 0

  constructor(topics: Readonly<Record<string, number>> = { t: 2 }) {
    this.bench = new GroupBench(topics)
  }

  async ask<A extends Api>(
    handler: Handler<A>,
    version: number,
    request: RequestInput<A>,
    nodeId = 1,
  ): Promise<ResponseOf<A>> {
    const api: Api = handler.api
    const received = api.request.decode(api.request.encode(request, version), version)
    const answered = await handler.handle(received as RequestOf<A>, this.#context(version, nodeId))
    const sent = api.response.encode(answered as ResponseInput<A>, version)
    return api.response.decode(sent, version) as ResponseOf<A>
  }

  #context(version: number, nodeId: number): RequestContext {
    const broker = {
      cluster: this.#cluster(),
      config: { groupCoordinatorRebalanceProtocols: ['classic', 'consumer'] },
      groups: this.bench.coordinator,
      transactions: { verifyOrAddOffsets: () => this.admission },
    }
    const peer = { principal: 'User:ANONYMOUS', clientHost: '/127.0.0.1' }
    return {
      broker,
      nodeId,
      clientId: 'client',
      peer,
      header: { version },
      access: unrestrictedAccess,
    } as unknown as RequestContext
  }

  #cluster() {
    const { topics } = this.bench.ports
    const withPartitions = (topic: ReturnType<typeof topics.topic>) =>
      topic && { ...topic, partitions: Array.from({ length: topic.partitionCount }, () => ({})) }
    const { coordinator } = this
    return {
      nodes: [
        { id: 1, host: 'one', port: 9001 },
        { id: 2, host: 'two', port: 9002 },
      ],
      prepareCoordinators: () => {
        this.prepared += 1
        return Promise.resolve()
      },
      coordinator: () =>
        coordinator === undefined ? undefined : { index: 0, leader: coordinator },
      topic: (name: string) => withPartitions(topics.topic(name)),
      topicById: (id: string) => withPartitions(topics.topicById(id)),
      partition: (name: string, index: number) =>
        withPartitions(topics.topic(name))?.partitions[index],
    }
  }
}
