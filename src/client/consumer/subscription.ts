import { OptionError } from '../../errors.ts'
import type { Subscription } from './group-member.ts'

/** Topics by name; or those whose names match: a RegExp anywhere in the name, a `pattern` (RE2) as a whole. */
export type TopicSelection = string | readonly string[] | RegExp | { readonly pattern: string }

/** What a group is told of the topics that are wanted. */
export function subscriptionOf(topics: TopicSelection): Subscription {
  if (typeof topics === 'string') return subscriptionOf([topics])
  if (topics instanceof RegExp) return { kind: 'pattern', pattern: wholeNamePattern(topics) }
  if ('pattern' in topics) return { kind: 'pattern', pattern: topics.pattern }
  const names = [...new Set(topics)]
  if (names.length === 0 || names.some((name) => typeof name !== 'string' || name === '')) {
    throw new OptionError('topics', 'must be one topic or more, or a pattern')
  }
  return { kind: 'topics', topics: names }
}

/** Kafka's patterns match whole names. */
function wholeNamePattern({ source, flags }: RegExp): string {
  const unsupported = flags.replace(/[iuv]/g, '')
  if (unsupported !== '') {
    throw new OptionError(
      'topics',
      `(a pattern with the flags '${flags}') may have the flag i only`,
    )
  }
  return `${flags.includes('i') ? '(?i)' : ''}.*(?:${source}).*`
}
