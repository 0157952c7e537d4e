import { checkTopicName, durationMs } from '../../contract/index.ts'
import type { TopicSelection } from '../../client/index.ts'
import { OptionError } from '../../errors.ts'
import { shown } from '../../option-checks.ts'
import type { GivenOptions } from '../../option-checks.ts'
import type { RecordOrder } from '../lanes/record-order.ts'
import { RetryTopics } from './retry-topics.ts'
import type { RetryDelay } from './retry-topics.ts'

/** Where a record goes that its attempts in place were not enough for. */
export interface RetryCopyOptions {
  /**
   * It waits in topics of its group, one after another, each for so long: `['30s', '5m']`. At most 8, the shortest first.
   * @defaultValue it waits nowhere
   */
  readonly topics?: readonly string[]
  /**
   * It is written into its own topic again, behind what is there, so many times; `true` is 3 times.
   * @defaultValue false
   */
  readonly republish?: boolean | number
  /** Later records of its key may be handled before it: `topics` and `republish` need this, or `order: 'none'`. */
  readonly allowReorder?: boolean
}

/** How failed records are copied to be tried again later. */
export type RetryCopySettings =
  | { readonly kind: 'topics'; readonly topics: RetryTopics }
  | { readonly kind: 'republish'; readonly times: number }

export interface RetryCopyContext {
  readonly path: string
  readonly groupId: string
  readonly topics: TopicSelection
  readonly order: RecordOrder
}

export const retryCopyNames = ['topics', 'republish', 'allowReorder']
const delaysMax = 8
const delayMsMax = 7 * 86_400_000
const timesAbsent = 3
const timesMax = 1_000

/** Checks what was said of copies; undefined where failed records are not copied. */
export function retryCopiesOf(
  given: GivenOptions,
  context: RetryCopyContext,
): RetryCopySettings | undefined {
  const { path } = context
  const { topics, republish = false, allowReorder = false } = given
  if (typeof allowReorder !== 'boolean') {
    throw new OptionError(`${path}.allowReorder`, `(${shown(allowReorder)}) must be true or false`)
  }
  const times = timesOf(republish, `${path}.republish`)
  const delays = delaysOf(topics, `${path}.topics`)
  if (delays === undefined && times === 0) return undefined
  if (delays !== undefined && times > 0) {
    throw new OptionError(
      `${path}.republish`,
      `(${shown(republish)}) and ${path}.topics exclude each other: leave one out`,
    )
  }
  const [name, value] = delays === undefined ? ['republish', republish] : ['topics', topics]
  if (context.order !== 'none' && !allowReorder) {
    throw new OptionError(
      `${path}.${name}`,
      `(${told(value)}) gives up the order of what fails, and order is '${context.order}': say ` +
        `${path}.allowReorder: true, use order: 'none', or leave it out`,
    )
  }
  if (delays === undefined) return { kind: 'republish', times }
  return { kind: 'topics', topics: retryTopicsOf(delays, context) }
}

function retryTopicsOf(
  delays: readonly RetryDelay[],
  { path, groupId, topics }: RetryCopyContext,
): RetryTopics {
  const option = `${path}.topics`
  const names = typeof topics === 'string' ? [topics] : topics
  if (!Array.isArray(names)) {
    const shownPattern = topics instanceof RegExp ? String(topics) : shown(topics)
    throw new OptionError(
      option,
      `need the names of the topics that are read, not a pattern (${shownPattern}): name them, or say ` +
        `${path}.republish`,
    )
  }
  // Other groups whose names become the same would read each other's copies.
  if (!/^[a-zA-Z0-9._-]+$/.test(groupId)) {
    throw new OptionError(
      option,
      `are named by the group, and groupId (${shown(groupId)}) has other characters than letters, digits, ., _ and -`,
    )
  }
  const made = new RetryTopics(groupId, names as readonly string[], delays)
  for (const { name } of made.all) checkTopicName(name, option)
  return made
}

function timesOf(given: unknown, option: string): number {
  if (given === false) return 0
  if (given === true) return timesAbsent
  if (typeof given === 'number' && Number.isInteger(given) && given >= 1 && given <= timesMax) {
    return given
  }
  throw new OptionError(
    option,
    `(${shown(given)}) must be true, false, or a whole number from 1 to ${timesMax}`,
  )
}

function delaysOf(given: unknown, option: string): readonly RetryDelay[] | undefined {
  if (given === undefined) return undefined
  if (!Array.isArray(given) || given.length === 0 || given.length > delaysMax) {
    throw new OptionError(option, `(${shown(given)}) must be a list of 1 to ${delaysMax} durations`)
  }
  let longestMs = 0
  return given.map((name: unknown, index) => {
    const at = `${option}[${index}]`
    if (typeof name !== 'string') {
      throw new OptionError(at, `(${shown(name)}) must be a duration as text, as '30s'`)
    }
    const delayMs = durationMs(name, at)
    if (delayMs <= longestMs) {
      const problem = index === 0 ? 'longer than nothing' : 'longer than the one before'
      throw new OptionError(at, `('${name}') must be ${problem}`)
    }
    if (delayMs > delayMsMax) throw new OptionError(at, `('${name}') must be at most '7d'`)
    longestMs = delayMs
    return { name, delayMs }
  })
}

function told(value: unknown): string {
  return Array.isArray(value) ? `[${value.map((each) => shown(each)).join(', ')}]` : shown(value)
}
