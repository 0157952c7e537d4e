import type { ClientOptions, RecordResult } from '../../client/index.ts'
import type { DataOf, EventContract, TopicContract } from '../../contract/index.ts'
import { createNativeDriver } from '../../driver/index.ts'
import type { Driver, RecordSink } from '../../driver/index.ts'
import { MillraceError, OptionError } from '../../errors.ts'
import {
  createConsoleLog,
  createHealth,
  createMetrics,
  observeRoutes,
  runtimeMetrics,
  startHttpServer,
  toLog,
} from '../../observe/index.ts'
import type { Health, HttpServer, Log, Logger, Metrics } from '../../observe/index.ts'
import { optionsOf, text, wholeNumber } from '../../option-checks.ts'
import { createNodePlatform } from '../../platform/index.ts'
import type { Platform } from '../../platform/index.ts'
import { memoryDedupeStore } from '../../store/index.ts'
import { assembleConsumer } from '../assemble.ts'
import type { ConsumerSettings } from '../assemble.ts'
import { Alone } from '../lanes/alone.ts'
import { countEvents, observeConsumer } from '../consumer-metrics.ts'
import type { ConsumerRun } from '../consumer-run.ts'
import type { Step } from '../outcome.ts'
import { Dedupe } from '../steps/dedupe.ts'
import { RecordMetrics } from '../steps/measure.ts'
import { eventIn } from '../steps/decode.ts'
import { resolveConsumerOptions } from './consumer-options.ts'
import type { ConsumerOptions } from './consumer-options.ts'
import type { PublishOptions } from './handler-context.ts'
import { onEndSignal } from './process-signals.ts'
import { Publisher } from './publisher.ts'
import type { Outgoing } from './publisher.ts'
import { ServiceConsumer } from './service-consumer.ts'

export interface ServiceOptions {
  /** Who it is: the group of its consumers, and the source of what it sends. */
  readonly name: string
  /** The way to Kafka: as `createClient` takes it, or a driver. */
  readonly kafka: ClientOptions | Driver
  /** Topics that it publishes to, beside those that it consumes. */
  readonly topics?: readonly TopicContract[]
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

const optionNames = ['name', 'kafka', 'topics', 'metrics', 'signals', 'log', 'platform']
const metricsPort = 9_464

interface Definition {
  readonly consumer: ServiceConsumer
  readonly settings: ConsumerSettings
}

/**
 * A service on Kafka: consumers, a publisher, metrics and health, as one thing that starts and ends.
 *
 * - **defined**: consumers are added.
 * - **running** (`run` or `start`).
 * - **stopping** (`stop`, a signal, or a failure): not ready, nothing new starts, what runs may end; then groups are
 *   left, and the producer and the server are closed, in this order.
 * - **stopped**.
 */
export class Service implements AsyncDisposable {
  readonly name: string
  readonly metrics: Metrics = createMetrics()
  readonly health: Health
  readonly #options: ServiceOptions
  readonly #platform: Platform
  readonly #log: Log
  readonly #driver: Driver
  readonly #steps: Step[] = []
  readonly #definitions: Definition[] = []
  readonly #alone = new Alone()
  readonly #processId: string
  #runs: ConsumerRun[] = []
  #sink: RecordSink | undefined
  #publisher: Publisher | undefined
  #server: HttpServer | undefined
  #state: 'defined' | 'running' | 'stopping' | 'stopped' = 'defined'
  #stopping: Promise<void> | undefined
  #failure: Error | undefined
  #reading: Promise<unknown> = Promise.resolve()
  #isClean = true

  /** Use `createService`. */
  constructor(options: ServiceOptions) {
    const given = optionsOf(options, '', optionNames)
    const name = text(given, 'name')
    if (name === undefined) throw new OptionError('name', 'is missing: who is this service?')
    this.name = name
    this.#options = options
    this.#platform = options.platform ?? createNodePlatform()
    this.#log = options.log === undefined ? createConsoleLog() : toLog(options.log)
    this.#driver = driverOf(options, this.#platform, this.#log)
    this.#processId = Buffer.from(this.#platform.random.bytes(9)).toString('base64url')
    this.health = createHealth({ clock: this.#platform.clock, log: this.#log })
  }

  /**
   * Adds a consumer of one topic, or of several that are read alike.
   *
   * @example
   * service.consumer(orders, { concurrency: 64 }).on(OrderCreated, (event) => ship(event.data))
   */
  consumer<Topic extends TopicContract>(
    topics: Topic | readonly Topic[],
    options: ConsumerOptions = {},
  ): ServiceConsumer<Topic> {
    if (this.#state !== 'defined') throw stateError('consumers are added before the service runs')
    const list: readonly Topic[] = Array.isArray(topics) ? (topics as Topic[]) : [topics as Topic]
    const names = list.map(({ name }) => name)
    const path = `consumer(${names.join(', ')})`
    const settings = resolveConsumerOptions(options, path, { groupId: this.name, topics: names })
    const consumer = new ServiceConsumer<Topic>(list)
    this.#definitions.push({ consumer: consumer, settings })
    return consumer
  }

  /** Puts a step around the handlers of all consumers. */
  use(step: Step): this {
    this.#steps.push(step)
    return this
  }

  /**
   * Sends an event; resolves when it is acknowledged.
   *
   * @example
   * await service.publish(OrderCreated, { orderId: 'o-1' })
   */
  publish<Contract extends EventContract>(
    event: Contract,
    data: DataOf<Contract>,
    options?: PublishOptions,
  ): Promise<RecordResult> {
    return this.#publish().publish(event, data, options, undefined)
  }

  /** Sends events, of one topic or several; nothing is sent when one of them is refused by its contract. */
  publishMany(outgoing: readonly Outgoing[]): Promise<RecordResult[]> {
    return this.#publish().publishMany(outgoing, undefined)
  }

  /** Starts, and ends at a signal, at `stop` or when something fails that nobody can mend here: then it rejects. */
  async run(): Promise<void> {
    await this.start()
    const stopListening =
      this.#options.signals === false
        ? () => undefined
        : onEndSignal((signal) => {
            this.#log('info', `${signal}: the service ends when what runs has ended`)
            void this.stop()
          })
    try {
      await this.#reading
    } finally {
      await this.stop()
      stopListening()
      if (!this.#isClean) process.exitCode = 2
    }
    if (this.#failure !== undefined) throw this.#failure
  }

  /** Starts its consumers and its server; resolves when they work. */
  async start(): Promise<void> {
    if (this.#state !== 'defined') throw stateError('a service runs once')
    this.#state = 'running'
    this.health.add({
      name: 'running',
      kind: 'ready',
      check: () => (this.#state === 'running' ? undefined : 'the service is stopping'),
    })
    await this.#serve()
    const metrics = runtimeMetrics(this.metrics)
    this.#runs = this.#definitions.map((definition) => this.#assemble(definition, metrics))
    this.#reading = Promise.all(this.#runs.map((run) => run.run())).catch((error: unknown) => {
      this.#fail(error as Error)
    })
  }

  /** Ends in order: what runs may end, what has ended is committed, groups are left. */
  stop(options: StopOptions = {}): Promise<void> {
    this.#stopping ??= this.#stop(options)
    return this.#stopping
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  async #stop({ drainMs, leave = false }: StopOptions): Promise<void> {
    this.#state = 'stopping'
    const closed = await Promise.all(
      this.#runs.map((run, index) => {
        const { settings } = this.#definitions[index] as Definition
        return run.close({ drainMs: drainMs ?? settings.drainMs, leave })
      }),
    )
    this.#isClean = closed.every((isClean) => isClean)
    await this.#sink?.close()
    await this.#driver.close()
    await this.#server?.close()
    this.#state = 'stopped'
  }

  #assemble(
    { consumer, settings }: Definition,
    metrics: ReturnType<typeof runtimeMetrics>,
  ): ConsumerRun {
    const records = new RecordMetrics(metrics, this.#platform.clock)
    const publisher = this.#publish()
    const counted = { metrics, clock: this.#platform.clock, group: settings.groupId }
    const run = assembleConsumer({
      driver: this.#driver,
      platform: this.#platform,
      log: this.#log,
      settings,
      alone: this.#alone,
      processId: this.#processId,
      sink: this.#sinkForAll(),
      way: consumer.way({
        outer: [],
        inner: [...this.#dedupe(settings, metrics), records.step, ...this.#steps],
        publish: (event, data, options, context) =>
          publisher.publish(event, data, options, context),
      }),
      events: countEvents({
        ...counted,
        records,
        stuck: (delivery) => this.#fail(stuck(delivery.toString())),
      }),
      eventId: ({ decoded }) => eventIn(decoded)?.id,
      partitionCount: () => undefined,
    })
    observeConsumer(counted, run)
    this.#watch(settings, consumer.topics.map(({ name }) => name).join(', '), run)
    return run
  }

  /** Around the measured step: what is skipped as a duplicate, or waits, was not processed. */
  #dedupe(
    { groupId, dedupe }: ConsumerSettings,
    metrics: ReturnType<typeof runtimeMetrics>,
  ): readonly Step[] {
    if (dedupe === undefined) return []
    const { clock, random } = this.#platform
    const store = dedupe.store ?? memoryDedupeStore({ clock, idsMax: dedupe.idsMax })
    const log = this.#log
    return [new Dedupe({ clock, random, log, groupId, store, settings: dedupe, metrics }).step]
  }

  /** Ready means: all that was assigned works. */
  #watch({ groupId }: ConsumerSettings, names: string, run: ConsumerRun): void {
    this.health.add({
      name: `${groupId}: ${names}`,
      kind: 'ready',
      check: () => run.notReadyBecause,
    })
  }

  async #serve(): Promise<void> {
    const given = this.#options.metrics
    if (given === false) return
    const metrics = optionsOf(given ?? {}, 'metrics', ['port', 'host'])
    const port = wholeNumber(metrics, 'port', metricsPort, { min: 0, max: 65_535 }, 'metrics.port')
    this.#server = await startHttpServer({
      platform: this.#platform,
      routes: observeRoutes(this.metrics, this.health),
      port,
      log: this.#log,
      ...(given?.host !== undefined && { host: given.host }),
    })
    const { host, port: actual } = this.#server.local
    this.#log('info', `metrics at http://${host}:${actual}/metrics, health at /health/ready`)
  }

  #fail(error: Error): void {
    if (this.#failure === undefined) {
      this.#log('error', `the service ends: ${error.message}`)
    }
    this.#failure ??= error
    void this.stop()
  }

  #sinkForAll(): RecordSink {
    this.#sink ??= this.#driver.sink()
    return this.#sink
  }

  #publish(): Publisher {
    if (this.#state === 'stopped') throw stateError('the service has stopped')
    this.#publisher ??= new Publisher({
      platform: this.#platform,
      sink: this.#sinkForAll(),
      source: this.name,
      topics: [
        ...new Set([
          ...(this.#options.topics ?? []),
          ...this.#definitions.flatMap(({ consumer }) => consumer.topics),
        ]),
      ],
    })
    return this.#publisher
  }
}

/**
 * Makes a service.
 *
 * @example
 * const service = createService({ name: 'fulfilment', kafka: { brokers: 'localhost:9092' } })
 * service.consumer(orders).on(OrderCreated, async (event) => ship(event.data))
 * await service.run()
 */
export function createService(options: ServiceOptions): Service {
  return new Service(options)
}

function driverOf({ kafka }: ServiceOptions, platform: Platform, log: Log): Driver {
  const given: unknown = kafka
  if (typeof given !== 'object' || given === null) {
    throw new OptionError('kafka', `must be what createClient takes, or a driver`)
  }
  if ('features' in kafka) return kafka
  return createNativeDriver({ platform, log, ...kafka })
}

function stuck(record: string): MillraceError {
  const problem = `the handler of ${record} ignores its signal; the process has to end`
  return new MillraceError('MILLRACE_RUNTIME_HANDLER_STUCK', problem)
}

function stateError(message: string): MillraceError {
  return new MillraceError('MILLRACE_RUNTIME_STATE_INVALID', message)
}
