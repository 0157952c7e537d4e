import { retryTopicName } from '../../contract/index.ts'
import type { TopicContract } from '../../contract/index.ts'
import type { ConsumerSettings } from '../assemble.ts'
import { checkPartitionCount } from './dangers.ts'
import type { Findings } from './findings.ts'
import {
  checkLetterTopic,
  kindOf,
  letterTopicsOf,
  mergedLetterTopics,
  messageBytesOf,
  newLetterTopic,
  retryTopicsOf,
} from './letter-topics.ts'
import type { LetterTopic } from './letter-topics.ts'
import { compareWithContract, newTopicOf } from './source-topics.ts'
import type { PlannedTopic } from './source-topics.ts'
import type { MissingTopicRule, ResolvedTopicPolicy } from './topic-policy.ts'
import type { SurveyedTopic, TopicSurveyor } from './topic-survey.ts'

/** A consumer as far as the start has to know it. */
export interface PlannedConsumer {
  readonly settings: ConsumerSettings
  /** Contracts of the topics that it reads; empty where it reads whatever is there. */
  readonly contracts: readonly TopicContract[]
}

export interface TopicChecksParts {
  readonly surveyor: TopicSurveyor
  readonly findings: Findings
  readonly policy: ResolvedTopicPolicy
  readonly isDevelopment: boolean
  readonly consumers: readonly PlannedConsumer[]
  /** Topics that are only written to. */
  readonly written: readonly TopicContract[]
}

/** What the start has found out, for the run. */
export interface TopicFacts {
  /** By topic, of those that letters and copies go to. */
  readonly letterPartitions: ReadonlyMap<string, number>
  /** The largest batch that any topic takes that letters or copies go to. */
  readonly letterBytesMax: number
}

/** Compares the topics of a service with what it needs; makes those that are missing where it may. */
export async function checkTopics(parts: TopicChecksParts): Promise<TopicFacts> {
  const { surveyor, consumers, findings } = parts
  const sources = await Promise.all(consumers.map((consumer) => sourcesOf(consumer, surveyor)))
  const found = await checkSources(parts, plannedTopics(parts, sources))
  const letters: LetterTopic[] = []
  consumers.forEach(({ settings }, index) => {
    const topics = (sources[index] ?? []).flatMap((name) => found.get(name) ?? [])
    for (const { name, partitionCount } of topics) {
      checkPartitionCount(name, partitionCount, settings, findings)
    }
    const copies = settings.copies?.kind === 'topics' ? settings.copies.topics : undefined
    if (copies !== undefined) letters.push(...retryTopicsOf(topics, copies))
    if (settings.deadLetter === undefined) return
    const wanted = letterTopicsOf(topics, settings.deadLetter)
    checkNoLoop(settings, sources[index] ?? [], wanted, findings)
    letters.push(...wanted)
  })
  await warnOfOldCopies(parts)
  return checkLetters(parts, mergedLetterTopics(letters))
}

/** The names of the topics that a consumer reads now. */
async function sourcesOf(
  { settings: { topics } }: PlannedConsumer,
  surveyor: TopicSurveyor,
): Promise<readonly string[]> {
  if (typeof topics === 'string') return [topics]
  if (topics instanceof RegExp) return surveyor.matching(topics)
  if ('pattern' in topics) return []
  return topics
}

function plannedTopics(
  { consumers, written }: TopicChecksParts,
  sources: readonly (readonly string[])[],
): readonly PlannedTopic[] {
  const planned = new Map<string, PlannedTopic>()
  for (const contract of written) {
    planned.set(contract.name, { name: contract.name, contract, isRead: false })
  }
  consumers.forEach(({ contracts }, index) => {
    for (const name of sources[index] ?? []) {
      const contract = contracts.find((each) => each.name === name) ?? planned.get(name)?.contract
      planned.set(name, { name, contract, isRead: true })
    }
  })
  return [...planned.values()]
}

async function checkSources(
  { surveyor, findings, policy, isDevelopment }: TopicChecksParts,
  planned: readonly PlannedTopic[],
): Promise<ReadonlyMap<string, SurveyedTopic>> {
  const { found, missing } = await surveyor.look(planned.map(({ name }) => name))
  const rule = policy.missing ?? (isDevelopment ? 'create' : 'refuse')
  const toCreate = planned.filter(({ name }) => missing.includes(name))
  if (rule !== 'create') {
    for (const { name } of toCreate) {
      findings.tell(rule, `the topic ${name} is missing: create it, or say topicPolicy: 'create'`)
    }
  }
  const made = rule === 'create' ? await surveyor.create(toCreate.map(newTopicOf)) : undefined
  const all = new Map([...found, ...(made?.found ?? [])])
  for (const topic of planned) {
    const there = all.get(topic.name)
    if (there !== undefined) compareWithContract(topic, there, policy.different, findings)
  }
  return all
}

/** A consumer that reads its own letters would write letters of letters, without an end. */
export function checkNoLoop(
  { groupId, topics, copies }: ConsumerSettings,
  sources: readonly string[],
  letters: readonly LetterTopic[],
  findings: Findings,
): void {
  for (const { name } of letters) {
    const isSource = topics instanceof RegExp ? topics.test(name) : sources.includes(name)
    const isRetry = copies?.kind === 'topics' && copies.topics.get(name) !== undefined
    if (!isSource && !isRetry) continue
    const wayOut =
      topics instanceof RegExp
        ? `end the pattern (${String(topics)}) so that it leaves them out, or say deadLetter.topic`
        : 'say another deadLetter.topic'
    findings.refuse(`group ${groupId} would read its own dead letters in ${name}: ${wayOut}`)
  }
}

/** Copies wait for ever in a retry topic that is not read any more, since the delays were changed. */
async function warnOfOldCopies({ surveyor, consumers, findings }: TopicChecksParts): Promise<void> {
  for (const { settings } of consumers) {
    const { groupId, topics, copies } = settings
    if (copies?.kind !== 'topics' || typeof topics === 'string' || !Array.isArray(topics)) continue
    for (const source of topics as readonly string[]) {
      const prefix = retryTopicName(source, groupId, '')
      const known = await surveyor.matching(new RegExp(`^${escaped(prefix)}\\w+$`))
      const old = known.filter((name) => copies.topics.get(name) === undefined)
      for (const name of old) {
        findings.warn(
          `the retry topic ${name} is not read any more: name its delay in retry.topics until it is empty, then ` +
            'delete it',
        )
      }
    }
  }
}

function escaped(text: string): string {
  return text.replaceAll(/[^\w]/g, '\\$&')
}

/** Looks at topics that letters and copies go to, and makes those that are missing. */
export async function checkLetters(
  { surveyor, findings, policy }: Pick<TopicChecksParts, 'surveyor' | 'findings' | 'policy'>,
  wanted: ReadonlyMap<string, LetterTopic>,
): Promise<TopicFacts> {
  const { found, missing } = await surveyor.look(wanted.keys())
  // They are the runtime's own: made also where other topics are not, unless that was ruled out.
  const rule: MissingTopicRule = policy.missing ?? 'create'
  const toCreate = [...wanted.values()].filter(({ name }) => missing.includes(name))
  if (rule !== 'create') {
    for (const topic of toCreate) findings.refuse(missingLetterTopic(topic))
  }
  const made = rule === 'create' ? await surveyor.create(toCreate.map(newLetterTopic)) : undefined
  const all = [...found.values(), ...(made?.found.values() ?? [])]
  for (const topic of all) {
    const letter = wanted.get(topic.name)
    if (letter !== undefined) checkLetterTopic(letter, topic, policy.different, findings)
  }
  return {
    letterPartitions: new Map(all.map(({ name, partitionCount }) => [name, partitionCount])),
    letterBytesMax: Math.max(0, ...all.map(messageBytesOf)),
  }
}

function missingLetterTopic(topic: LetterTopic): string {
  const { name, retry, partitionCount, messageBytesMin } = topic
  const retention = retry === undefined ? '' : `, retention.ms=${retry.retentionMs}`
  const without = retry === undefined ? 'deadLetter: false' : 'another retry.topics'
  return (
    `the ${kindOf(topic)} topic ${name} is missing: create it with ${partitionCount} partitions, ` +
    `cleanup.policy=delete${retention} and max.message.bytes=${messageBytesMin}, say topicPolicy: 'create', or do ` +
    `without with ${without}`
  )
}
