import type { Platform } from '../../platform/index.ts'
import type { Log } from '../../observe/index.ts'
import type { Api, RequestHeader, RequestOf, ResponseInput } from '../../protocol/index.ts'
import type { Access } from '../authorization/access.ts'
import type { Authorizer } from '../authorization/authorizer.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { BrokerConfig } from '../config/index.ts'
import type { GroupCoordinator } from '../group/index.ts'
import type { Users } from '../security/users.ts'
import type { closeConnection } from '../server/interception.ts'
import type { BrokerBuffers, ReusedBuffers } from '../reused-buffers.ts'
import type { Session } from '../server/session.ts'
import type { ShareCoordinator, ShareSessions } from '../share/index.ts'
import type { TransactionCoordinator } from '../transaction/index.ts'
import type { Feature } from './features.ts'
import type { FetchSessions } from './fetch-sessions.ts'

/** What all nodes of an embedded cluster share, and every handler may ask. */
export interface Broker {
  readonly platform: Platform
  readonly log: Log
  readonly config: BrokerConfig
  readonly cluster: Cluster
  readonly groups: GroupCoordinator
  readonly transactions: TransactionCoordinator
  readonly shares: ShareCoordinator
  readonly shareSessions: ShareSessions
  readonly fetchSessions: FetchSessions
  /** Who may do what; undefined where everybody may do everything. */
  readonly authorizer: Authorizer | undefined
  /** The APIs that are served, for ApiVersions. */
  readonly served: readonly ServedApi[]
  /** What the cluster can do besides, and at which levels. */
  readonly features: readonly Feature[]
  /** For large requests and responses; undefined where records are kept in memory. */
  readonly buffers: BrokerBuffers | undefined
}

export interface ServedApi {
  readonly key: number
  readonly versions: readonly [first: number, last: number]
}

/** Who is at the other end of a connection. */
export type Peer = Pick<Session, 'principal' | 'clientHost'>

export interface RequestContext {
  readonly broker: Broker
  /** The node that the client asked. */
  readonly nodeId: number
  /** Who may log in; undefined where nobody need. */
  readonly users: Users | undefined
  readonly header: RequestHeader
  /** The client id, or '' when there is none. */
  readonly clientId: string
  readonly peer: Peer
  readonly session: Session
  /** What the client may do. */
  readonly access: Access
  /**
   * Lets the next request of the connection begin before this one is answered. For a handler whose
   * effect is in place and which only waits for it to become durable.
   */
  readonly proceed: () => void
  /**
   * Says that nothing of the request is needed once it is answered. For a handler that has kept no
   * bytes of it; the next request may be read to where they lie.
   */
  readonly keptNothing: () => void
  /**
   * What a handler may read into whose answer nobody keeps. Undefined where there are no such buffers,
   * and where interceptors may keep the answer.
   */
  readonly readBuffers: ReusedBuffers | undefined
}

/** What a handler answers; undefined where the protocol has no response (Produce with acks=0). */
export type HandlerAnswer<A extends Api> = ResponseInput<A> | undefined | typeof closeConnection

/**
 * How a node answers one API. A promise may take as long as it likes: later requests of the
 * connection wait for their turn, other connections do not wait at all.
 */
export interface Handler<A extends Api = Api> {
  readonly api: A
  /** The versions that clients are told of. */
  readonly versions: readonly [first: number, last: number]
  handle(
    request: RequestOf<A>,
    context: RequestContext,
  ): HandlerAnswer<A> | Promise<HandlerAnswer<A>>
}

/** Declares a handler; the types of its request and response follow from the API. */
export function defineHandler<A extends Api>(handler: Handler<A>): Handler<A> {
  return handler
}
