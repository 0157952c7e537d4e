import type { Broker, Cluster, OwnPurpose } from './cluster.ts'

const numbersInUse = new WeakMap<Cluster, Set<number>>()

/**
 * Connections that one part of a client has for itself, one to each broker that it uses: what it asks waits
 * at the broker, and whatever is asked behind it waits as well. A number tells them from those of others;
 * it is taken at the first use. `close` ends them once they have answered, and gives the number back.
 */
export class OwnConnections {
  readonly #cluster: Cluster
  readonly #kind: 'fetch' | 'group'
  readonly #used = new Set<Broker>()
  #number: number | undefined
  #isClosed = false

  constructor(cluster: Cluster, kind: 'fetch' | 'group') {
    this.#cluster = cluster
    this.#kind = kind
  }

  broker(nodeId: number): Broker {
    return this.#use(this.#cluster.broker(nodeId, this.#purpose()))
  }

  async coordinator(groupId: string): Promise<Broker> {
    return this.#use(await this.#cluster.coordinator('group', groupId, this.#purpose()))
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    for (const broker of this.#used) broker.reconnect()
    if (this.#number !== undefined) numbersInUse.get(this.#cluster)?.delete(this.#number)
  }

  #purpose(): OwnPurpose {
    this.#number ??= takeNumber(this.#cluster)
    return `${this.#kind} ${this.#number}`
  }

  #use(broker: Broker): Broker {
    if (!this.#isClosed) this.#used.add(broker)
    return broker
  }
}

/** The lowest that nobody has: so there are no more of them than parts that are open at the same time. */
function takeNumber(cluster: Cluster): number {
  let taken = numbersInUse.get(cluster)
  if (taken === undefined) numbersInUse.set(cluster, (taken = new Set()))
  let number = 1
  while (taken.has(number)) number += 1
  taken.add(number)
  return number
}
