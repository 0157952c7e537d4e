import type { Refusal } from '../refusal.ts'
import { refuse } from '../refusal.ts'

const lengthMax = 249
const legal = /^[a-zA-Z0-9._-]+$/

export const offsetsTopic = '__consumer_offsets'
export const transactionsTopic = '__transaction_state'
export const shareStateTopic = '__share_group_state'
/** Not a topic: the name under which Kafka's tools ask for the cluster's own log. */
export const metadataTopic = '__cluster_metadata'

/** Whether a topic belongs to the coordinators; clients may read it and not write to it. */
export function isInternalTopic(name: string): boolean {
  return name === offsetsTopic || name === transactionsTopic || name === shareStateTopic
}

/** What is wrong with a topic's name, by Kafka's rules. */
export function refuseTopicName(name: string): Refusal | undefined {
  const problem = nameProblem(name)
  return problem === undefined
    ? undefined
    : refuse('INVALID_TOPIC_EXCEPTION', `topic name '${name}' ${problem}`)
}

function nameProblem(name: string): string | undefined {
  if (name === '') return 'must not be empty'
  if (name === '.' || name === '..') return "must not be '.' or '..'"
  if (name.length > lengthMax) return `must not be longer than ${lengthMax} characters`
  if (!legal.test(name)) return 'may contain only ASCII letters and digits, ., _ and -'
  return undefined
}

/** Kafka's metrics write `.` as `_`: two topics must not differ in these alone. */
export function collisionKey(name: string): string {
  return name.replaceAll('.', '_')
}
