import { OptionError } from '../../errors.ts'
import { shown } from '../../option-checks.ts'
import { nameOf } from './partitions.ts'

/** A topic by its name, or by its id where a later topic of the same name is not meant. */
export type TopicReference = string | { readonly id: string }

/** What is sent in place of an id where there is none. */
export const noTopicId = 'A'.repeat(22)

/** The name or the id, as it was given: results are found under it. */
export function referenceKey(topic: TopicReference): string {
  if (typeof topic === 'object') {
    // 16 bytes fill 21 characters and two bits of the last.
    const { id } = topic as { readonly id: unknown }
    if (typeof id === 'string' && /^[\w-]{21}[AQgw]$/.test(id) && id !== noTopicId) return id
    throw new OptionError(
      'topic.id',
      `(${shown(id)}) must be a topic id: 22 characters of base64url`,
    )
  }
  return nameOf('topic', topic)
}

export function referenceName(topic: TopicReference): string {
  return typeof topic === 'string' ? `topic ${topic}` : `topic with id ${topic.id}`
}
