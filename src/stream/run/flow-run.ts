import { packRecord, partitionOfKey } from '../../client/index.ts'
import type { ProducerRecord } from '../../client/index.ts'
import type { RecordSource } from '../../driver/index.ts'
import { MillraceError } from '../../errors.ts'
import type { ConsumerSettings, RunningPart, ServicePartWorld } from '../../runtime/index.ts'
import { memoryStateStores } from '../../store/index.ts'
import type { StateStores } from '../../store/index.ts'
import { checkSize, TopicLimits, TransactionalCommits } from '../../transaction/index.ts'
import type { ReadableTable, TableRow } from '../flow/flow.ts'
import { rekeyPlan } from '../flow/flow-plan.ts'
import type { FlowInput, FlowPlan } from '../flow/flow-plan.ts'
import { readTable } from '../state/read-table.ts'
import type { RowChoice } from '../state/read-table.ts'
import { TaskState } from '../state/task-state.ts'
import { StreamTask } from '../task/stream-task.ts'
import { Changelog } from './changelog.ts'
import { EventMaker } from './event-maker.ts'
import { flowLetter, letterLog, letterTopicOf } from './flow-letter.ts'
import { prepareTopics } from './flow-topics.ts'
import type { FlowTopics } from './flow-topics.ts'
import { streamMetrics } from './stream-metrics.ts'
import { Purge } from './purge.ts'
import { SourceWatch } from './source-watch.ts'
import type { ReadableState } from './state-routes.ts'
import { StreamRun } from './stream-run.ts'
import type { StreamRunParts } from './stream-run.ts'
import { taskAssignor } from './task-assignor.ts'
import { WatchedTime } from './watched-time.ts'
import { WorkCommits } from './work-commits.ts'

export interface FlowRunParts {
  readonly world: ServicePartWorld
  readonly plan: FlowPlan
  readonly settings: ConsumerSettings
  readonly stores: StateStores
}

/** Prepares the topics of a flow, and makes what runs it. */
export async function startFlow(parts: FlowRunParts): Promise<FlowRun> {
  const { world, plan, settings } = parts
  const { driver, platform, log, signal } = world
  const admin = driver.admin()
  const { clock } = platform
  const topics = await prepareTopics({
    ...{ admin, clock, log, plan, signal },
    groupId: settings.groupId,
  })
  const limits = new TopicLimits(admin, clock)
  const rekeyings = await Promise.all(
    plan.inputs.flatMap((input, index) =>
      input.on === undefined ? [] : [startRekeying(parts, topics, limits, index)],
    ),
  )
  const watches = plan.inputs.map(
    (_, input) => rekeyings.find((rekeying) => rekeying.input === input)?.watch,
  )
  const run = await assemble(parts, { topics, limits, watches })
  const purge = new Purge({
    ...{ clock, log, admin },
    done: () => rekeyings.flatMap(({ input }) => committedOf(run, topics.inputs, input)),
  })
  return new FlowRun(run, { rekeyings, purge, taskCount: topics.taskCount, stores: parts.stores })
}

/** Writes an input again under the key by which the flow works it. */
interface Rekeying {
  readonly input: number
  readonly run: StreamRun
  readonly watch: SourceWatch
  readonly close: () => Promise<void>
}

const lookEveryMs = 1_000

async function startRekeying(
  parts: FlowRunParts,
  topics: FlowTopics,
  limits: TopicLimits,
  input: number,
): Promise<Rekeying> {
  const { world, plan, settings } = parts
  const { driver, platform, log } = world
  const declared = plan.inputs[input] as FlowInput
  const { topic: from } = declared
  const to = topics.inputs[input] as string
  const rekeyed = rekeyPlan(plan, declared, to)
  const groupId = `${settings.groupId}.${rekeyed.name}`
  const run = await assemble(
    { world, plan: rekeyed, stores: memoryStateStores(), settings: { ...settings, groupId } },
    {
      topics: {
        ...{ taskCount: 0, inputs: [from.name], sourceCounts: [1] },
        ...{ changelog: undefined, deletionsKeptMs: 0 },
      },
      ...{ limits, watches: [] },
    },
  )
  const source = driver.source({ groupId, offsetReset: 'none' })
  const placesOf = (topic: string, count: number) =>
    Array.from({ length: count }, (_, partition) => ({ topic, partition }))
  const watch = new SourceWatch({
    ...{ clock: platform.clock, log, source },
    ends: driver.reader({ offsetReset: 'none', isolation: 'read_uncommitted' }),
    from: async (signal) => {
      const { partitions } = await driver.admin().topics.describe(from.name, { signal })
      return placesOf(from.name, partitions.length)
    },
    to: placesOf(to, topics.taskCount),
    everyMs: Math.max(50, Math.min(lookEveryMs, plan.idleAfterMs / 4)),
  })
  const close = async () => {
    await watch.close()
    await source.close({ timeoutMs: 0 })
  }
  return { input, run, watch, close }
}

/** Up to where the tasks here have committed an input. */
function committedOf(run: StreamRun, topics: readonly string[], input: number) {
  const topic = topics[input] as string
  return run.tasks.flatMap((task) => {
    const before = task.committedTo(input)
    return before === undefined ? [] : [{ topic, partition: task.partition, before }]
  })
}

interface FlowRunMade {
  readonly rekeyings: readonly Rekeying[]
  readonly purge: Purge
  readonly taskCount: number
  readonly stores: StateStores
}

/** A flow at work: its tasks, and before them what writes its inputs again where they are worked under another key. */
export class FlowRun implements RunningPart {
  readonly #run: StreamRun
  readonly #made: FlowRunMade

  constructor(run: StreamRun, made: FlowRunMade) {
    this.#run = run
    this.#made = made
  }

  get notReadyBecause(): string | undefined {
    return this.#runs.map((run) => run.notReadyBecause).find((why) => why !== undefined)
  }

  async run(): Promise<void> {
    const { rekeyings, purge } = this.#made
    const beside = [...rekeyings.map(({ watch }) => watch.run()), purge.run()]
    await Promise.all([...this.#runs.map((run) => run.run()), ...beside])
  }

  async close(options: { readonly drainMs: number; readonly leave: boolean }): Promise<boolean> {
    const { rekeyings, purge, stores } = this.#made
    purge.close()
    const closed = await Promise.all(this.#runs.map((run) => run.close(options)))
    await Promise.all(rekeyings.map((rekeying) => rekeying.close()))
    await stores.close()
    return closed.every((isClean) => isClean)
  }

  get #runs(): readonly StreamRun[] {
    return [...this.#made.rekeyings.map(({ run }) => run), this.#run]
  }

  /** What tables hold here. */
  get state(): ReadableState {
    const stores = this.#run.tasks.flatMap(({ partition }) => {
      const store = this.#run.storeOf(partition)
      return store === undefined ? [] : [{ task: partition, store }]
    })
    stores.sort((a, b) => a.task - b.task)
    return { taskCount: this.#made.taskCount, stores }
  }

  rows<Result>(table: ReadableTable<Result>, choice: RowChoice): TableRow<Result>[] {
    return this.#run.tasks
      .map(({ partition }) => this.#run.storeOf(partition))
      .flatMap((store) => (store === undefined ? [] : [...readTable(store, table, choice)]))
  }

  get<Result>(table: ReadableTable<Result>, key: string): Result | undefined {
    const partition = partitionOfKey(key, this.#made.taskCount)
    const store = this.#run.storeOf(partition)
    if (store !== undefined) return [...readTable(store, table, { key })].at(-1)?.value
    const problem = `'${key}' is of task ${partition}, which is not here, or is being restored`
    throw new MillraceError('MILLRACE_STREAM_STATE_ELSEWHERE', problem)
  }
}

/** Puts together what runs the tasks of a flow. */
async function assemble(
  { world, plan, settings, stores }: FlowRunParts,
  {
    topics,
    limits,
    watches,
  }: {
    readonly topics: FlowTopics
    readonly limits: TopicLimits
    readonly watches: StreamRunParts['watches']
  },
): Promise<StreamRun> {
  const { driver, platform, log, metrics, failed } = world
  const { clock } = platform
  const { groupId } = settings
  const { name } = plan
  const counted = streamMetrics(metrics)
  const changelog =
    topics.changelog === undefined
      ? undefined
      : new Changelog({
          ...{ driver, clock, log, deletionsKeptMs: topics.deletionsKeptMs },
          topic: topics.changelog,
        })
  const stateBytesMax =
    topics.changelog === undefined ? Infinity : await limits.bytesMax(topics.changelog)
  const watched = new WatchedTime(clock)
  const run = new StreamRun({
    ...{ watched, watches },
    newState: (store) => new TaskState(store, stateBytesMax),
    ...{ clock, log, name, changelog, failed },
    // Where nothing is remembered no file is needed.
    stores: plan.isStateful ? stores : memoryStateStores(),
    topics: topics.inputs,
    source: (callbacks) =>
      driver.source({
        ...settings.source,
        assignors: [taskAssignor(topics.inputs)],
        ...callbacks,
        groupId,
        offsetReset: 'none',
      }),
    commits: (source, tasks) =>
      new WorkCommits({
        ...{ clock, log, changelog, tasks, failed },
        strategy: strategyOf(world, settings, source),
        intervalMs: settings.commit.intervalMs,
        committed: (tookMs) => counted.commitDuration.with({ flow: name }).observe(tookMs / 1_000),
      }),
    task: await taskMaker({ world, plan, settings, stores }, { topics, limits, counted, watched }),
    rebalanced: (kind) => counted.rebalances.with({ flow: name, kind }).add(1),
  })
  counted.observe(name, run, topics.inputs)
  return run
}

function strategyOf(
  { driver, platform, log, processId, failed }: ServicePartWorld,
  { groupId, exactlyOnce }: ConsumerSettings,
  source: RecordSource,
): TransactionalCommits {
  const { transactionTimeoutMs = 10_000, transactionalId = `${groupId}-${processId}` } =
    exactlyOnce ?? {}
  return new TransactionalCommits({
    ...{ driver, platform, log, source, groupId, transactionalId, transactionTimeoutMs, failed },
  })
}

async function taskMaker(
  { world, plan, settings }: FlowRunParts,
  {
    topics,
    limits,
    counted,
    watched,
  }: {
    readonly topics: FlowTopics
    readonly limits: TopicLimits
    readonly counted: ReturnType<typeof streamMetrics>
    readonly watched: WatchedTime
  },
) {
  const { platform, log, serviceName, facts } = world
  const { clock, random } = platform
  const { groupId, deadLetter } = settings
  const maker = new EventMaker({ clock, random }, serviceName)
  const written = [...plan.written].map((topic) => topic.name)
  if (plan.root.kind === 'rekey') written.push(plan.root.topic)
  const bytesMax = new Map<string, number>()
  for (const name of written) bytesMax.set(name, await limits.bytesMax(name))
  const checked = (record: ProducerRecord): ProducerRecord => {
    checkSize(record, bytesMax.get(record.topic) ?? Infinity)
    return record
  }
  const tell = letterLog(plan.name, log, clock)
  const topicOf = deadLetter?.topicOf ?? letterTopicOf
  const count = counted.outcomes(plan.name)
  const sourceOf = (topic: string) => plan.inputs[topics.inputs.indexOf(topic)]?.topic.name ?? topic
  return (partition: number, state: TaskState) =>
    new StreamTask({
      ...{ plan, partition, state, log },
      ...{ topics: topics.inputs, sourceCounts: topics.sourceCounts },
      now: () => clock.now(),
      elapsedMs: () => watched.elapsedMs,
      encode: (send) => packRecord(checked(maker.make(send))),
      check: checked,
      letter: (placed, error) => {
        tell(placed, error)
        return flowLetter({
          ...{ placed, error, groupId },
          // Of a copy that was written under another key, where the letters of its topic are.
          topicOf: (topic, isPoison) => topicOf(sourceOf(topic), isPoison),
          now: clock.now(),
          maxRetryCount: deadLetter?.maxRetryCount ?? 5,
          partitionCount: (topic) => facts.letterPartitions.get(topic),
        })
      },
      count,
    })
}
