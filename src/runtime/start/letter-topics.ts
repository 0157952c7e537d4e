import type { NewTopic } from '../../client/index.ts'
import type { DeadLetterSettings } from '../assemble.ts'
import type { RetryTopics } from '../retry/retry-topics.ts'
import type { Findings } from './findings.ts'
import type { DifferentTopicRule } from './topic-policy.ts'
import type { SurveyedTopic } from './topic-survey.ts'

/** What a letter's headers may take beside the record that it holds. */
const headerBytes = 64 * 1024

/** A dead-letter, poison or retry topic as it must be: several sources may share one that letters go to. */
export interface LetterTopic {
  readonly name: string
  /** Of a retry topic; undefined for one of letters. */
  readonly retry: RetryNeeds | undefined
  /** So many that letters keep the partition of their record. */
  readonly partitionCount: number
  readonly replicas: number
  /** The least that it must take. */
  readonly messageBytesMin: number
  /** Undefined: what the cluster says. */
  readonly minInSyncReplicas: string | undefined
}

/** How long copies are kept. */
export interface RetryNeeds {
  readonly delayMs: number
  /** As long as their records were, and the delay; -1 for ever. */
  readonly retentionMs: number
}

/** Kafka's own defaults. */
const messageBytesDefault = 1_048_588
const retentionMsDefault = 7 * 86_400_000

/** The topics that the letters of sources go to. */
export function letterTopicsOf(
  sources: readonly SurveyedTopic[],
  { topicOf }: DeadLetterSettings,
): LetterTopic[] {
  return sources.flatMap((source) =>
    [false, true].map((isPoison) => besides(source, topicOf(source.name, isPoison), undefined)),
  )
}

/** The topics in which copies of records of sources wait. */
export function retryTopicsOf(
  sources: readonly SurveyedTopic[],
  retryTopics: RetryTopics,
): LetterTopic[] {
  return retryTopics.all.flatMap(({ name, source, delayMs }) => {
    const topic = sources.find((each) => each.name === source)
    if (topic === undefined) return []
    const keptMs = retentionMsOf(topic)
    return besides(topic, name, { delayMs, retentionMs: keptMs < 0 ? -1 : keptMs + delayMs })
  })
}

function besides(source: SurveyedTopic, name: string, retry: RetryNeeds | undefined): LetterTopic {
  return {
    ...{ name, retry },
    partitionCount: source.partitionCount,
    replicas: source.replicas,
    messageBytesMin: messageBytesOf(source) + headerBytes,
    minInSyncReplicas: ownValue(source, 'min.insync.replicas'),
  }
}

/** One for each name, that serves all of them. */
export function mergedLetterTopics(topics: readonly LetterTopic[]): Map<string, LetterTopic> {
  const merged = new Map<string, LetterTopic>()
  for (const topic of topics) {
    const other = merged.get(topic.name) ?? topic
    merged.set(topic.name, {
      name: topic.name,
      retry: topic.retry ?? other.retry,
      partitionCount: Math.max(topic.partitionCount, other.partitionCount),
      replicas: Math.max(topic.replicas, other.replicas),
      messageBytesMin: Math.max(topic.messageBytesMin, other.messageBytesMin),
      minInSyncReplicas: topic.minInSyncReplicas ?? other.minInSyncReplicas,
    })
  }
  return merged
}

export function newLetterTopic(topic: LetterTopic): NewTopic {
  const { name, retry, partitionCount, replicas, messageBytesMin, minInSyncReplicas } = topic
  return {
    name,
    partitions: partitionCount,
    replicas,
    configs: {
      'cleanup.policy': 'delete',
      'max.message.bytes': messageBytesMin,
      // By size copies could go before their time.
      ...(retry && { 'retention.ms': retry.retentionMs, 'retention.bytes': -1 }),
      ...(minInSyncReplicas !== undefined && { 'min.insync.replicas': minInSyncReplicas }),
    },
  }
}

/** Refuses a topic that letters or copies could be lost in, or could not be written to. */
export function checkLetterTopic(
  wanted: LetterTopic,
  topic: SurveyedTopic,
  different: DifferentTopicRule,
  findings: Findings,
): void {
  const { name, retry, partitionCount, messageBytesMin } = wanted
  const what = `the ${kindOf(wanted)} topic ${name}`
  if (topic.operations?.includes('write') === false) {
    findings.refuse(`${what} may not be written by this user: allow it WRITE`)
  }
  if (retry !== undefined && topic.operations?.includes('read') === false) {
    findings.refuse(`${what} may not be read by this user: allow it READ`)
  }
  if (topic.config === undefined) {
    findings.refuse(`${what} cannot be checked: allow this user DESCRIBE_CONFIGS on it`)
    return
  }
  const cleanup = topic.config.get('cleanup.policy')?.value ?? 'delete'
  if (cleanup !== 'delete') {
    findings.refuse(
      `${what} has cleanup.policy=${cleanup}, which drops records of a key for later ones: set cleanup.policy=delete`,
    )
  }
  if (retry !== undefined) checkRetention(what, retry, topic, different, findings)
  const bytes = messageBytesOf(topic)
  if (bytes < messageBytesMin) {
    findings.refuse(
      `${what} has max.message.bytes=${bytes}, and the largest record in it needs ${messageBytesMin}: ` +
        `set max.message.bytes=${messageBytesMin}`,
    )
  }
  if (topic.partitionCount < partitionCount) {
    findings.tell(
      different,
      `${what} has ${topic.partitionCount} partitions and its source ${partitionCount}: what is written to it ` +
        `does not keep the partition of its record; add partitions`,
    )
  }
}

export function kindOf({ retry }: LetterTopic): string {
  return retry === undefined ? 'dead-letter' : 'retry'
}

/** Copies that go before their time are lost; those that go while nobody reads them are too. */
function checkRetention(
  what: string,
  { delayMs, retentionMs }: RetryNeeds,
  topic: SurveyedTopic,
  different: DifferentTopicRule,
  findings: Findings,
): void {
  const keptMs = retentionMsOf(topic)
  const wayOut = `set retention.ms=${retentionMs}`
  if (keptMs >= 0 && keptMs <= delayMs) {
    findings.refuse(
      `${what} has retention.ms=${keptMs}, and its copies wait ${delayMs} ms before they are read: ${wayOut}`,
    )
  } else if (keptMs >= 0 && (retentionMs < 0 || keptMs < retentionMs)) {
    findings.tell(
      different,
      `${what} has retention.ms=${keptMs}, which keeps copies shorter than their records: ${wayOut}`,
    )
  }
}

/** How long records are kept; -1 for ever. */
function retentionMsOf({ config }: SurveyedTopic): number {
  const cleanup = config?.get('cleanup.policy')?.value ?? 'delete'
  if (!cleanup.includes('delete')) return -1
  const value = Number(config?.get('retention.ms')?.value)
  return Number.isSafeInteger(value) ? value : retentionMsDefault
}

/** The largest batch that the topic takes. */
export function messageBytesOf({ config }: SurveyedTopic): number {
  const value = Number(config?.get('max.message.bytes')?.value)
  return Number.isSafeInteger(value) && value > 0 ? value : messageBytesDefault
}

function ownValue({ config }: SurveyedTopic, key: string): string | undefined {
  const entry = config?.get(key)
  return entry?.source === 'topic' ? entry.value : undefined
}
