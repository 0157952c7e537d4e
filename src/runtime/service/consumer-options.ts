import type { GroupOptions, TopicSelection } from '../../client/index.ts'
import { OptionError } from '../../errors.ts'
import { oneOf, optionsOf, shown, text, wholeNumber } from '../../option-checks.ts'
import type { GivenOptions } from '../../option-checks.ts'
import type { ConsumerSettings, DeadLetterSettings } from '../assemble.ts'
import type { OffsetLostRule } from '../consumer-run.ts'
import type { TooLarge } from '../dead-letter/dead-letters.ts'
import { failureActions } from '../failure/failure-policy.ts'
import type { FailureRule } from '../failure/failure-policy.ts'
import type { RetryOptions } from '../failure/failures.ts'
import { recordOrders } from '../lanes/record-order.ts'
import type { RecordOrder } from '../lanes/record-order.ts'
import { windowMax } from '../ledger/index.ts'
import { retryCopiesOf, retryCopyNames } from '../retry/retry-settings.ts'
import type { RetryCopyOptions } from '../retry/retry-settings.ts'
import type { DedupeStore } from '../../store/index.ts'
import type { StartPosition } from '../start-position.ts'
import type { DedupeSettings } from '../steps/dedupe.ts'

export interface DeadLetterOptions {
  /** The topic that letters of a topic go to. @defaultValue `${topic}.dlq` */
  readonly topic?: (topic: string) => string
  /** Where a record goes that was dead-lettered more than `maxRetryCount` times. @defaultValue `${topic}.dlq-poison` */
  readonly poisonTopic?: (topic: string) => string
  /** How often a record may come back from its dead-letter topic. @defaultValue 5 */
  readonly maxRetryCount?: number
  /** What is done with a letter that the broker finds too large. @defaultValue 'stop' */
  readonly tooLarge?: TooLarge
}

/** How events that were done before are recognised. */
export interface DedupeOptions {
  /** What remembers them. @defaultValue the memory of this consumer: it knows nothing of other processes */
  readonly store?: DedupeStore
  /** How many events that memory remembers at least; twice as many at most. @defaultValue 100000 */
  readonly idsMax?: number
  /** How long the events wait that a process was at when it was killed. @defaultValue 30000 */
  readonly claimMs?: number
  /** How long a store remembers what is done: longer than anything may come again. @defaultValue 604800000 (7 days) */
  readonly rememberMs?: number
  /** How long a store may take to answer, and is tried to be told that an event is done. @defaultValue 5000 */
  readonly storeTimeoutMs?: number
  /** What events do while the store does not answer: `'wait'` for it, or `'run'` unasked. @defaultValue 'wait' */
  readonly whenUnavailable?: 'wait' | 'run'
}

/** How a consumer writes and commits in one. */
export interface ExactlyOnceOptions {
  /** What the cluster knows this process by; no other may have it. @defaultValue one of this life of the process */
  readonly transactionalId?: string
  /**
   * For how long readers of committed records, and whoever takes partitions over, wait when this process dies in the middle of a commit.
   * @defaultValue `group.sessionTimeoutMs` where it is given, at least 3000 and at most 10000; else 10000
   */
  readonly transactionTimeoutMs?: number
  /** How many bytes may wait to be written with the next commit. @defaultValue 33554432 (32 MiB) */
  readonly stagedBytesMax?: number
}

/** How one consumer works. */
export interface ConsumerOptions {
  /** The group that it belongs to. @defaultValue the name of the service */
  readonly groupId?: string
  /** Where a new group begins. @defaultValue 'latest' */
  readonly start?: StartPosition | Date
  /** What is done when the records where it goes on are not there any more. @defaultValue 'stop' */
  readonly onOffsetLost?: OffsetLostRule
  /** What runs one after another: the records of a key, those of a partition, or none. @defaultValue 'key' */
  readonly order?: RecordOrder
  /** How many records run at once. @defaultValue 64 */
  readonly concurrency?: number
  /** How long one run may take; then its signal aborts and it has failed. @defaultValue as long as it likes */
  readonly handlerTimeoutMs?: number
  /** How often, and for how long, a record is tried that fails; and where it goes then to be tried again later. */
  readonly retry?: Partial<RetryOptions> & RetryCopyOptions
  /** What is done about which errors; the first rule that says something counts. @defaultValue all are tried again */
  readonly errors?: readonly FailureRule[]
  /**
   * While handlers fail for most records, nothing is given up (an outage); `maxMs` bounds for how long.
   * @defaultValue for as long as it lasts
   */
  readonly outage?: { readonly maxMs?: number }
  /** What cannot be handled goes to a dead-letter topic; with `false` it stops its partition. @defaultValue true */
  readonly deadLetter?: boolean | DeadLetterOptions
  /** Events that were done before are skipped; with `false` they run again. @defaultValue true */
  readonly dedupe?: boolean | DedupeOptions
  /**
   * What handlers send (`send`), dead letters and offsets are one transaction: all of it counts, or nothing does.
   * @defaultValue false
   */
  readonly exactlyOnce?: boolean | ExactlyOnceOptions
  /** When what has ended is committed: after a second by default, under exactly-once after 100 ms. */
  readonly commit?: { readonly intervalMs?: number; readonly countMax?: number }
  /** How far records may run ahead of the oldest one that has not ended. @defaultValue 16384 */
  readonly window?: number
  /** How long what runs may take to end when its partition is given up, or the service ends. @defaultValue 20000 */
  readonly drainMs?: number
  /** What waits here to be run, of one partition. */
  readonly buffer?: { readonly recordsMax?: number; readonly bytesMax?: number }
  /** Membership in the group: protocol, session, assignors, static membership. */
  readonly group?: GroupOptions
}

const optionNames = [
  'groupId',
  'start',
  'onOffsetLost',
  'order',
  'concurrency',
  'handlerTimeoutMs',
  'retry',
  'errors',
  'outage',
  'deadLetter',
  'dedupe',
  'exactlyOnce',
  'commit',
  'window',
  'drainMs',
  'buffer',
  'group',
]

const intMax = 2 ** 31 - 1
const waitingMin = 4_096
const waitingBytes = 16 * 1024 * 1024

/** Checks the options of a consumer and puts every default in place; `path` is where they stand. */
export function resolveConsumerOptions(
  options: ConsumerOptions,
  path: string,
  from: { readonly groupId: string; readonly topics: TopicSelection },
): ConsumerSettings {
  const given = optionsOf(options, path, optionNames)
  const at = (name: string) => `${path}.${name}`
  const number = (name: string, absent: number, min: number, max = intMax) =>
    wholeNumber(given, name, absent, { min, max }, at(name))
  const concurrency = number('concurrency', 64, 1, 100_000)
  const buffer = part(given, 'buffer', path, ['recordsMax', 'bytesMax'])
  const retry = part(given, 'retry', path, [...retryNames, ...retryCopyNames])
  const groupId = text(given, 'groupId', at('groupId')) ?? from.groupId
  const order = oneOf(given['order'], at('order'), recordOrders, 'key')
  const { topics } = from
  return {
    ...{ groupId, topics, order },
    start: startOf(given['start'], at('start')),
    onOffsetLost: oneOf(given['onOffsetLost'], at('onOffsetLost'), ['stop', 'earliest'], 'stop'),
    concurrency,
    handlerTimeoutMs:
      given['handlerTimeoutMs'] === undefined ? undefined : number('handlerTimeoutMs', 0, 1),
    retry: retryOf(retry, at('retry')),
    copies: retryCopiesOf(retry, { path: at('retry'), groupId, topics, order }),
    errors: rulesOf(given['errors'], at('errors')),
    outageMsMax: outageOf(part(given, 'outage', path, ['maxMs']), at('outage')),
    deadLetter: deadLetterOf(given['deadLetter'], at('deadLetter')),
    exactlyOnce: exactlyOnceOf(given['exactlyOnce'], at('exactlyOnce'), options.group),
    commit: commitOf(
      part(given, 'commit', path, ['intervalMs', 'countMax']),
      at('commit'),
      given['exactlyOnce'] === undefined || given['exactlyOnce'] === false ? 1_000 : 100,
    ),
    dedupe: dedupeOf(given['dedupe'], at('dedupe')),
    window: number('window', windowMax, 1, windowMax),
    waitingMax: wholeNumber(
      buffer,
      'recordsMax',
      Math.min(Math.max(waitingMin, 4 * concurrency), windowMax),
      { min: 1, max: windowMax },
      `${at('buffer')}.recordsMax`,
    ),
    waitingBytesMax: wholeNumber(
      buffer,
      'bytesMax',
      waitingBytes,
      { min: 1, max: intMax },
      `${at('buffer')}.bytesMax`,
    ),
    drainMs: number('drainMs', 20_000, 0),
    source: options.group ?? {},
  }
}

const retryNames = ['attempts', 'delayMs', 'delayMsMax', 'withinMs']

function retryOf(given: GivenOptions, path: string): RetryOptions {
  const number = (name: string, absent: number, min: number) =>
    wholeNumber(given, name, absent, { min, max: intMax }, `${path}.${name}`)
  return {
    attempts: number('attempts', 5, 1),
    delayMs: number('delayMs', 100, 0),
    delayMsMax: number('delayMsMax', 10_000, 0),
    withinMs: number('withinMs', 30_000, 0),
  }
}

function commitOf(
  given: GivenOptions,
  path: string,
  intervalMs: number,
): ConsumerSettings['commit'] {
  const range = { min: 1, max: intMax }
  return {
    intervalMs: wholeNumber(given, 'intervalMs', intervalMs, range, `${path}.intervalMs`),
    countMax: wholeNumber(given, 'countMax', 10_000, range, `${path}.countMax`),
  }
}

const exactlyOnceNames = ['transactionalId', 'transactionTimeoutMs', 'stagedBytesMax']

/** A transaction is open only while it is written: shorter ones would be aborted because a broker is slow. */
const transactionTimeoutMsLeast = 3_000
const transactionTimeoutMsMost = 10_000

/**
 * Whoever takes a partition over waits until the transaction of the one that died is aborted: that should be known no later than that
 * it has died.
 */
function transactionTimeoutOf(group: ConsumerOptions['group']): number {
  const sessionTimeoutMs = group?.sessionTimeoutMs ?? transactionTimeoutMsMost
  return Math.max(transactionTimeoutMsLeast, Math.min(sessionTimeoutMs, transactionTimeoutMsMost))
}

function exactlyOnceOf(
  given: unknown,
  path: string,
  group: ConsumerOptions['group'],
): ConsumerSettings['exactlyOnce'] {
  if (given === undefined || given === false) return undefined
  const options = given === true ? {} : optionsOf(given, path, exactlyOnceNames)
  const number = (name: string, absent: number, min: number) =>
    wholeNumber(options, name, absent, { min, max: intMax }, `${path}.${name}`)
  return {
    transactionalId: text(options, 'transactionalId', `${path}.transactionalId`),
    transactionTimeoutMs: number('transactionTimeoutMs', transactionTimeoutOf(group), 1_000),
    stagedBytesMax: number('stagedBytesMax', 32 * 1024 * 1024, 1),
  }
}

/** How long an outage spares records: for as long as it lasts, where nothing is said. */
function outageOf(given: GivenOptions, path: string): number {
  const range = { min: 0, max: intMax }
  return given['maxMs'] === undefined
    ? Infinity
    : wholeNumber(given, 'maxMs', 0, range, `${path}.maxMs`)
}

function startOf(given: unknown, option: string): StartPosition {
  if (given === undefined || given === 'latest') return 'latest'
  if (given === 'earliest') return 'earliest'
  const time = given instanceof Date ? given.getTime() : timestampIn(given)
  if (typeof time === 'number' && Number.isSafeInteger(time) && time >= 0) {
    return { timestamp: time }
  }
  const allowed = `'latest', 'earliest', a Date or { timestamp }`
  throw new OptionError(option, `(${shown(given)}) must be ${allowed}`)
}

function timestampIn(given: unknown): unknown {
  return typeof given === 'object' && given !== null && 'timestamp' in given
    ? given.timestamp
    : undefined
}

function rulesOf(given: unknown, option: string): readonly FailureRule[] {
  if (given === undefined) return []
  if (!Array.isArray(given)) throw new OptionError(option, 'must be a list of rules')
  given.forEach((rule: unknown, index) => {
    if (typeof rule === 'function') return
    const { error, action } = optionsOf(rule, `${option}[${index}]`, ['error', 'action'])
    if (typeof error !== 'function') {
      throw new OptionError(`${option}[${index}].error`, 'must be a class of errors')
    }
    oneOf(action, `${option}[${index}].action`, failureActions)
  })
  return given as readonly FailureRule[]
}

function deadLetterOf(given: unknown, path: string): DeadLetterSettings | undefined {
  if (given === false) return undefined
  const names = ['topic', 'poisonTopic', 'maxRetryCount', 'tooLarge']
  const options = given === undefined || given === true ? {} : optionsOf(given, path, names)
  const topic = nameFunction(options, 'topic', path) ?? ((source) => `${source}.dlq`)
  const poison = nameFunction(options, 'poisonTopic', path) ?? ((source) => `${source}.dlq-poison`)
  return {
    topicOf: (source, isPoison) => (isPoison ? poison(source) : topic(source)),
    maxRetryCount: wholeNumber(
      options,
      'maxRetryCount',
      5,
      { min: 0, max: intMax },
      `${path}.maxRetryCount`,
    ),
    tooLarge: oneOf(options['tooLarge'], `${path}.tooLarge`, ['stop', 'omit-value'], 'stop'),
  }
}

const dedupeNames = [
  'store',
  'idsMax',
  'claimMs',
  'rememberMs',
  'storeTimeoutMs',
  'whenUnavailable',
]

function dedupeOf(given: unknown, path: string): DedupeSettings | undefined {
  if (given === false) return undefined
  const options = given === undefined || given === true ? {} : optionsOf(given, path, dedupeNames)
  const number = (name: string, absent: number, min: number, max: number) =>
    wholeNumber(options, name, absent, { min, max }, `${path}.${name}`)
  const store = storeIn(options['store'], `${path}.store`)
  if (store !== undefined && options['idsMax'] !== undefined) {
    throw new OptionError(`${path}.idsMax`, `is of the memory, and ${path}.store is another store`)
  }
  return {
    store,
    idsMax: number('idsMax', 100_000, 1, 10_000_000),
    claimMs: number('claimMs', 30_000, 100, intMax),
    rememberMs: number('rememberMs', 7 * 86_400_000, 1_000, Number.MAX_SAFE_INTEGER),
    storeTimeoutMs: number('storeTimeoutMs', 5_000, 1, intMax),
    whenUnavailable: oneOf(
      options['whenUnavailable'],
      `${path}.whenUnavailable`,
      ['wait', 'run'],
      'wait',
    ),
  }
}

function storeIn(given: unknown, option: string): DedupeStore | undefined {
  if (given === undefined) return undefined
  const methods = ['claim', 'renew', 'confirm', 'release']
  const isStore = methods.every(
    (name) => typeof (given as GivenOptions | null)?.[name] === 'function',
  )
  if (isStore) return given as DedupeStore
  throw new OptionError(option, `(${shown(given)}) must have the methods ${methods.join(', ')}`)
}

function nameFunction(
  given: GivenOptions,
  name: string,
  path: string,
): ((topic: string) => string) | undefined {
  const value = given[name]
  if (value === undefined || typeof value === 'function') {
    return value as ((topic: string) => string) | undefined
  }
  throw new OptionError(`${path}.${name}`, `(${shown(value)}) must be a function of a topic's name`)
}

function part(
  given: GivenOptions,
  name: string,
  path: string,
  known: readonly string[],
): GivenOptions {
  return given[name] === undefined ? {} : optionsOf(given[name], `${path}.${name}`, known)
}
