import { partitionKey } from '../../client/index.ts'
import type { RecordResult, SeekTarget, TopicPartition } from '../../client/index.ts'
import type { DataOf, EventContract, TopicContract } from '../../contract/index.ts'
import type { Driver, RecordSink } from '../../driver/index.ts'
import { MillraceError, OptionError } from '../../errors.ts'
import {
  createConsoleLog,
  createHealth,
  createMetrics,
  loadTracer,
  passThroughTracer,
  runtimeMetrics,
  toLog,
} from '../../observe/index.ts'
import type {
  Health,
  HttpServer,
  Log,
  Metrics,
  RuntimeMetrics,
  Tracer,
} from '../../observe/index.ts'
import { optionsOf, text, wholeNumber } from '../../option-checks.ts'
import { createNodePlatform } from '../../platform/index.ts'
import type { Platform } from '../../platform/index.ts'
import { version } from '../../version.ts'
import { assembleConsumer } from '../assemble.ts'
import type { ConsumerSettings } from '../assemble.ts'
import { noExactlyOnce } from '../commit/exactly-once.ts'
import type { MakeExactlyOnce } from '../commit/exactly-once.ts'
import { Deadline, goodbyeMs } from '../deadline.ts'
import { Alone } from '../lanes/alone.ts'
import { observeConsumer } from '../consumer-metrics.ts'
import type { ConsumerRun } from '../consumer-run.ts'
import { Replay } from '../replay/replay.ts'
import type { ReplayResult } from '../replay/replay.ts'
import { replayPlan } from '../replay/replay-options.ts'
import type { ReplayedConsumer, ReplayOptions } from '../replay/replay-options.ts'
import { checkStart } from '../start/check-start.ts'
import type { TopicFacts } from '../start/check-topics.ts'
import { resolveDoWithout } from '../start/driver-promises.ts'
import { resolveTopicPolicy } from '../start/topic-policy.ts'
import { checkSteps } from '../steps/user-step.ts'
import type { UserStep } from '../steps/user-step.ts'
import { resolveBatchOptions } from './batch-options.ts'
import type { BatchOptions } from './batch-options.ts'
import { ConsumerAssemblies } from './consumer-assemblies.ts'
import { resolveConsumerOptions } from './consumer-options.ts'
import type { ConsumerOptions } from './consumer-options.ts'
import { driverOf } from './driver-of.ts'
import type { PublishOptions } from './handler-context.ts'
import { endProcess, onEndSignal } from './process-signals.ts'
import { Publisher } from './publisher.ts'
import type { Outgoing } from './publisher.ts'
import { RecordConsumer } from './record-consumer.ts'
import type { RecordBatchHandler, RecordHandler, RecordHandling } from './record-consumer.ts'
import { serveService } from './serve-service.ts'
import { ServiceConsumer } from './service-consumer.ts'
import { stateError, stuck } from './service-errors.ts'
import type { ServicePart, ServicePartWorld } from './service-part.ts'
import type { ServiceOptions, StopOptions } from './service-options.ts'
import { ServiceParts } from './service-parts.ts'
import { ServiceTransactions } from './service-transactions.ts'
import type { ServiceTransaction } from './service-transactions.ts'

/** What lies above the runtime and services work with. */
export interface ServiceExtensions {
  readonly makeExactlyOnce?: MakeExactlyOnce
}

const optionNames = [
  'name',
  'kafka',
  'topics',
  'connectTimeoutMs',
  'topicPolicy',
  'doWithout',
  'metrics',
  'signals',
  'log',
  'platform',
]
const connectTimeoutMs = 30_000
const requestTimeoutMs = 30_000
const timesMs = { min: 1, max: 2 ** 31 - 1 }

interface Definition extends ReplayedConsumer {
  /** What it reads, for people. */
  readonly topicNames: string
}

/**
 * A service on Kafka: consumers, a publisher, metrics and health, as one thing that starts and ends.
 *
 * - **defined**: consumers are added.
 * - **starting** (`connect`): the cluster is waited for, its topics are looked at.
 * - **running** (`run` or `start`).
 * - **stopping** (`stop`, a signal, or a failure): not ready, nothing new starts, what runs may end; then groups are
 *   left, and the producer and the server are closed, in this order.
 * - **stopped**.
 */
export class Service implements AsyncDisposable {
  readonly name: string
  readonly metrics: Metrics
  readonly health: Health
  readonly #counted: RuntimeMetrics
  #tracer: Tracer = passThroughTracer
  readonly #options: ServiceOptions
  readonly #extensions: ServiceExtensions
  readonly #platform: Platform
  readonly #log: Log
  readonly #driver: Driver
  readonly #steps: UserStep[] = []
  readonly #definitions: Definition[] = []
  readonly #alone = new Alone()
  readonly #processId: string
  #runs: ConsumerRun[] = []
  readonly #parts = new ServiceParts()
  readonly #connectTimeoutMs: number
  readonly #policy: ReturnType<typeof resolveTopicPolicy>
  readonly #doWithout: ReturnType<typeof resolveDoWithout>
  readonly #ending = new AbortController()
  #connecting: Promise<TopicFacts | undefined> | undefined
  #sink: RecordSink | undefined
  readonly #assemblies: ConsumerAssemblies
  readonly #replays = new Set<Promise<unknown>>()
  #publisher: Publisher | undefined
  #transactions: ServiceTransactions | undefined
  #server: HttpServer | undefined
  #state: 'defined' | 'starting' | 'running' | 'stopping' | 'stopped' = 'defined'
  #stopping: Promise<void> | undefined
  #failure: Error | undefined
  #isStarted = false
  /** What is under way to work beside the consumers. */
  #startingParts: Promise<unknown> | undefined
  #reading: Promise<unknown> = Promise.resolve()
  #isClean = true

  /** Use `createService`. */
  constructor(options: ServiceOptions, extensions: ServiceExtensions = {}) {
    this.#extensions = extensions
    const given = optionsOf(options, '', optionNames)
    const name = text(given, 'name')
    if (name === undefined) throw new OptionError('name', 'is missing: who is this service?')
    this.name = name
    this.#options = options
    this.#connectTimeoutMs = wholeNumber(given, 'connectTimeoutMs', connectTimeoutMs, timesMs)
    this.#policy = resolveTopicPolicy(given['topicPolicy'], 'topicPolicy')
    this.#doWithout = resolveDoWithout(given['doWithout'], 'doWithout')
    this.#platform = options.platform ?? createNodePlatform()
    this.#log = options.log === undefined ? createConsoleLog() : toLog(options.log)
    this.#driver = driverOf(options.kafka, this.#platform, this.#log)
    this.#processId = Buffer.from(this.#platform.random.bytes(9)).toString('base64url')
    this.metrics = createMetrics({ log: this.#log })
    this.#counted = runtimeMetrics(this.metrics)
    this.#assemblies = this.#newAssemblies()
    this.#counted.buildInfo.with({ service: name, version }).set(1)
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
    const settings = this.#settingsOf(`consumer(${names.join(', ')})`, names, options)
    const consumer = new ServiceConsumer<Topic>(list)
    this.#definitions.push({ consumer, settings, topicNames: names.join(', ') })
    return consumer
  }

  /**
   * Adds a consumer that takes records as they are, of topics without contracts: by name, or all whose names match.
   *
   * @example
   * service.records(/^audit\.[a-z]+$/, (record, { topic }) => store(topic, record.value), { groupId: 'audit' })
   */
  records(
    topics: string | readonly string[] | RegExp,
    handler: RecordHandler,
    options: ConsumerOptions = {},
  ): RecordConsumer {
    return this.#addRecords('records', topics, { handler }, options)
  }

  /**
   * The same, in batches: many records at a time, in the order of each key.
   *
   * @example
   * service.recordBatches('clicks', (records) => insertAll(records.map(({ record }) => record.value)))
   */
  recordBatches(
    topics: string | readonly string[] | RegExp,
    batchHandler: RecordBatchHandler,
    options: ConsumerOptions & { readonly batch?: BatchOptions } = {},
  ): RecordConsumer {
    const { batch = {}, ...rest } = options
    const settings = resolveBatchOptions(batch, 'recordBatches.batch')
    return this.#addRecords('recordBatches', topics, { batchHandler, settings }, rest)
  }

  /** Adds what the service runs beside its consumers: a stream. */
  add(part: ServicePart): this {
    if (this.#state !== 'defined') throw stateError('parts are added before the service runs')
    this.#parts.add(part, this.name)
    return this
  }

  /** Puts a step around the handlers of all consumers. */
  use(step: UserStep): this {
    if (this.#state !== 'defined') throw stateError('steps are added before the service runs')
    this.#steps.push(...checkSteps([step], 'use'))
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

  /**
   * Writes to several topics in one: all of it counts, or, when `work` rejects, nothing does. One after another.
   *
   * @example
   * await service.transaction(async (transaction) => {
   *   await transaction.send(OrderPriced, { orderId: 'o-1', total: 12 })
   *   await transaction.send(OrderShipped, { orderId: 'o-1' })
   * })
   */
  transaction<Result>(work: (transaction: ServiceTransaction) => Promise<Result>): Promise<Result> {
    const publisher = this.#publish()
    this.#transactions ??= new ServiceTransactions(
      this.#driver,
      `${this.name}-${this.#processId}-transactions`,
    )
    return this.#transactions.run(publisher, work)
  }

  /** Starts, and ends at a signal, at `stop` or when something fails that nobody can mend here: then it rejects. */
  async run(): Promise<void> {
    const ownsProcess = this.#options.signals !== false
    const stopListening = ownsProcess
      ? onEndSignal((signal) => {
          this.#log('info', `${signal}: the service ends when what runs has ended`)
          void this.stop()
        })
      : () => undefined
    try {
      await this.start()
      await this.#reading
    } catch (error) {
      this.#failure ??= error as Error
    }
    await this.stop()
    stopListening()
    if (ownsProcess && this.#failure !== undefined) endProcess(this.#platform.clock, 1)
    else if (ownsProcess && !this.#isClean) endProcess(this.#platform.clock, 2)
    if (this.#failure !== undefined) throw this.#failure
  }

  /**
   * Waits for the cluster and makes sure that all is there that the service needs; nothing is read yet. `start` and
   * `run` do it by themselves.
   */
  async connect(): Promise<void> {
    await this.#connect()
  }

  /** Starts its consumers and its server; resolves when they work, or when it was stopped meanwhile. */
  async start(): Promise<void> {
    if (this.#isStarted) throw stateError('a service runs once')
    this.#isStarted = true
    const facts = await this.#connect()
    if (facts === undefined) return
    this.#tracer = await loadTracer({ log: this.#log })
    // Told to end meanwhile: nothing is opened that nobody would close.
    if (this.#ending.signal.aborted) return
    const startingParts = this.#parts.start(this.#partWorld(facts))
    this.#startingParts = startingParts
    const parts = await this.#unlessStopped(startingParts)
    if (parts === undefined) return
    this.#state = 'running'
    this.#runs = this.#definitions.map((definition) => this.#assemble(definition, facts))
    const running = [...this.#runs, ...parts]
    this.#reading = Promise.all(running.map((run) => run.run())).catch((error: unknown) => {
      this.#fail(error as Error)
    })
  }

  /** Ends in order: what runs may end, what has ended is committed, groups are left. */
  stop(options: StopOptions = {}): Promise<void> {
    this.#stopping ??= this.#stop(options)
    return this.#stopping
  }

  /** Starts nothing more of these partitions, or of all, until they are resumed; what runs goes on. */
  pause(partitions?: readonly TopicPartition[]): void {
    for (const run of this.#runs) run.pause(partitions)
  }

  /** Lets partitions go on that were paused, or all. */
  resume(partitions?: readonly TopicPartition[]): void {
    for (const run of this.#runs) run.resume(partitions)
  }

  /**
   * Goes on elsewhere in a partition that is read here: what runs may end, what was known of its records is forgotten, and
   * the new place is committed before anything runs.
   */
  async seek(partition: TopicPartition, target: SeekTarget): Promise<void> {
    const owners = this.#runs.filter((run) => run.owns(partition))
    if (owners.length === 0) {
      const problem = `${partitionKey(partition)} is not read here`
      throw new MillraceError('MILLRACE_CLIENT_NOT_OWNED', problem)
    }
    await Promise.all(owners.map((run) => run.seek(partition, target)))
  }

  /** Lets partitions that were stopped try again, when what stopped them is mended; answers which. */
  resumeStopped(): readonly TopicPartition[] {
    return this.#runs.flatMap((run) => run.resumeStopped())
  }

  /**
   * Reads a part of a topic again, through the handlers of a consumer; resolves when all of it has ended. The group's offsets
   * stay as they are. It may run beside the service, or without `start`.
   *
   * @example
   * await service.replay({ topic: orders, from: new Date('2026-03-01'), dedupe: 'ignore' })
   */
  async replay(options: ReplayOptions): Promise<ReplayResult> {
    const plan = replayPlan(options, this.#definitions)
    const facts = await this.#connect()
    if (facts === undefined) throw stateError('the service was stopped')
    const replaying = new Replay({
      ...{ platform: this.#platform, log: this.#log, metrics: this.#counted, plan },
      ...{ driver: this.#driver, ending: this.#ending.signal },
      assemble: (changes) => {
        const { assembly } = this.#assemblies.of(plan.definition, facts, { ...changes, ...plan })
        return assembleConsumer(assembly)
      },
    }).run()
    this.#replays.add(replaying)
    try {
      return await replaying
    } finally {
      this.#replays.delete(replaying)
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  #addRecords(
    method: string,
    topics: string | readonly string[] | RegExp,
    handling: RecordHandling,
    options: ConsumerOptions,
  ): RecordConsumer {
    if (this.#state !== 'defined') throw stateError('consumers are added before the service runs')
    const selection = typeof topics === 'string' ? [topics] : topics
    const topicNames = selection instanceof RegExp ? String(selection) : selection.join(', ')
    const settings = this.#settingsOf(`${method}(${topicNames})`, selection, options)
    const consumer = new RecordConsumer(handling)
    this.#definitions.push({ consumer, settings, topicNames })
    return consumer
  }

  #settingsOf(
    path: string,
    topics: ConsumerSettings['topics'],
    options: ConsumerOptions,
  ): ConsumerSettings {
    const settings = resolveConsumerOptions(options, path, { groupId: this.name, topics })
    if (settings.exactlyOnce === undefined) return settings
    if (this.#extensions.makeExactlyOnce === undefined) throw noExactlyOnce(`${path}.exactlyOnce`)
    return settings
  }

  /** What was found out about topics; undefined when the service was stopped meanwhile. */
  #connect(): Promise<TopicFacts | undefined> {
    if (this.#state === 'defined') {
      this.#state = 'starting'
      this.#connecting = this.#makeSure()
    }
    if (this.#connecting === undefined) throw stateError('the service has stopped')
    return this.#connecting
  }

  async #makeSure(): Promise<TopicFacts | undefined> {
    this.health.add({ name: 'running', kind: 'ready', check: () => this.#notRunningBecause })
    await this.#serve()
    const { kafka } = this.#options
    return this.#unlessStopped(
      checkStart({
        driver: this.#driver,
        clock: this.#platform.clock,
        log: this.#log,
        connectTimeoutMs: this.#connectTimeoutMs,
        requestTimeoutMs:
          'features' in kafka ? requestTimeoutMs : (kafka.requestTimeoutMs ?? requestTimeoutMs),
        policy: this.#policy,
        doWithout: this.#doWithout,
        consumers: [
          ...this.#definitions.map(({ consumer, settings }) => ({
            settings,
            contracts: consumer.topics,
          })),
          ...this.#parts.planned,
        ],
        written: [...(this.#options.topics ?? []), ...this.#parts.written],
        signal: this.#ending.signal,
      }),
    )
  }

  /** What comes of it; undefined when the service was stopped meanwhile. */
  async #unlessStopped<Result>(result: Promise<Result>): Promise<Result | undefined> {
    const { signal } = this.#ending
    try {
      const known = await result
      return signal.aborted ? undefined : known
    } catch (error) {
      if (signal.aborted) return undefined
      throw error
    }
  }

  get #notRunningBecause(): string | undefined {
    if (this.#state === 'running') return undefined
    return this.#state === 'starting' ? 'the service is starting' : 'the service is stopping'
  }

  async #stop({ drainMs, leave = false }: StopOptions): Promise<void> {
    this.#state = 'stopping'
    this.#ending.abort(stateError('the service was stopped'))
    const longestMs = drainMs ?? this.#drainMsMax
    const deadline = new Deadline(this.#platform.clock, longestMs + goodbyeMs)
    await deadline.within(this.#connecting)
    await deadline.within(this.#startingParts)
    const closed = await Promise.all(
      this.#runs.map((run, index) => {
        const { settings } = this.#definitions[index] as Definition
        return run.close({ drainMs: drainMs ?? settings.drainMs, leave })
      }),
    )
    const areClosed = await this.#parts.close({ drainMs, leave })
    await deadline.within(Promise.allSettled(this.#replays))
    await this.#closeSinks({ timeoutMs: deadline.leftMs })
    await this.#driver.close()
    await this.#server?.close()
    this.#isClean = areClosed && closed.every((isClean) => isClean) && !deadline.wasMissed
    if (!this.#isClean)
      this.#log('warn', 'not all that ran has ended and is committed: it runs again')
    this.#state = 'stopped'
  }

  async #closeSinks(options: { readonly timeoutMs: number }): Promise<void> {
    await Promise.all([
      this.#sink?.close(options),
      this.#transactions?.close(options),
      this.#assemblies.close(options),
    ])
  }

  get #drainMsMax(): number {
    const ofConsumers = this.#definitions.map(({ settings }) => settings.drainMs)
    return Math.max(this.#parts.drainMsMax, ...ofConsumers)
  }

  #assemble(definition: Definition, facts: TopicFacts): ConsumerRun {
    const { settings, topicNames } = definition
    const { assembly, counted } = this.#assemblies.of(definition, facts)
    const run = assembleConsumer(assembly)
    observeConsumer(counted, run)
    this.#watch(settings, topicNames, run)
    return run
  }

  #newAssemblies(): ConsumerAssemblies {
    return new ConsumerAssemblies({
      ...{ driver: this.#driver, platform: this.#platform, log: this.#log },
      ...{ metrics: this.#counted, policy: this.#policy, alone: this.#alone },
      processId: this.#processId,
      tracer: () => this.#tracer,
      steps: this.#steps,
      publisher: () => this.#publish(),
      stuck: (delivery) => this.#fail(stuck(delivery.toString())),
      failed: (error) => this.#fail(error),
      ...this.#extensions,
    })
  }

  #partWorld(facts: TopicFacts): ServicePartWorld {
    return {
      ...{ driver: this.#driver, platform: this.#platform, log: this.#log, facts },
      ...{ metrics: this.metrics, health: this.health, processId: this.#processId },
      serviceName: this.name,
      signal: this.#ending.signal,
      failed: (error) => this.#fail(error),
    }
  }

  /** Ready means: all that was assigned works. */
  #watch({ groupId }: ConsumerSettings, names: string, run: ConsumerRun): void {
    this.health.add({
      name: `${groupId}: ${names}`,
      kind: 'ready',
      check: () => run.notReadyBecause,
    })
    this.health.add({
      name: `${groupId}: ${names}: thread`,
      kind: 'live',
      check: () => {
        const { blockedMs } = run
        return blockedMs === 0
          ? undefined
          : `the thread was blocked for ${Math.round(blockedMs)} ms`
      },
    })
  }

  async #serve(): Promise<void> {
    this.#server = await serveService({
      ...{ given: this.#options.metrics, platform: this.#platform, log: this.#log },
      ...{ metrics: this.metrics, health: this.health, routes: this.#parts.routes },
    })
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
      metrics: this.#counted,
      tracer: this.#tracer,
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

/** Makes a service of the runtime alone; with exactly-once it is `createService` of `millrace`. */
export function createService(options: ServiceOptions, extensions?: ServiceExtensions): Service {
  return new Service(options, extensions)
}
