import { OptionError } from '../errors.ts'
import { shown } from './schema/shown.ts'

/** How topics are named in an organisation. */
export interface TopicNaming {
  /** What the whole name must match, as `/^[a-z-]+\.(events|commands)\.v\d+$/`. */
  readonly pattern: RegExp
  /** The rule in words, for whoever breaks it. */
  readonly rule: string
}

/** Names of a domain, a kind and a version: `orders.events.v1`, `billing.invoices.commands.v2`. */
export function kindNaming(kinds: readonly string[] = ['events', 'commands']): TopicNaming {
  const choice = kinds.map((kind) => kind.replaceAll(/[^\w-]/g, '')).join('|')
  return {
    pattern: new RegExp(`^[a-z][a-z0-9-]*(?:\\.[a-z0-9-]+)*\\.(?:${choice})\\.v[1-9]\\d*$`),
    rule: `<domain>.<${kinds.join(' or ')}>.v<version>, in lower case, as orders.${kinds[0] ?? 'events'}.v1`,
  }
}

/** Endings of the topics that the runtime keeps beside a topic. */
const suffixes = { deadLetter: '.dlq', poison: '.dlq-poison' } as const

const lengthMax = 249

/** Where records of a topic go that cannot be handled. */
export function deadLetterTopicName(topic: string): string {
  return `${topic}${suffixes.deadLetter}`
}

/** Where dead letters go that were dead-lettered too often, and what ends the process. */
export function poisonTopicName(topic: string): string {
  return `${topic}${suffixes.poison}`
}

/** Where records of a topic wait until a group tries them again. `delay` is as in its options: `30s`. */
export function retryTopicName(topic: string, group: string, delay: string): string {
  return `${topic}.${group.replaceAll(/[^a-zA-Z0-9._-]/g, '-')}.retry.${delay}`
}

/**
 * Throws unless Kafka takes `name`, it leaves room for the topics beside it, and is none of those. The
 * names of dead-letter topics are allowed with `isOwn`: for who reads them.
 */
export function checkTopicName(name: unknown, option: string, naming?: TopicNaming): void {
  const refuse = (problem: string) => {
    throw new OptionError(option, `(${shown(name)}) ${problem}`)
  }
  if (typeof name !== 'string' || !/^[a-zA-Z0-9._-]+$/.test(name) || /^\.{1,2}$/.test(name)) {
    refuse('must consist of letters, digits, ., _ and -')
    return
  }
  if (name.length > lengthMax) refuse(`must have at most ${lengthMax} characters`)
  if (name.startsWith('__')) refuse("must not begin with '__': such topics are Kafka's own")
  if (naming !== undefined && !naming.pattern.test(name)) refuse(`must be ${naming.rule}`)
}
