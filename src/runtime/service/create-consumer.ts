import type { SeekTarget, TopicPartition } from '../../client/index.ts'
import { OptionError } from '../../errors.ts'
import type { ConsumerOptions } from './consumer-options.ts'
import type { RecordHandler } from './record-consumer.ts'
import { createService } from './service.ts'
import type { ServiceOptions, StopOptions } from './service-options.ts'
import type { Service, ServiceExtensions } from './service.ts'

type OfService = Pick<
  ServiceOptions,
  | 'kafka'
  | 'connectTimeoutMs'
  | 'topicPolicy'
  | 'doWithout'
  | 'metrics'
  | 'signals'
  | 'log'
  | 'platform'
>

/** A consumer of records as they are. */
export interface RecordConsumerOptions extends OfService, ConsumerOptions {
  readonly groupId: string
  /** The topics that it reads; or `pattern`. */
  readonly topics?: string | readonly string[]
  /** Reads all topics whose names match, also those that come later. */
  readonly pattern?: RegExp
  readonly handler: RecordHandler
}

/**
 * A consumer without contracts, with everything that a service's has: lanes, retries, dead letters, commits.
 *
 * **new** → **connected** (`connect`) → **running** (`run`) → **disconnected** (`disconnect`, a signal, or a failure).
 */
export class RecordReader implements AsyncDisposable {
  readonly #service: Service

  /** Use `createConsumer`. */
  constructor(service: Service) {
    this.#service = service
  }

  /** Waits for the cluster and makes sure that its topics are there; `run` does it by itself. */
  connect(): Promise<void> {
    return this.#service.connect()
  }

  /** Reads until `disconnect` or a signal; rejects when something fails that nobody can mend here. */
  run(): Promise<void> {
    return this.#service.run()
  }

  /** Ends in order: what runs may end, what has ended is committed, the group is left. */
  disconnect(options?: StopOptions): Promise<void> {
    return this.#service.stop(options)
  }

  /** Starts nothing more of these partitions, or of all, until they are resumed; what runs goes on. */
  pause(partitions?: readonly TopicPartition[]): void {
    this.#service.pause(partitions)
  }

  resume(partitions?: readonly TopicPartition[]): void {
    this.#service.resume(partitions)
  }

  /** Goes on elsewhere in a partition; see `Service.seek`. */
  seek(partition: TopicPartition, target: SeekTarget): Promise<void> {
    return this.#service.seek(partition, target)
  }

  /** Lets partitions that were stopped try again; answers which. */
  resumeStopped(): readonly TopicPartition[] {
    return this.#service.resumeStopped()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.disconnect()
  }
}

/** Makes a consumer without contracts, of the runtime alone; with exactly-once it is `createConsumer` of `millrace`. */
export function createConsumer(
  options: RecordConsumerOptions,
  extensions?: ServiceExtensions,
): RecordReader {
  const { kafka, topics, pattern, handler, metrics = false, ...rest } = options
  const { connectTimeoutMs, topicPolicy, doWithout, signals, log, platform, ...consuming } = rest
  if (typeof consuming.groupId !== 'string') {
    throw new OptionError('groupId', 'is missing: whose offsets are kept?')
  }
  if ((topics === undefined) === (pattern === undefined)) {
    throw new OptionError('topics', 'or pattern must be given, one of them')
  }
  const service = createService(
    {
      name: consuming.groupId,
      kafka,
      metrics,
      ...(connectTimeoutMs !== undefined && { connectTimeoutMs }),
      ...(topicPolicy !== undefined && { topicPolicy }),
      ...(doWithout !== undefined && { doWithout }),
      ...(signals !== undefined && { signals }),
      ...(log !== undefined && { log }),
      ...(platform !== undefined && { platform }),
    },
    extensions,
  )
  service.records(pattern ?? topics ?? [], handler, consuming)
  return new RecordReader(service)
}
