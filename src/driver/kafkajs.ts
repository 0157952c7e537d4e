import {
  resolveFetchOptions,
  resolveGroupOptions,
  resolveProducerOptions,
} from '../client/index.ts'
import type { ProducerOptions } from '../client/index.ts'
import { MillraceError, OptionError } from '../errors.ts'
import { silentLog } from '../observe/index.ts'
import type { Log } from '../observe/index.ts'
import { createNodePlatform } from '../platform/index.ts'
import type { Platform } from '../platform/index.ts'
import type { Driver, DriverAdmin, RecordSink, RecordSource, SourceOptions } from './driver.ts'
import { KafkaJsDriverAdmin } from './kafkajs/kafkajs-admin.ts'
import type { AdminConnection } from './kafkajs/kafkajs-admin.ts'
import type { KafkaJs, KafkaJsRetry } from './kafkajs/kafkajs-api.ts'
import { KafkaJsCommits } from './kafkajs/kafkajs-commits.ts'
import { KafkaJsConnection } from './kafkajs/kafkajs-connection.ts'
import { kafkaJsFeatures } from './kafkajs/kafkajs-features.ts'
import { GroupEvents } from './kafkajs/kafkajs-group.ts'
import { KafkaJsOffsets } from './kafkajs/kafkajs-offsets.ts'
import { KafkaJsSink } from './kafkajs/kafkajs-sink.ts'
import { KafkaJsSource } from './kafkajs/kafkajs-source.ts'
import { PartitionChoice } from './kafkajs/partition-choice.ts'
import { PlaceFinder } from './kafkajs/place-finder.ts'

/** A codec that kafkajs has not by itself. */
export type KafkaJsCodec = 'snappy' | 'lz4' | 'zstd'

export interface KafkaJsDriverOptions {
  /** Codecs that were registered with kafkajs (`CompressionCodecs`), for writing. Reading finds out by itself. @defaultValue none */
  readonly codecs?: readonly KafkaJsCodec[]
  /** How consumers and producers of kafkajs try again. @defaultValue as the instance of kafkajs says */
  readonly retry?: KafkaJsRetry
  /** How old kafkajs' knowledge of topics may be until new partitions are noticed. @defaultValue 300000 */
  readonly metadataMaxAgeMs?: number
  /** What the driver itself has to tell. kafkajs has a log of its own. @defaultValue nothing is told */
  readonly log?: Log
  readonly platform?: Platform
}

/** What an option of a source asks for that kafkajs has not. */
const missing = [
  ['groupInstanceId', 'staticMembership'],
  ['remoteAssignor', 'consumerProtocol'],
  ['assignors', 'assignors'],
] as const

/** Kafka through an instance of kafkajs. */
class KafkaJsDriver implements Driver {
  readonly name = 'kafkajs'
  readonly features = kafkaJsFeatures
  readonly #kafka: KafkaJs
  readonly #options: KafkaJsDriverOptions
  readonly #platform: Platform
  readonly #log: Log
  readonly #adminConnection: AdminConnection
  readonly #admin: DriverAdmin
  readonly #made = new Set<RecordSource | RecordSink>()

  constructor(kafka: KafkaJs, options: KafkaJsDriverOptions) {
    this.#kafka = kafka
    this.#options = options
    this.#platform = options.platform ?? createNodePlatform()
    this.#log = options.log ?? silentLog
    const retry = options.retry === undefined ? {} : { retry: options.retry }
    this.#adminConnection = new KafkaJsConnection(kafka.admin(retry), this.#platform.clock)
    this.#admin = new KafkaJsDriverAdmin(this.#adminConnection)
  }

  source(options: SourceOptions): RecordSource {
    this.#refuseMissing(options)
    const { groupId } = options
    if (typeof groupId !== 'string' || groupId === '') {
      throw new OptionError('groupId', 'is missing')
    }
    const { clock } = this.#platform
    const fetch = resolveFetchOptions({ ...options })
    const member = resolveGroupOptions({ ...options }, groupId, undefined)
    const group = new GroupEvents(groupId)
    const consumer = this.#kafka.consumer({
      groupId,
      sessionTimeout: member.sessionTimeoutMs,
      rebalanceTimeout: member.rebalanceTimeoutMs,
      heartbeatInterval: member.heartbeatIntervalMs,
      maxBytesPerPartition: fetch.partitionFetchBytesMax,
      minBytes: fetch.fetchBytesMin,
      maxBytes: Math.min(fetch.fetchBytesMax, fetch.bufferedBytesMax),
      maxWaitTimeInMs: fetch.fetchWaitMsMax,
      readUncommitted: fetch.isolation === 'read_uncommitted',
      allowAutoTopicCreation: false,
      ...(this.#options.metadataMaxAgeMs !== undefined && {
        metadataMaxAge: this.#options.metadataMaxAgeMs,
      }),
      retry: this.#consumerRetry(group),
    })
    const commits = new KafkaJsCommits({
      clock,
      groupId,
      consumer,
      generation: () => group.generation,
      memberId: () => group.memberId,
      isOurs: (partition) => group.isOurs(partition),
    })
    group.attach(consumer, commits)
    const offsets = new KafkaJsOffsets(this.#adminConnection)
    const source = new KafkaJsSource({
      clock,
      log: this.#log,
      groupId,
      heartbeatIntervalMs: member.heartbeatIntervalMs,
      callbacks: options,
      consumer,
      offsets,
      places: new PlaceFinder({
        clock,
        groupId,
        offsetReset: fetch.offsetReset,
        offsets,
        isCommitted: (offset) => commits.isCommitted(offset),
      }),
      commits,
      group,
    })
    this.#made.add(source)
    return source
  }

  transactionalSink(): never {
    throw noTransactions()
  }

  reader(): never {
    throw noTransactions()
  }

  sink(options: ProducerOptions = {}): RecordSink {
    if (options.idempotent === true) {
      const reason = kafkaJsFeatures.idempotentWrites
      throw new OptionError(
        'idempotent',
        `(true) is not possible with the driver kafkajs: ${reason}`,
      )
    }
    if (options.createTopics === true) {
      const reason = 'make topics by its admin'
      throw new OptionError(
        'createTopics',
        `(true) is not possible with the driver kafkajs: ${reason}`,
      )
    }
    const resolved = resolveProducerOptions({ ...options, idempotent: false })
    this.#checkCodec(resolved.compression)
    const { clock } = this.#platform
    const { retry } = this.#options
    const producer = this.#kafka.producer({
      allowAutoTopicCreation: false,
      createPartitioner:
        () =>
        ({ message }) =>
          message.partition ?? 0,
      ...(retry !== undefined && { retry }),
    })
    const sink = new KafkaJsSink({
      clock,
      producer: new KafkaJsConnection(producer, clock),
      choice: new PartitionChoice(clock, this.#admin, resolved.partitioner),
      options: resolved,
    })
    this.#made.add(sink)
    return sink
  }

  admin(): DriverAdmin {
    return this.#admin
  }

  async close(): Promise<void> {
    await Promise.all([...this.#made].map((each) => each.close()))
    await this.#adminConnection.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** One that was closed must not join again. */
  #consumerRetry(group: GroupEvents): KafkaJsRetry {
    const { retry = {} } = this.#options
    const { restartOnFailure } = retry
    return {
      ...retry,
      restartOnFailure: async (error) => {
        const mayRestart = (await restartOnFailure?.(error)) ?? true
        return mayRestart && !group.isClosed
      },
    }
  }

  #refuseMissing(options: SourceOptions): void {
    for (const [option, feature] of missing) {
      if (options[option] === undefined) continue
      throw new OptionError(option, `is not possible with the driver kafkajs: ${reasonOf(feature)}`)
    }
    if (options.groupProtocol === 'consumer') {
      const problem = `('consumer') is not possible with the driver kafkajs: ${reasonOf('consumerProtocol')}`
      throw new OptionError('groupProtocol', problem)
    }
  }

  #checkCodec(compression: string): void {
    if (compression === 'none' || compression === 'gzip') return
    if (this.#options.codecs?.some((codec) => codec === compression) === true) return
    const problem = `('${compression}') needs a codec that is registered with kafkajs, and named in the driver's codecs`
    throw new OptionError('compression', problem)
  }
}

function reasonOf(feature: keyof typeof kafkaJsFeatures): string {
  return String(kafkaJsFeatures[feature])
}

/**
 * Makes a driver of an instance of kafkajs 2.x, which knows the brokers and the login: at-least-once, without what its
 * features say.
 *
 * @example
 * const driver = createKafkaJsDriver(new Kafka({ clientId: 'fulfilment', brokers: ['localhost:9092'] }))
 */
export function createKafkaJsDriver(kafka: KafkaJs, options: KafkaJsDriverOptions = {}): Driver {
  return new KafkaJsDriver(kafka, options)
}

function noTransactions(): MillraceError {
  const problem = `transactions are not possible with the kafkajs driver: ${String(kafkaJsFeatures.transactions)}`
  return new MillraceError('MILLRACE_CLIENT_UNSUPPORTED', problem)
}
