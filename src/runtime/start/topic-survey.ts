import { KafkaError } from '../../client/index.ts'
import type { AclOperation, ConfigEntry, NewTopic, TopicDescription } from '../../client/index.ts'
import type { DriverAdmin } from '../../driver/index.ts'
import type { MillraceError } from '../../errors.ts'
import type { Log } from '../../observe/index.ts'
import type { Clock } from '../../platform/index.ts'
import type { Findings } from './findings.ts'

/** A topic as the cluster has it. */
export interface SurveyedTopic {
  readonly name: string
  readonly partitionCount: number
  readonly replicas: number
  /** What this client may do with it; undefined where the cluster does not tell. */
  readonly operations: readonly AclOperation[] | undefined
  /** Undefined where this client may not read it. */
  readonly config: ReadonlyMap<string, ConfigEntry> | undefined
}

/** What was found of topics: as they are, or that they are not there. Those that cannot be asked about are in neither. */
export interface Survey {
  readonly found: ReadonlyMap<string, SurveyedTopic>
  readonly missing: readonly string[]
}

export interface TopicSurveyorParts {
  readonly admin: Pick<DriverAdmin, 'topics' | 'configs'>
  readonly clock: Clock
  readonly log: Log
  readonly findings: Findings
  readonly signal: AbortSignal
}

/** A topic that was made is not known by all brokers at once. */
const spreadingMs = 10_000
const askAgainMs = 100

/** Looks at topics, and makes them. */
export class TopicSurveyor {
  readonly #parts: TopicSurveyorParts

  constructor(parts: TopicSurveyorParts) {
    this.#parts = parts
  }

  /** Topics whose names match. */
  async matching(pattern: RegExp): Promise<string[]> {
    const { admin, signal } = this.#parts
    const topics = await admin.topics.list({ signal })
    const everywhere = new RegExp(pattern.source, pattern.flags.replaceAll(/[gy]/g, ''))
    return topics.map(({ name }) => name).filter((name) => everywhere.test(name))
  }

  async look(names: Iterable<string>): Promise<Survey> {
    const { admin, signal } = this.#parts
    const asked = [...new Set(names)]
    if (asked.length === 0) return { found: new Map(), missing: [] }
    const described = await admin.topics.describeMany(asked, { authorizedOperations: true, signal })
    const there: TopicDescription[] = []
    const missing: string[] = []
    for (const [name, { error, ...description }] of described) {
      if (error === undefined) there.push(description as TopicDescription)
      else if (isMissing(error)) missing.push(name)
      else this.#refuse(name, error)
    }
    const configs = await this.#configs(there.map(({ name }) => name))
    const found = there.map((topic) => surveyed(topic, configs.get(topic.name)))
    return { found: new Map(found.map((topic) => [topic.name, topic])), missing }
  }

  /** Makes topics, and answers how they are. That somebody else made one meanwhile is as good. */
  async create(topics: readonly NewTopic[]): Promise<Survey> {
    if (topics.length === 0) return { found: new Map(), missing: [] }
    const { admin, clock, log, findings, signal } = this.#parts
    const made: string[] = []
    for (const [name, { error }] of await admin.topics.createMany(topics, { signal })) {
      if (error === undefined) log('info', `the topic ${name} was created`, { topic: name })
      if (error === undefined || isThere(error)) made.push(name)
      else findings.refuse(`the topic ${name} is missing and cannot be created: ${error.message}`)
    }
    const untilMs = clock.elapsedMs() + spreadingMs
    for (;;) {
      const survey = await this.look(made)
      if (survey.missing.length === 0 || clock.elapsedMs() >= untilMs) return survey
      await clock.sleep(askAgainMs, signal)
    }
  }

  async #configs(names: readonly string[]): Promise<ReadonlyMap<string, SurveyedTopic['config']>> {
    if (names.length === 0) return new Map()
    const { admin, signal } = this.#parts
    const resources = names.map((name) => ({ type: 'topic', name }) as const)
    const results = await admin.configs.describeMany(resources, { signal })
    return new Map(
      results.map(({ name, error, ...result }) => {
        if (error === undefined) return [name, 'entries' in result ? result.entries : undefined]
        if (!isForbidden(error) && !isMissing(error)) this.#refuse(name, error)
        return [name, undefined]
      }),
    )
  }

  #refuse(name: string, error: MillraceError): void {
    const { findings } = this.#parts
    const wayOut = isForbidden(error) ? ': allow this user DESCRIBE on it' : ''
    findings.refuse(`the topic ${name} cannot be looked at${wayOut}; ${error.message}`)
  }
}

function surveyed(
  { name, partitions, authorizedOperations }: TopicDescription,
  config: SurveyedTopic['config'],
): SurveyedTopic {
  return {
    name,
    partitionCount: partitions.length,
    replicas: partitions[0]?.replicas.length ?? 0,
    operations: authorizedOperations,
    config,
  }
}

function isMissing(error: MillraceError): boolean {
  return error instanceof KafkaError && error.kafkaName === 'UNKNOWN_TOPIC_OR_PARTITION'
}

function isThere(error: MillraceError): boolean {
  return error instanceof KafkaError && error.kafkaName === 'TOPIC_ALREADY_EXISTS'
}

function isForbidden(error: MillraceError): boolean {
  if (!(error instanceof KafkaError)) return false
  return (
    error.kafkaName === 'TOPIC_AUTHORIZATION_FAILED' ||
    error.kafkaName === 'CLUSTER_AUTHORIZATION_FAILED'
  )
}
