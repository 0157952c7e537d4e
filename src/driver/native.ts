import { createClient } from '../client/index.ts'
import type {
  Admin,
  Client,
  ClientOptions,
  FetchOptions,
  ProducerOptions,
  TransactionalProducerOptions,
} from '../client/index.ts'
import type {
  Driver,
  DriverFeatures,
  LogReader,
  RecordSink,
  RecordSource,
  SourceOptions,
  TransactionalSink,
} from './driver.ts'

const features: DriverFeatures = {
  commitMetadata: true,
  awaitedRevocation: true,
  partitionPause: true,
  exactReadCommitted: true,
  idempotentWrites: true,
  transactions: true,
  fencedCommits: true,
  toldOffsetLoss: true,
  logIdentity: true,
  exactHeaders: true,
  staticMembership: true,
  consumerProtocol: true,
  assignors: true,
  topicPatterns: true,
}

/** Kafka through our own client, which keeps every promise of the port. */
export class NativeDriver implements Driver {
  readonly name = 'native'
  readonly features = features
  readonly #client: Client

  /** Use `createNativeDriver`. */
  constructor(client: Client) {
    this.#client = client
  }

  source(options: SourceOptions): RecordSource {
    return this.#client.consumer(options)
  }

  reader(options: FetchOptions): LogReader {
    return this.#client.consumer(options)
  }

  sink(options?: ProducerOptions): RecordSink {
    return this.#client.producer(options)
  }

  transactionalSink(options: TransactionalProducerOptions): TransactionalSink {
    return this.#client.transactionalProducer(options)
  }

  admin(): Admin {
    return this.#client.admin()
  }

  close(): Promise<void> {
    return this.#client.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

/** The driver that is used unless another is named. */
export function createNativeDriver(options: ClientOptions): NativeDriver {
  return new NativeDriver(createClient(options))
}
