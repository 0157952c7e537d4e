import type { Log, Logger } from '../observe/index.ts'
import type { Platform } from '../platform/index.ts'
import type { BrokerAddress } from './broker-address.ts'
import type { SaslOptions } from './connection/sasl/sasl-options.ts'

export interface TlsOptions {
  /** Certificates of the authorities to trust, in PEM. @defaultValue the well-known authorities */
  readonly authorities?: string | readonly string[]
  /** The client's own certificate, in PEM, for brokers that ask for one. */
  readonly certificate?: string
  /** The key of `certificate`, in PEM. */
  readonly privateKey?: string
  /** What `privateKey` is encrypted with. */
  readonly passphrase?: string
  /** The name that the brokers' certificates are valid for. @defaultValue the host connected to */
  readonly serverName?: string
}

/** How a client finds its cluster, and how long it waits for what. */
export interface ClientOptions {
  /**
   * Addresses to begin with, `'kafka-1:9093,kafka-2:9093'` or a list; an IPv6 address in brackets.
   * Two or three are enough. Without a port it is 9092.
   */
  readonly brokers: string | readonly string[]
  /** What the brokers call this client in logs, metrics and quotas. @defaultValue 'millrace' */
  readonly clientId?: string
  /**
   * TLS, with the well-known authorities or with options, for all brokers alike: Kafka has them
   * advertise the kind of address that they were asked at.
   * @defaultValue true, unless all `brokers` are loopback addresses, or `allowPlaintext` is said
   */
  readonly tls?: boolean | TlsOptions
  readonly sasl?: SaslOptions
  /** Without TLS, allows plain text also to brokers that are not on this machine. @defaultValue false */
  readonly allowPlaintext?: boolean
  /** For a connection with TLS and login to stand. @defaultValue 10000 */
  readonly connectTimeoutMs?: number
  /** For a request to be answered. @defaultValue 30000 */
  readonly requestTimeoutMs?: number
  /** The first pause before something is tried again; each next one is twice as long. @defaultValue 100 */
  readonly retryBackoffMs?: number
  /** The longest pause before something is tried again. @defaultValue 1000 */
  readonly retryBackoffMsMax?: number
  /** After this time metadata is asked for again without a cause. @defaultValue 300000 */
  readonly metadataMaxAgeMs?: number
  /** Requests that may wait for an answer on one connection. @defaultValue 64 */
  readonly requestsInFlightMax?: number
  /** Bytes that may be queued to be sent on one connection. @defaultValue 67108864 */
  readonly bytesInFlightMax?: number
  /** A connection that carried nothing for so long is closed. @defaultValue 540000 */
  readonly connectionIdleMsMax?: number
  /** The largest response that is taken. @defaultValue 134217728 */
  readonly responseBytesMax?: number
  /** Where this client is, to read from replicas nearby. */
  readonly rack?: string
  /**
   * Where messages for operators go: a function, or a logger such as pino's.
   * @defaultValue JSON lines on standard error, from `info` up
   */
  readonly log?: Log | Logger
  /** The world that the client lives in. @defaultValue this machine */
  readonly platform?: Platform
}

export interface ResolvedTlsOptions {
  readonly authorities?: readonly string[]
  readonly certificate?: string
  readonly privateKey?: string
  readonly passphrase?: string
  readonly serverName?: string
}

/** The options with every default in place. */
export interface ResolvedClientOptions {
  readonly brokers: readonly BrokerAddress[]
  readonly clientId: string
  /** Undefined is plain text: to this machine only, unless `allowPlaintext` is true. */
  readonly tls: ResolvedTlsOptions | undefined
  readonly sasl: SaslOptions | undefined
  readonly allowPlaintext: boolean
  readonly connectTimeoutMs: number
  readonly requestTimeoutMs: number
  readonly retryBackoffMs: number
  readonly retryBackoffMsMax: number
  readonly metadataMaxAgeMs: number
  readonly requestsInFlightMax: number
  readonly bytesInFlightMax: number
  readonly connectionIdleMsMax: number
  readonly responseBytesMax: number
  readonly rack: string | undefined
}

export type { BrokerAddress }
