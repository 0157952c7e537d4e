import { KafkaError } from '../../client/index.ts'
import type { NewTopic, TopicDescription } from '../../client/index.ts'
import type { DriverAdmin } from '../../driver/index.ts'
import { MillraceError } from '../../errors.ts'
import type { Log } from '../../observe/index.ts'
import type { Clock } from '../../platform/index.ts'
import type { FlowPlan } from '../flow/flow-plan.ts'

/** The topics that a flow has of its own, and how many tasks it has. */
export interface FlowTopics {
  readonly taskCount: number
  /** Of each input: the topic that it is worked from. */
  readonly inputs: readonly string[]
  /** Of each input, from how many partitions its records come: more than one where they are written again. */
  readonly sourceCounts: readonly number[]
  /** Undefined where nothing is remembered. */
  readonly changelog: string | undefined
  /** How long the changelog keeps deletions. */
  readonly deletionsKeptMs: number
}

export interface FlowTopicsParts {
  readonly admin: DriverAdmin
  readonly clock: Clock
  readonly log: Log
  readonly plan: FlowPlan
  readonly groupId: string
  readonly signal: AbortSignal
}

const dayMs = 86_400_000
const spreadingMs = 10_000
const askAgainMs = 100

/** Looks whether the same keys are in the same partitions of all inputs, and makes the topics that the flow has of its own. */
export async function prepareTopics(parts: FlowTopicsParts): Promise<FlowTopics> {
  const { plan, groupId } = parts
  const described = await describe(
    parts,
    plan.inputs.map(({ topic }) => topic.name),
  )
  const counts = plan.inputs.map(({ topic }) => described.get(topic.name)?.partitions.length ?? 0)
  const taskCount = taskCountOf(plan, counts)
  const inputs = plan.inputs.map(({ topic, on }) =>
    on === undefined ? topic.name : `${groupId}.${topic.name}.by-key`,
  )
  const changelog = plan.isStateful ? `${groupId}.changelog` : undefined
  const wanted: NewTopic[] = inputs
    .filter((_, input) => plan.inputs[input]?.on !== undefined)
    // It is deleted when it is worked, and not before, however long that takes.
    .map((name) => ({
      name,
      partitions: taskCount,
      configs: { 'cleanup.policy': 'delete', 'retention.ms': '-1', 'retention.bytes': '-1' },
    }))
  if (changelog !== undefined) {
    wanted.push({
      name: changelog,
      partitions: taskCount,
      configs: { 'cleanup.policy': 'compact' },
    })
  }
  await create(parts, wanted)
  const made = await describe(
    parts,
    wanted.map(({ name }) => name),
  )
  for (const { name } of wanted) {
    const count = made.get(name)?.partitions.length ?? 0
    if (count === taskCount) continue
    throw refused(
      `the topic ${name} has ${count} partitions, and ${plan.name} has ${taskCount} tasks: a flow whose topics get other partitions begins anew, under another name`,
    )
  }
  return {
    ...{ taskCount, inputs, changelog },
    sourceCounts: plan.inputs.map(({ on }, input) => (on === undefined ? 1 : (counts[input] ?? 1))),
    deletionsKeptMs: await deletionsKept(parts, changelog),
  }
}

/** As many tasks as the inputs have partitions that are not written again. */
function taskCountOf({ name, inputs }: FlowPlan, counts: readonly number[]): number {
  const fixed = inputs.flatMap(({ topic, on }, input) =>
    on === undefined ? [{ topic: topic.name, count: counts[input] as number }] : [],
  )
  const [first] = fixed
  if (first === undefined) return Math.max(...counts)
  const other = fixed.find(({ count }) => count !== first.count)
  if (other === undefined) return first.count
  throw refused(
    `${name} cannot bring together what belongs together: ${first.topic} has ${first.count} partitions, and ${other.topic} has ${other.count}. Give both as many, or say 'on' for one of them, so that it is written again`,
  )
}

async function describe(
  { admin, signal }: FlowTopicsParts,
  names: readonly string[],
): Promise<ReadonlyMap<string, TopicDescription>> {
  if (names.length === 0) return new Map()
  const found = new Map<string, TopicDescription>()
  for (const [name, { error, ...topic }] of await admin.topics.describeMany(names, { signal })) {
    if (error !== undefined) throw error
    found.set(name, topic as TopicDescription)
  }
  return found
}

async function create(parts: FlowTopicsParts, topics: readonly NewTopic[]): Promise<void> {
  const { admin, clock, log, signal } = parts
  if (topics.length === 0) return
  const names = topics.map(({ name }) => name)
  const there = await admin.topics.describeMany(names, { signal })
  const missing = topics.filter(({ name }) => there.get(name)?.error !== undefined)
  if (missing.length === 0) return
  for (const [name, { error }] of await admin.topics.createMany(missing, { signal })) {
    if (error === undefined) log('info', `the topic ${name} was created`, { topic: name })
    else if (!(error instanceof KafkaError) || error.kafkaName !== 'TOPIC_ALREADY_EXISTS')
      throw error
  }
  const untilMs = clock.elapsedMs() + spreadingMs
  for (;;) {
    const described = await admin.topics.describeMany(names, { signal })
    const isKnown = [...described.values()].every(({ error }) => error === undefined)
    if (isKnown || clock.elapsedMs() >= untilMs) return
    await clock.sleep(askAgainMs, signal)
  }
}

async function deletionsKept(
  { admin }: FlowTopicsParts,
  changelog: string | undefined,
): Promise<number> {
  if (changelog === undefined) return dayMs
  const [found] = await admin.configs.describeMany([{ type: 'topic', name: changelog }])
  const entry = found?.error === undefined ? found?.entries.get('delete.retention.ms') : undefined
  return typeof entry?.value === 'string' ? Number(entry.value) : dayMs
}

function refused(problem: string): MillraceError {
  return new MillraceError('MILLRACE_RUNTIME_START_REFUSED', problem)
}
