import { OptionError } from '../errors.ts'
import type { EventContract } from './event-contract.ts'
import { shown } from './schema/shown.ts'
import { TopicContract } from './topic-contract.ts'
import type { EnvelopeName, TombstoneRule } from './topic-options.ts'

/** An event as it is described. */
export interface EventDescription {
  readonly type: string
  readonly version: number
  /** The versions that can be read, oldest first. */
  readonly versions: readonly number[]
  readonly description?: string
  /** Whose rule makes the key; null for no key. */
  readonly key: 'event' | 'topic' | null
  /** The rule as it was written. */
  readonly keyRule?: string
  /** Absent where a Standard Schema has none to show. */
  readonly schema?: object
}

/** A topic as it is described. */
export interface TopicDescription {
  readonly name: string
  readonly description?: string
  readonly envelope: EnvelopeName
  readonly contentType: string
  readonly tombstones: TombstoneRule
  readonly partitions?: number
  readonly replicas?: number
  readonly config: Readonly<Record<string, string>>
  readonly valueBytesMax: number
  readonly events: readonly EventDescription[]
}

/** All events of some topics, with schemas, versions and keys: plain data, fit for JSON. */
export function describeTopics(topics: readonly TopicContract[]): TopicDescription[] {
  return topics.map((topic, index) => {
    if (topic instanceof TopicContract) return describeTopic(topic)
    throw new OptionError(`topics[${index}]`, `(${shown(topic)}) must come from defineTopic`)
  })
}

function describeTopic(topic: TopicContract): TopicDescription {
  const { name, description, envelope, tombstones, settings, limits } = topic
  const { partitions, replicas, config } = settings
  return {
    name,
    ...(description === undefined ? {} : { description }),
    envelope,
    contentType: topic.codec.contentType,
    tombstones,
    ...(partitions === undefined ? {} : { partitions }),
    ...(replicas === undefined ? {} : { replicas }),
    config,
    valueBytesMax: limits.valueBytesMax,
    events: [...topic.events.values()].map((event) => describeEvent(topic, event)),
  }
}

function describeEvent(topic: TopicContract, event: EventContract): EventDescription {
  const { type, version, versions, description, jsonSchema } = event
  const rule = event.keyRule ?? topic.keyRule
  const key = rule === undefined ? null : event.keyRule === undefined ? 'topic' : 'event'
  return {
    type,
    version,
    versions,
    ...(description === undefined ? {} : { description }),
    key,
    ...(rule === undefined ? {} : { keyRule: rule }),
    ...(jsonSchema === undefined ? {} : { schema: jsonSchema }),
  }
}

/** What `describeTopics` answers, as a page of Markdown. */
export function describeTopicsAsMarkdown(topics: readonly TopicContract[]): string {
  const pages = describeTopics(topics).map((topic) => topicPage(topic))
  return `# Topics\n\n${pages.join('\n')}`
}

function topicPage(topic: TopicDescription): string {
  const facts: [string, string][] = [
    ['envelope', topic.envelope],
    ['content type', topic.contentType],
    [
      'partitions',
      topic.partitions === undefined ? "the cluster's default" : String(topic.partitions),
    ],
    ['replicas', topic.replicas === undefined ? "the cluster's default" : String(topic.replicas)],
    ['tombstones', topic.tombstones],
    ['largest value', `${topic.valueBytesMax} bytes`],
    ...Object.entries(topic.config),
  ]
  const rows = facts.map(([fact, value]) => `| ${cell(fact)} | ${cell(value)} |`)
  const events =
    topic.events.length === 0
      ? ['Anything may be in it.\n']
      : topic.events.map((event) => eventPart(event))
  const head = `## ${inline(topic.name)}\n\n${paragraph(topic.description)}`
  return `${head}| | |\n| --- | --- |\n${rows.join('\n')}\n\n${events.join('\n')}`
}

function eventPart({
  type,
  versions,
  description,
  key,
  keyRule,
  schema,
}: EventDescription): string {
  const keyText =
    keyRule === undefined
      ? 'no key, so no order'
      : `key by the ${key ?? ''}'s rule ${code(keyRule)}`
  const readable = versions.join(', ')
  const shownSchema =
    schema === undefined
      ? 'The schema is code.\n'
      : `\`\`\`json\n${JSON.stringify(schema, undefined, 2)}\n\`\`\`\n`
  return (
    `### ${inline(type)}\n\n${paragraph(description)}` +
    `Version ${versions.at(-1) ?? 1}${versions.length > 1 ? ` (reads ${readable})` : ''}; ${keyText}.\n\n` +
    shownSchema
  )
}

function paragraph(text: string | undefined): string {
  return text === undefined ? '' : `${text}\n\n`
}

/** Text where Markdown would see something else. */
function inline(text: string): string {
  return text.replaceAll(/[\\`*_<>#[\]|]/g, String.raw`\$&`)
}

function cell(text: string): string {
  return inline(text).replaceAll('\n', ' ')
}

/** Code in a line, inside of more backticks than it has in a row. */
function code(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ')
  const longest = Math.max(0, ...[...line.matchAll(/`+/g)].map(([ticks]) => ticks.length))
  const fence = '`'.repeat(longest + 1)
  return longest === 0 ? `${fence}${line}${fence}` : `${fence} ${line} ${fence}`
}
