import type { Connection } from './connection.ts'
import type { SimulatedHost } from './host.ts'
import { calmNetwork, type NetworkConditions } from './network-conditions.ts'

/** Which of two groups of hosts do not reach each other. */
export interface PartitionOptions {
  /** Only what the first group sends to the second is held back. */
  readonly isOneWay?: boolean
}

/** The network between the hosts: its conditions, and the faults that a scenario asks for. */
export class SimulatedNetwork {
  #conditions: NetworkConditions
  readonly #initialConditions: NetworkConditions
  /** Each by the ways that it blocks. */
  readonly #partitions = new Set<ReadonlySet<string>>()
  readonly #connections = new Set<Connection>()
  #livingAtLastLook = 0

  constructor(conditions: Partial<NetworkConditions>) {
    this.#initialConditions = { ...calmNetwork, ...conditions }
    this.#conditions = this.#initialConditions
  }

  get conditions(): NetworkConditions {
    return this.#conditions
  }

  /** How many connections are open at one side at least. */
  get openConnections(): number {
    return this.#living().length
  }

  /** Changes some of the conditions, from now on. */
  change(conditions: Partial<NetworkConditions>): void {
    this.#conditions = { ...this.#conditions, ...conditions }
  }

  /**
   * Holds back everything between two groups of hosts, given by name. What is sent meanwhile
   * arrives after the partition has healed, unless somebody gives up before. Answers a function
   * that ends this partition and leaves others.
   */
  partition(
    group: readonly string[],
    other: readonly string[],
    options: PartitionOptions = {},
  ): () => void {
    const ways = new Set(group.flatMap((from) => other.map((to) => wayBetween(from, to))))
    if (options.isOneWay !== true) {
      for (const from of other) for (const to of group) ways.add(wayBetween(from, to))
    }
    this.#partitions.add(ways)
    return () => {
      if (this.#partitions.delete(ways)) this.retry()
    }
  }

  /** Ends all partitions. The conditions stay as they are. */
  heal(): void {
    this.#partitions.clear()
    this.retry()
  }

  /** Ends all partitions and goes back to the conditions of the beginning, without faults. */
  calm(): void {
    this.#conditions = { ...this.#initialConditions, resetProbability: 0, vanishProbability: 0 }
    this.heal()
  }

  /** Resets the connections between two hosts, or all of a host, for both sides. */
  reset(host: string, other?: string): void {
    for (const connection of this.#between(host, other)) connection.reset()
  }

  /** Takes away `host`'s side of its connections; the other sides are not told. */
  vanish(host: string, other?: string): void {
    for (const { client, server } of this.#between(host, other)) {
      if (client.host.name === host) client.breakOff()
      else server.breakOff()
    }
  }

  /** @internal */
  isBlocked(from: SimulatedHost, to: SimulatedHost): boolean {
    if (from === to) return false
    if (!to.isUp) return true
    if (this.#partitions.size === 0) return false
    const way = wayBetween(from.name, to.name)
    return [...this.#partitions].some((ways) => ways.has(way))
  }

  /** @internal */
  add(connection: Connection): void {
    this.#connections.add(connection)
    // Looked through now and then, so that a long simulation does not keep all it ever had.
    if (this.#connections.size > 2 * this.#livingAtLastLook + 64) this.#living()
  }

  /** @internal Something has changed: what is held back may go. */
  retry(): void {
    for (const connection of this.#living()) connection.retry()
  }

  #living(): Connection[] {
    for (const connection of this.#connections) {
      if (!connection.isOpen) this.#connections.delete(connection)
    }
    this.#livingAtLastLook = this.#connections.size
    return [...this.#connections]
  }

  #between(host: string, other: string | undefined): Connection[] {
    return this.#living().filter(({ client, server }) => {
      const names = [client.host.name, server.host.name]
      return names.includes(host) && (other === undefined || names.includes(other))
    })
  }
}

function wayBetween(from: string, to: string): string {
  return `${from}\n${to}`
}
