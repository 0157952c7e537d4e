import type { NewTopic } from '../../client/index.ts'
import type { TopicContract } from '../../contract/index.ts'
import type { Findings } from './findings.ts'
import type { DifferentTopicRule } from './topic-policy.ts'
import type { SurveyedTopic } from './topic-survey.ts'

/** A topic that a service reads or writes. */
export interface PlannedTopic {
  readonly name: string
  /** What it should be; undefined for one that nothing was said of. */
  readonly contract: TopicContract | undefined
  readonly isRead: boolean
}

/** The topic as its contract says. */
export function newTopicOf({ name, contract }: PlannedTopic): NewTopic {
  if (contract === undefined) return { name }
  const { partitions, replicas, config } = contract.settings
  return {
    name,
    ...(partitions !== undefined && { partitions }),
    ...(replicas !== undefined && { replicas }),
    configs: config,
  }
}

/** Names what a topic has otherwise than its contract says, and what this client may not do with it. */
export function compareWithContract(
  { name, contract, isRead }: PlannedTopic,
  topic: SurveyedTopic,
  how: DifferentTopicRule,
  findings: Findings,
): void {
  if (isRead && topic.operations?.includes('read') === false) {
    findings.refuse(`the topic ${name} may not be read by this user: allow it READ`)
  }
  if (contract === undefined) return
  const { partitions, replicas, config } = contract.settings
  const differences: string[] = []
  if (partitions !== undefined && partitions !== topic.partitionCount) {
    differences.push(`has ${topic.partitionCount} partitions, not ${partitions}`)
  }
  if (replicas !== undefined && replicas !== topic.replicas) {
    differences.push(`has ${topic.replicas} replicas, not ${replicas}`)
  }
  for (const [key, wanted] of Object.entries(config)) {
    const value = topic.config?.get(key)?.value
    if (topic.config === undefined || sameConfig(key, value, wanted)) continue
    differences.push(`has ${key} ${value ?? 'unset'}, not ${wanted}`)
  }
  if (topic.config === undefined && Object.keys(config).length > 0) {
    findings.warn(
      `the configuration of ${name} was not compared with its contract: allow this user DESCRIBE_CONFIGS on it`,
    )
  }
  if (differences.length === 0) return
  const wayOut = 'change the topic, or what its contract says'
  findings.tell(
    how,
    `the topic ${name} is not as its contract says: it ${differences.join('; it ')}: ${wayOut}`,
  )
}

function sameConfig(key: string, value: string | undefined, wanted: string): boolean {
  if (value === undefined || value === wanted) return value === wanted
  // The order of what is done to a log means nothing.
  const listed = (text: string) =>
    text
      .split(',')
      .map((each) => each.trim())
      .sort()
      .join()
  return key === 'cleanup.policy' && listed(value) === listed(wanted)
}
