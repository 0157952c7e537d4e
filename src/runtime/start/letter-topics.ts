import type { NewTopic } from '../../client/index.ts'
import type { DeadLetterSettings } from '../assemble.ts'
import type { Findings } from './findings.ts'
import type { DifferentTopicRule } from './topic-policy.ts'
import type { SurveyedTopic } from './topic-survey.ts'

/** What a letter's headers may take beside the record that it holds. */
const headerBytes = 64 * 1024

/** A dead-letter or poison topic as it must be: several sources may share one. */
export interface LetterTopic {
  readonly name: string
  /** So many that letters keep the partition of their record. */
  readonly partitionCount: number
  readonly replicas: number
  /** The least that it must take. */
  readonly messageBytesMin: number
  /** Undefined: what the cluster says. */
  readonly minInSyncReplicas: string | undefined
}

/** Kafka's own default. */
const messageBytesDefault = 1_048_588

/** The topics that the letters of sources go to. */
export function letterTopicsOf(
  sources: readonly SurveyedTopic[],
  { topicOf }: DeadLetterSettings,
): LetterTopic[] {
  return sources.flatMap((source) =>
    [false, true].map((isPoison) => ({
      name: topicOf(source.name, isPoison),
      partitionCount: source.partitionCount,
      replicas: source.replicas,
      messageBytesMin: messageBytesOf(source) + headerBytes,
      minInSyncReplicas: ownValue(source, 'min.insync.replicas'),
    })),
  )
}

/** One for each name, that serves all of them. */
export function mergedLetterTopics(topics: readonly LetterTopic[]): Map<string, LetterTopic> {
  const merged = new Map<string, LetterTopic>()
  for (const topic of topics) {
    const other = merged.get(topic.name) ?? topic
    merged.set(topic.name, {
      name: topic.name,
      partitionCount: Math.max(topic.partitionCount, other.partitionCount),
      replicas: Math.max(topic.replicas, other.replicas),
      messageBytesMin: Math.max(topic.messageBytesMin, other.messageBytesMin),
      minInSyncReplicas: topic.minInSyncReplicas ?? other.minInSyncReplicas,
    })
  }
  return merged
}

export function newLetterTopic(topic: LetterTopic): NewTopic {
  const { name, partitionCount, replicas, messageBytesMin, minInSyncReplicas } = topic
  return {
    name,
    partitions: partitionCount,
    replicas,
    configs: {
      'cleanup.policy': 'delete',
      'max.message.bytes': messageBytesMin,
      ...(minInSyncReplicas !== undefined && { 'min.insync.replicas': minInSyncReplicas }),
    },
  }
}

/** Refuses a topic that letters could be lost in, or could not be written to. */
export function checkLetterTopic(
  wanted: LetterTopic,
  topic: SurveyedTopic,
  different: DifferentTopicRule,
  findings: Findings,
): void {
  const { name, partitionCount, messageBytesMin } = wanted
  const what = `the dead-letter topic ${name}`
  if (topic.operations?.includes('write') === false) {
    findings.refuse(`${what} may not be written by this user: allow it WRITE`)
  }
  if (topic.config === undefined) {
    findings.refuse(`${what} cannot be checked: allow this user DESCRIBE_CONFIGS on it`)
    return
  }
  const cleanup = topic.config.get('cleanup.policy')?.value ?? 'delete'
  if (cleanup !== 'delete') {
    findings.refuse(
      `${what} has cleanup.policy=${cleanup}, which drops letters of a key for later ones: set cleanup.policy=delete`,
    )
  }
  const bytes = messageBytesOf(topic)
  if (bytes < messageBytesMin) {
    findings.refuse(
      `${what} has max.message.bytes=${bytes}, and the largest letter needs ${messageBytesMin}: ` +
        `set max.message.bytes=${messageBytesMin}`,
    )
  }
  if (topic.partitionCount < partitionCount) {
    findings.tell(
      different,
      `${what} has ${topic.partitionCount} partitions and its source ${partitionCount}: letters do not keep ` +
        `the partition of their record; add partitions`,
    )
  }
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
