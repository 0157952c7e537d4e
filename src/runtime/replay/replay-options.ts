import type { TopicContract } from '../../contract/index.ts'
import { OptionError } from '../../errors.ts'
import { optionsOf, shown } from '../../option-checks.ts'
import type { ConsumerSettings } from '../assemble.ts'
import type { RecordConsumer } from '../service/record-consumer.ts'
import type { ServiceConsumer } from '../service/service-consumer.ts'

/** A place in each partition: a time is that of its first record at or after it, an offset is of one partition. */
export type ReplayPlace = Date | { readonly timestamp: number } | { readonly offset: number }

/** What is read again, and how. */
export interface ReplayOptions {
  /** Whose handlers run. @defaultValue the only consumer of the topic */
  readonly consumer?: ServiceConsumer | RecordConsumer
  /** What is read. @defaultValue the only topic of the consumer */
  readonly topic?: string | Pick<TopicContract, 'name'>
  /** @defaultValue all */
  readonly partitions?: readonly number[]
  /** The first record. */
  readonly from: 'beginning' | ReplayPlace
  /** Behind the last record. @defaultValue 'end', as it is when the replay begins */
  readonly to?: 'end' | ReplayPlace
  /** What becomes of events that were done before: `'honour'` skips them, with `'ignore'` they run again. */
  readonly dedupe: 'honour' | 'ignore'
  /** Ends it before its time: what runs may end. */
  readonly signal?: AbortSignal
}

/** A consumer of a service, as far as a replay has to know it. */
export interface ReplayedConsumer {
  readonly consumer: ServiceConsumer | RecordConsumer
  readonly settings: ConsumerSettings
}

/** What is read again, decided. */
export interface ReplayPlan<Definition extends ReplayedConsumer> {
  readonly definition: Definition
  readonly topic: string
  readonly partitions: readonly number[] | undefined
  readonly from: 'beginning' | PlaceInPartitions
  readonly to: 'end' | PlaceInPartitions
  readonly dedupe: 'honour' | 'ignore'
  readonly signal: AbortSignal | undefined
}

export type PlaceInPartitions = { readonly timestamp: number } | { readonly offset: number }

const names = ['consumer', 'topic', 'partitions', 'from', 'to', 'dedupe', 'signal']

/** Checks what is to be read again, against the consumers of the service. */
export function replayPlan<Definition extends ReplayedConsumer>(
  options: ReplayOptions,
  definitions: readonly Definition[],
): ReplayPlan<Definition> {
  const given = optionsOf(options, 'replay', names)
  const { partitions, signal } = options
  checkPartitions(given['partitions'])
  const { definition, topic } = replayed(options, definitions)
  const dedupe = dedupeOf(given['dedupe'], definition.settings)
  const isOne = partitions?.length === 1
  const from = placeOf(given['from'], 'replay.from', 'beginning', isOne)
  const to = options.to === undefined ? 'end' : placeOf(given['to'], 'replay.to', 'end', isOne)
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw new OptionError('replay.signal', 'must be an AbortSignal')
  }
  return { definition, topic, partitions, from, to, dedupe, signal }
}

function replayed<Definition extends ReplayedConsumer>(
  { consumer, topic }: ReplayOptions,
  definitions: readonly Definition[],
): { readonly definition: Definition; readonly topic: string } {
  const name = typeof topic === 'object' ? topic.name : topic
  const mayBe = definitions.filter(
    (each) =>
      (consumer === undefined || each.consumer === consumer) &&
      (name === undefined || reads(each.settings, name)),
  )
  const [definition] = mayBe
  if (definition === undefined) {
    const what = consumer === undefined ? 'no consumer of this service' : 'not the consumer'
    throw new OptionError('replay.topic', `(${shown(name)}) is read by ${what}`)
  }
  if (mayBe.length > 1) {
    throw new OptionError('replay.consumer', 'is missing: several consumers could be meant')
  }
  const { topics } = definition.settings
  const only = Array.isArray(topics) && topics.length === 1 ? (topics[0] as string) : undefined
  const chosen = name ?? only
  if (chosen !== undefined) return { definition, topic: chosen }
  throw new OptionError('replay.topic', 'is missing: the consumer reads several')
}

function reads({ topics }: ConsumerSettings, name: string): boolean {
  if (typeof topics === 'string') return topics === name
  if (topics instanceof RegExp) return topics.test(name)
  return 'pattern' in topics
    ? new RegExp(`^(?:${topics.pattern})$`).test(name)
    : topics.includes(name)
}

function checkPartitions(given: unknown): void {
  if (given === undefined) return
  const isList =
    Array.isArray(given) &&
    given.length > 0 &&
    given.every((each: unknown) => Number.isSafeInteger(each) && (each as number) >= 0)
  if (isList) return
  throw new OptionError('replay.partitions', `(${shown(given)}) must be numbers of partitions`)
}

function dedupeOf(given: unknown, { dedupe }: ConsumerSettings): 'honour' | 'ignore' {
  if (given !== 'honour' && given !== 'ignore') {
    const allowed = `'honour', which skips events that were done, or 'ignore', which runs them again`
    throw new OptionError('replay.dedupe', `(${shown(given)}) must be ${allowed}`)
  }
  if (given === 'honour' && dedupe === undefined) {
    const problem = `('honour') has nothing to go by: the consumer has dedupe: false; say 'ignore'`
    throw new OptionError('replay.dedupe', problem)
  }
  return given
}

function placeOf<Word extends string>(
  given: unknown,
  option: string,
  word: Word,
  isOnePartition: boolean,
): Word | PlaceInPartitions {
  if (given === word) return word
  const place =
    given instanceof Date ? { timestamp: given.getTime() } : (given as object | null | undefined)
  const [name, value] = Object.entries(place ?? {})[0] ?? []
  const isKnown = name === 'timestamp' || name === 'offset'
  if (!isKnown || !Number.isSafeInteger(value) || (value as number) < 0) {
    const allowed = `'${word}', a Date, { timestamp } or { offset }`
    throw new OptionError(option, `(${shown(given)}) must be ${allowed}`)
  }
  if (name === 'offset' && !isOnePartition) {
    throw new OptionError(
      option,
      `({ offset: ${String(value)} }) is a place in one partition: say which, with partitions: [n]`,
    )
  }
  return place as PlaceInPartitions
}
