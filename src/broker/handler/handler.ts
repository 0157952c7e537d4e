import type { Platform } from '../../platform/index.ts'
import type { Api, RequestHeader, RequestOf, ResponseInput } from '../../protocol/index.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { BrokerConfig } from '../config/index.ts'
import type { GroupCoordinator } from '../group/index.ts'
import type { TransactionCoordinator } from '../transaction/index.ts'

/** What all nodes of an embedded cluster share, and every handler may ask. */
export interface Broker {
  readonly platform: Platform
  readonly config: BrokerConfig
  readonly cluster: Cluster
  readonly groups: GroupCoordinator
  readonly transactions: TransactionCoordinator
}

/** Who is at the other end of a connection. */
export interface Peer {
  /** `User:ANONYMOUS` until somebody has authenticated. */
  readonly principal: string
  /** The address of the client, `/127.0.0.1` as Kafka writes it. */
  readonly clientHost: string
}

export interface RequestContext {
  readonly broker: Broker
  /** The node that the client asked. */
  readonly nodeId: number
  readonly header: RequestHeader
  /** The client id, or '' when there is none. */
  readonly clientId: string
  readonly peer: Peer
}

/**
 * How a node answers one API. A promise may take as long as it likes: later requests of the
 * connection wait for their turn to be answered, other connections do not wait at all.
 */
export interface Handler<A extends Api = Api> {
  readonly api: A
  /** The versions that clients are told of. */
  readonly versions: readonly [first: number, last: number]
  /** Answers undefined where the protocol has no response (Produce with acks=0). */
  handle(
    request: RequestOf<A>,
    context: RequestContext,
  ): ResponseInput<A> | undefined | Promise<ResponseInput<A> | undefined>
}

/** Declares a handler; the types of its request and response follow from the API. */
export function defineHandler<A extends Api>(handler: Handler<A>): Handler<A> {
  return handler
}
