import type { Log } from '../../observe/index.ts'
import type { Platform } from '../../platform/index.ts'
import type { Api, RequestInput, ResponseOf } from '../../protocol/index.ts'
import type { ResolvedClientOptions } from '../options.ts'
import type { ClusterMetadata } from './metadata.ts'

/**
 * Connections that only one part of a client uses, see `OwnConnections`: a consumer for its long polls, a member
 * of a group for joins, which wait until the others have joined, perhaps over the same client.
 */
export type OwnPurpose = `fetch ${number}` | `group ${number}`

/**
 * Which of the connections to a broker a request goes over. Kafka answers the requests of a
 * connection one after another, so what may wait at the broker has a connection of its own: a long
 * poll, or a join, never delays a record, a commit or a heartbeat.
 */
export type ConnectionPurpose =
  | 'main'
  | 'produce'
  /** Fetches that do not wait at the broker. */
  | 'fetch'
  | 'transaction'
  /** Administration: topics are created, deleted and elected for within the request. */
  | 'admin'
  | OwnPurpose

/** What a coordinator coordinates. */
export type CoordinatorKind = 'group' | 'transaction'

export interface RequestOptions {
  /**
   * How long to wait for the answer, from the call on.
   * @defaultValue the client's `requestTimeoutMs`
   */
  readonly timeoutMs?: number
  /** The highest version to use, where a newer one means something else. */
  readonly versionMax?: number
  /** The lowest version that can say what is meant; a broker without it: MILLRACE_CLIENT_UNSUPPORTED. */
  readonly versionMin?: number
}

/** A body, or what makes it for the version that is used on the connection. */
export type RequestBody<A extends Api> = RequestInput<A> | ((version: number) => RequestInput<A>)

/**
 * A broker as a place to send requests to. It connects when it is first used and again after the
 * connection was lost; the order of requests of one purpose is the order of the calls.
 */
export interface Broker {
  readonly nodeId: number
  /**
   * Sends a request and answers its response. Rejects with a `ConnectionError` whose `wasSent`
   * tells whether the broker may have acted on it, or a MillraceError for what no retry helps.
   * Error codes within the response are the caller's business; throttle times are honoured here.
   */
  request<A extends Api>(
    api: A,
    body: RequestBody<A>,
    options?: RequestOptions,
  ): Promise<ResponseOf<A>>
  /** Sends a request that has no response (Produce with acks 0); resolves when it is handed over. */
  send<A extends Api>(api: A, body: RequestBody<A>, options?: RequestOptions): Promise<void>
  /** The version that a request would use; connects to learn it. */
  version(api: Api, options?: RequestOptions): Promise<number>
  /**
   * The level of a feature that the cluster has finalized (`transaction.version`, `group.version`);
   * 0 where there is none.
   */
  featureLevel(feature: string): Promise<number>
  /** Asks over a new connection from now on; what was asked before is still waited for. */
  reconnect(): void
}

/** Keeps topics in the metadata until it is released. */
export interface TopicWatch {
  /** Replaces the topics. `'all'` is every topic of the cluster. */
  change(topics: Iterable<string> | 'all'): void
  release(): void
}

/**
 * What producers, consumers and administration know of a cluster: its metadata, and brokers to talk
 * to. One per client; all that the client makes share it.
 */
export interface Cluster {
  readonly options: ResolvedClientOptions
  readonly platform: Platform
  readonly log: Log
  /** The last metadata. Never changed: a refresh puts another in its place. */
  readonly metadata: ClusterMetadata
  /**
   * Asks for metadata; those who ask while a request waits to be sent share it. What is answered was
   * asked for after the call. Rejects when no broker answers within `requestTimeoutMs`, or the signal aborts.
   */
  refreshMetadata(signal?: AbortSignal): Promise<ClusterMetadata>
  /** Aborts when the cluster is closed: nothing more is tried. */
  readonly closed: AbortSignal
  /** Asks for metadata soon, in the background, because something showed that the last is stale. */
  metadataIsStale(): void
  /** Takes a leader that a response named (KIP-951), when its epoch is newer than what is known. */
  takeLeader(
    topic: string,
    partition: number,
    leaderId: number,
    leaderEpoch: number,
    endpoint?: { readonly host: string; readonly port: number; readonly rack: string | null },
  ): void
  /**
   * Keeps topics in the metadata from the next refresh on; does not refresh by itself. With
   * `createMissing` the broker is asked to create topics that are not there.
   */
  watchTopics(
    topics: Iterable<string> | 'all',
    options?: { readonly createMissing?: boolean },
  ): TopicWatch
  /** Calls `listener` after each change of the metadata; the function that is answered ends it. */
  onMetadata(listener: (metadata: ClusterMetadata) => void): () => void
  /** A broker that the metadata knows, over its connection for `purpose`. */
  broker(nodeId: number, purpose: ConnectionPurpose): Broker
  /** Some broker that can be reached. */
  anyBroker(): Promise<Broker>
  /** The broker that takes what changes the cluster. */
  controller(): Promise<Broker>
  /** The coordinator of a group or a transactional id; looked up once, until it is forgotten. */
  coordinator(kind: CoordinatorKind, key: string, purpose: ConnectionPurpose): Promise<Broker>
  /** The coordinator said that it is none, or cannot be reached: it is looked up when next asked for. */
  forgetCoordinator(kind: CoordinatorKind, key: string): void
}
