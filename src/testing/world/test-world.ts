import type { ProducerRecord, RecordResult } from '../../client/index.ts'
import { TopicContract } from '../../contract/index.ts'
import type { DataOf, EventContract, EventOf } from '../../contract/index.ts'
import { OptionError } from '../../errors.ts'
import { loadTracer } from '../../observe/index.ts'
import { createProducer } from '../../runtime/index.ts'
import type { EventProducer, Outgoing, PublishOptions } from '../../runtime/index.ts'
import type { SimulatedProcess } from '../simulation/process.ts'
import { createSimulation } from '../simulation/simulation.ts'
import type { Simulation } from '../simulation/simulation.ts'
import { errorText } from './error-text.ts'
import { WorldFaults, workersOf } from './faults.ts'
import { surveyGroups } from './group-survey.ts'
import type { GroupProgress } from './group-survey.ts'
import { HandlerRuns } from './handler-runs.ts'
import type { HandlerRun } from './handler-runs.ts'
import { Pump } from './pump.ts'
import { NotQuietError, QuietWatch } from './quiet.ts'
import type { Standing, Unquiet } from './quiet.ts'
import { WorldBroker } from './world-broker.ts'
import { resolveWorldOptions } from './world-options.ts'
import type { ResolvedWorldOptions, TestWorldOptions } from './world-options.ts'
import { readDeadLetters, readTopic } from './world-records.ts'
import type { DeadLetter, WorldRecord } from './world-records.ts'
import { WorldWorker } from './world-worker.ts'
import type { WorldLogEntry } from './world-worker.ts'

export interface QuietOptions {
  /** How much of the world's time may pass. @defaultValue 600000 */
  readonly withinMs?: number
  /**
   * How much real time may pass in waiting for what handlers wait for outside: less than a test may take, so that one
   * hears why. @defaultValue 4000 in virtual time, 60000 in real time
   */
  readonly withinRealMs?: number
  /** For how long nothing may happen any more. @defaultValue 200 */
  readonly stableMs?: number
}

const quietDefaults = { withinMs: 600_000, stableMs: 200 } as const
const realMsMax = { virtual: 4_000, real: 60_000 } as const
/** How often it is looked whether the world is quiet: seldom when it takes long. */
const lookMs = { first: 5, longest: 500, growth: 1.2 } as const
const testHost = 'test'

/**
 * An embedded broker and the services of a user, each in a simulated process, in one thread and one time. Nothing happens
 * in it but while one of its methods is awaited; then time jumps from event to event.
 *
 * **starting** → **living** → **ended** (`close`): all processes are killed.
 */
export class TestWorld implements AsyncDisposable {
  /** What can go wrong, by name. */
  readonly faults: WorldFaults
  readonly seed: number
  readonly #options: ResolvedWorldOptions
  readonly #simulation: Simulation
  readonly #pump: Pump
  readonly #broker: WorldBroker
  readonly #workers: readonly WorldWorker[]
  readonly #runs: HandlerRuns
  readonly #log: WorldLogEntry[] = []
  readonly #watch: QuietWatch
  #producer: EventProducer | undefined
  #test: SimulatedProcess | undefined

  /** Use `startWorld`. */
  constructor(options: ResolvedWorldOptions) {
    this.#options = options
    this.seed = options.seed
    this.#runs = new HandlerRuns(() => this.nowMs)
    this.#simulation = createSimulation({
      seed: options.seed,
      trace: { lengths: false },
      replayCommand: (seed) => `startWorld({ seed: ${seed} })`,
      realWork: {
        isRealTime: options.isRealTime,
        isAtWork: (process) => this.#isAtWork(process),
      },
    })
    this.#pump = new Pump(this.#simulation)
    this.#broker = new WorldBroker({
      simulation: this.#simulation,
      nodes: options.nodes,
      topics: options.topics,
      properties: options.properties,
      interceptor: (request, proceed) => this.faults.intercept(request, proceed),
    })
    this.#workers = options.services.flatMap((service) => this.#workersFor(service))
    this.faults = new WorldFaults({
      simulation: this.#simulation,
      broker: this.#broker,
      workers: this.#workers,
    })
    this.#watch = new QuietWatch({
      broker: this.#broker,
      workers: this.#workers,
      runs: this.#runs,
      faults: this.faults,
      log: this.#log,
      realWork: () => this.#simulation.realWorkUnderWay,
      nowMs: () => this.nowMs,
    })
  }

  /** The world's time since it began, in milliseconds. */
  get nowMs(): number {
    return this.#simulation.nowMs
  }

  /** All runs of handlers so far, in the order in which they began. */
  get runs(): readonly HandlerRun[] {
    return this.#runs.all
  }

  /** What services have logged. */
  get log(): readonly WorldLogEntry[] {
    return this.#log
  }

  /** Sixteen digits over all that has happened: the same seed and program give the same. */
  get traceHash(): string {
    return this.#simulation.traceHash
  }

  /** Publishes an event by its contract; resolves when the broker has it. */
  publish<Contract extends EventContract>(
    event: Contract,
    data: DataOf<Contract>,
    options?: PublishOptions,
  ): Promise<RecordResult> {
    return this.#ask((producer) => producer.publish(event, data, options))
  }

  /** Publishes events at once; none when one of them breaks its contract. */
  publishMany(outgoing: readonly Outgoing[]): Promise<RecordResult[]> {
    return this.#ask((producer) => producer.publishMany(outgoing))
  }

  /** Sends a record as it is: for topics without contracts, and for what breaks one. */
  send(record: ProducerRecord): Promise<RecordResult> {
    return this.#ask((producer) => producer.send(record))
  }

  /** Lets so much of the world's time pass. */
  advance(ms: number): Promise<void> {
    return this.#pump.pass(ms)
  }

  /** Runs the world until the condition holds, or rejects after this time of the world. */
  async until(
    isMet: () => boolean,
    { withinMs = quietDefaults.withinMs }: Pick<QuietOptions, 'withinMs'> = {},
  ): Promise<void> {
    const endMs = this.nowMs + withinMs
    const timer = this.#simulation.after(withinMs, () => undefined)
    await this.#pump.until(() => isMet() || this.nowMs >= endMs)
    timer.cancel()
    if (!isMet()) {
      const { unquiet } = await this.#look()
      throw this.#notQuiet(`the condition did not hold within ${withinMs} ms`, unquiet)
    }
  }

  /**
   * Runs the world until all that was published has ended in all groups and is committed, all processes work, and all
   * faults have happened. Rejects with a `NotQuietError` that says what has not come to an end.
   */
  async quiet(options: QuietOptions = {}): Promise<void> {
    const { withinMs, stableMs } = { ...quietDefaults, ...options }
    const withinRealMs =
      options.withinRealMs ?? realMsMax[this.#options.isRealTime ? 'real' : 'virtual']
    const endMs = this.nowMs + withinMs
    const realEndMs = this.#simulation.realWaitMs + withinRealMs
    let quietSince: { readonly atMs: number; readonly fingerprint: string } | undefined
    for (let pauseMs: number = lookMs.first; ;) {
      const standing = await this.#look()
      const { isQuiet, fingerprint, unquiet, hopelessBecause } = standing
      if (!isQuiet || quietSince?.fingerprint !== fingerprint) {
        quietSince = isQuiet ? { atMs: this.nowMs, fingerprint } : undefined
      }
      if (quietSince !== undefined && this.nowMs - quietSince.atMs >= stableMs) {
        if (unquiet.faults.length === 0) return
        throw this.#notQuiet('all is done, but a fault has not happened', unquiet)
      }
      if (hopelessBecause !== undefined) throw this.#notQuiet(hopelessBecause, unquiet)
      if (this.nowMs >= endMs) {
        throw this.#notQuiet(`the world is not quiet after ${withinMs} ms of its time`, unquiet)
      }
      if (this.#simulation.realWaitMs >= realEndMs) {
        throw this.#notQuiet(`the world has waited for ${withinRealMs} real ms`, unquiet)
      }
      await this.#pump.pass(quietSince === undefined ? pauseMs : Math.min(pauseMs, stableMs))
      pauseMs = Math.min(lookMs.longest, pauseMs * lookMs.growth)
    }
  }

  /** The committed records of a topic; with its contract they are decoded. */
  records<Topic extends TopicContract>(topic: Topic): Promise<WorldRecord<EventOf<Topic>>[]>
  records(topic: string): Promise<WorldRecord[]>
  async records(topic: TopicContract | string): Promise<WorldRecord[]> {
    const { name, contract } = this.#named(topic)
    const found = (await this.#runningBroker()).cluster.topic(name)
    if (found === undefined) throw new OptionError('topic', `'${name}' does not exist`)
    return readTopic(found, contract)
  }

  /** What could not be handled of a topic, in whichever dead-letter topics it is. */
  deadLetters<Topic extends TopicContract>(topic: Topic): Promise<DeadLetter<EventOf<Topic>>[]>
  deadLetters(topic: string): Promise<DeadLetter[]>
  async deadLetters(topic: TopicContract | string): Promise<DeadLetter[]> {
    const { name, contract } = this.#named(topic)
    return readDeadLetters((await this.#runningBroker()).cluster.topics(), name, contract)
  }

  /** How far a group is in each partition that it reads. */
  async committed(group: string): Promise<readonly GroupProgress[]> {
    const broker = await this.#runningBroker()
    const views = await this.#pump.during(() => surveyGroups(broker))
    return views.find((view) => view.group === group)?.progress ?? []
  }

  /** How often processes of a service were started again. */
  restarts(service: string): number {
    const meant = workersOf(this.#workers, service)
    return meant.reduce((sum, { restarts }) => sum + restarts, 0)
  }

  /** Ends the processes of a service in order, as SIGTERM does, and waits for that. */
  async stop(service: string): Promise<void> {
    const meant = workersOf(this.#workers, service)
    for (const worker of meant) worker.stop()
    await this.#pump.until(() => meant.every(({ isOver }) => isOver))
  }

  /** Starts processes of a service that have ended, and waits until they work. */
  async start(service: string): Promise<void> {
    const meant = workersOf(this.#workers, service)
    for (const worker of meant) if (worker.isOver) worker.start()
    await this.#work(meant)
  }

  /** Ends the processes of a service in order and starts them again, one after another, as a rolling update does. */
  async restart(service: string): Promise<void> {
    for (const { name } of workersOf(this.#workers, service)) {
      await this.stop(name)
      await this.start(name)
    }
  }

  /** Ends the world: every process is killed, and nothing runs any more. */
  async close(): Promise<void> {
    await this.#pump.end()
    this.#simulation.end()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** Starts all there is. @internal */
  async begin(): Promise<void> {
    // Loaded here once: inside, what takes real time would not follow from the seed.
    await loadTracer()
    this.#broker.start()
    await this.#pump.until(() => this.#broker.running !== undefined)
    this.#startTest()
    await this.#pump.until(() => this.#producer !== undefined)
    for (const worker of this.#workers) worker.start()
    await this.#work(this.#workers)
  }

  #workersFor({ name, make, workers }: ResolvedWorldOptions['services'][number]): WorldWorker[] {
    return Array.from(
      { length: workers },
      (_, index) =>
        new WorldWorker({
          simulation: this.#simulation,
          service: name,
          name: `${name}-${index + 1}`,
          make,
          brokers: () => this.#broker.addresses,
          runs: this.#runs,
          log: (entry) => this.#log.push(entry),
          restartMs: this.#options.restartMs,
        }),
    )
  }

  /** Waits until processes work; rejects when one of them cannot even start. */
  async #work(workers: readonly WorldWorker[]): Promise<void> {
    const failures = new Map(workers.map((worker) => [worker, worker.failure]))
    const failed = () => workers.find((worker) => worker.failure !== failures.get(worker))
    const endMs = this.nowMs + quietDefaults.withinMs
    for (;;) {
      const { unquiet } = await this.#look()
      const waiting = unquiet.notReady.filter(({ worker }) =>
        workers.some(({ name }) => name === worker),
      )
      if (waiting.length === 0) return
      const culprit = failed()
      if (culprit !== undefined) {
        const { name, failure } = culprit
        throw this.#simulation.failure(`${name} did not start: ${errorText(failure)}`, failure)
      }
      if (this.nowMs >= endMs) throw this.#notQuiet('services do not start', unquiet)
      await this.#pump.pass(lookMs.first)
    }
  }

  #startTest(): void {
    const topics = this.#options.topics.filter((topic) => topic instanceof TopicContract)
    this.#test = this.#simulation.host(testHost).start(testHost, async (platform) => {
      this.#producer = createProducer({
        kafka: { brokers: this.#broker.addresses, clientId: testHost, allowPlaintext: true },
        name: testHost,
        topics,
        log: () => undefined,
        platform,
      })
      await new Promise(() => undefined)
    })
  }

  /** Lets the test's own process do something, and runs the world until it is done. */
  #ask<Result>(act: (producer: EventProducer) => Promise<Result>): Promise<Result> {
    return this.#pump.during(
      () =>
        new Promise<Result>((resolve, reject) => {
          const fail: (error: unknown) => void = reject
          this.#test?.later(0, 'test.asks', () => {
            act(this.#producer as EventProducer).then(resolve, fail)
          })
        }),
    )
  }

  /** A group answers when what it is at is on the disk: the world goes on until then. */
  #look(): Promise<Standing> {
    return this.#pump.during(() => this.#watch.look())
  }

  async #runningBroker() {
    await this.#pump.until(() => this.#broker.running !== undefined)
    return this.#broker.running as NonNullable<WorldBroker['running']>
  }

  #named(topic: TopicContract | string): {
    readonly name: string
    readonly contract: TopicContract | undefined
  } {
    if (typeof topic === 'string') return { name: topic, contract: undefined }
    return { name: topic.name, contract: topic }
  }

  /** A process whose handlers cannot be seen may be at something at any time. */
  #isAtWork(process: SimulatedProcess): boolean {
    const worker = this.#workers.find((each) => each.process === process)
    return worker !== undefined && (!worker.isObserved || this.#runs.isAtWork(process))
  }

  #notQuiet(problem: string, unquiet: Unquiet): NotQuietError {
    const text = `${problem} (seed ${this.seed})\n${this.#watch.describe(unquiet)}`
    return new NotQuietError(text, unquiet, { cause: this.faults.failure })
  }
}

/**
 * Starts a world for the test of a service: an embedded broker, the service's processes, and virtual time.
 *
 * @example
 * await using world = await startWorld({
 *   topics: [orders],
 *   services: { fulfilment: (environment) => createFulfilment(environment) },
 * })
 * await world.publish(OrderCreated, { orderId: 'o-1' })
 * world.faults.crashAtNextCommit('fulfilment')
 * await world.quiet()
 */
export async function startWorld(options: TestWorldOptions): Promise<TestWorld> {
  const world = new TestWorld(resolveWorldOptions(options))
  try {
    await world.begin()
    return world
  } catch (error) {
    await world.close()
    throw error
  }
}
