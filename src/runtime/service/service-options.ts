import type { ClientOptions } from '../../client/index.ts'
import type { TopicContract } from '../../contract/index.ts'
import type { Driver } from '../../driver/index.ts'
import type { Log, Logger } from '../../observe/index.ts'
import type { Platform } from '../../platform/index.ts'
import type { DriverPromise } from '../start/driver-promises.ts'
import type { TopicPolicy } from '../start/topic-policy.ts'

export interface ServiceOptions {
  /** Who it is: the group of its consumers, and the source of what it sends. */
  readonly name: string
  /** The way to Kafka: as `createClient` takes it, or a driver. */
  readonly kafka: ClientOptions | Driver
  /** Topics that it publishes to, beside those that it consumes. */
  readonly topics?: readonly TopicContract[]
  /** How long it waits for a broker to answer when it starts. @defaultValue 30000 */
  readonly connectTimeoutMs?: number
  /**
   * What is done at start about topics that are missing, or not as their contract says.
   * @defaultValue missing ones are created where all brokers are on this machine, else refused; differences are warned about
   */
  readonly topicPolicy?: TopicPolicy
  /** What a driver need not promise; without this each of it is refused at start, by name. */
  readonly doWithout?: readonly DriverPromise[]
  /** Where metrics and health are served; `false` for nowhere. @defaultValue { port: 9464, host: '127.0.0.1' } */
  readonly metrics?: false | { readonly port?: number; readonly host?: string }
  /** Whether SIGTERM and SIGINT end it in order while `run` is on. @defaultValue true */
  readonly signals?: boolean
  /** A pino-like logger, or a function. @defaultValue JSON lines on standard error */
  readonly log?: Logger | Log
  readonly platform?: Platform
}

export interface StopOptions {
  /** How long what runs may take to end. @defaultValue the `drainMs` of each consumer */
  readonly drainMs?: number
  /** Whether static members leave the group too. @defaultValue false */
  readonly leave?: boolean
}
