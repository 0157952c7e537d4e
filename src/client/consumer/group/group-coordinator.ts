import type { Api, ResponseOf } from '../../../protocol/index.ts'
import { kafkaError } from '../../../protocol/index.ts'
import { ConnectionError } from '../../client-error.ts'
import type { Broker, Cluster, RequestBody, RequestOptions } from '../../cluster/cluster.ts'
import { OwnConnections } from '../../cluster/own-connections.ts'

/** The way of one member to the coordinator of its group, wherever it is at the moment. */
export class GroupCoordinator {
  readonly #cluster: Cluster
  readonly #groupId: string
  readonly #joins: OwnConnections
  /** Requests that wait and are not answered yet. */
  #waiting = 0

  constructor(cluster: Cluster, groupId: string) {
    this.#cluster = cluster
    this.#groupId = groupId
    this.#joins = new OwnConnections(cluster, 'group')
  }

  /** Asks what is answered at once. */
  request<A extends Api>(
    api: A,
    body: RequestBody<A>,
    options?: RequestOptions,
  ): Promise<ResponseOf<A>> {
    return this.#send(() => this.broker(), api, body, options)
  }

  /**
   * Asks what waits for other members, over a connection on which it keeps nobody waiting. When the last such
   * request is not answered yet, it goes over a new connection: on the old one it would wait behind it.
   */
  async requestThatWaits<A extends Api>(
    api: A,
    body: RequestBody<A>,
    options?: RequestOptions,
  ): Promise<ResponseOf<A>> {
    const isFirst = this.#waiting === 0
    this.#waiting += 1
    try {
      const find = (): Promise<Broker> => this.#joins.coordinator(this.#groupId)
      if (!isFirst) (await find()).reconnect()
      return await this.#send(find, api, body, options)
    } finally {
      this.#waiting -= 1
    }
  }

  broker(): Promise<Broker> {
    return this.#cluster.coordinator('group', this.#groupId, 'main')
  }

  /** It is looked up when next asked for. */
  forget(): void {
    this.#cluster.forgetCoordinator('group', this.#groupId)
  }

  /** Nothing more is asked that waits. */
  close(): void {
    this.#joins.close()
  }

  /** Whether the code says that the coordinator has moved or is not ready. If it has moved it is looked up anew. */
  isElsewhere(code: number): boolean {
    if (code === kafkaError.COORDINATOR_LOAD_IN_PROGRESS) return true
    if (code !== kafkaError.NOT_COORDINATOR && code !== kafkaError.COORDINATOR_NOT_AVAILABLE) {
      return false
    }
    this.forget()
    return true
  }

  async #send<A extends Api>(
    find: () => Promise<Broker>,
    api: A,
    body: RequestBody<A>,
    options: RequestOptions | undefined,
  ): Promise<ResponseOf<A>> {
    try {
      const broker = await find()
      return await broker.request(api, body, options)
    } catch (error) {
      if (error instanceof ConnectionError) this.forget()
      throw error
    }
  }
}
