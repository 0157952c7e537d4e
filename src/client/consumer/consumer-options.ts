import { OptionError } from '../../errors.ts'
import { flag, optionsOf, shown, text, wholeNumber } from '../../option-checks.ts'
import type { GivenOptions, Range } from '../../option-checks.ts'
import type { GroupOptions } from './group-options.ts'
import type { TopicPartition } from '../topic-partition.ts'
import type { OffsetReset } from './position.ts'

export type IsolationLevel = 'read_committed' | 'read_uncommitted'

/** What is read, how much of it at a time, and what becomes of positions. */
export interface FetchOptions {
  /** Whether records of open and aborted transactions are left out. @defaultValue 'read_committed' */
  readonly isolation?: IsolationLevel
  /**
   * Where a partition starts that has no committed offset, and where it goes on when its offset does not
   * exist any more. There is no default: `'latest'` passes over what was written before the first start,
   * `'earliest'` may read all of it again.
   */
  readonly offsetReset: OffsetReset
  /** How long a broker waits for `fetchBytesMin`. @defaultValue 500 */
  readonly fetchWaitMsMax?: number
  /** A broker answers at once when it has so many bytes. @defaultValue 1 */
  readonly fetchBytesMin?: number
  /** The most one fetch brings, of all partitions of a broker. @defaultValue 52428800 */
  readonly fetchBytesMax?: number
  /** The most one fetch brings of one partition. @defaultValue 1048576 */
  readonly partitionFetchBytesMax?: number
  /** Fetched and not yet handed out, of all brokers together. @defaultValue 67108864 */
  readonly bufferedBytesMax?: number
  /** What the records of one compressed batch may take. @defaultValue 67108864 */
  readonly decompressedBytesMax?: number
  /** Whether the checksum of each batch is compared with its bytes. @defaultValue true */
  readonly checkCrc?: boolean
}

export interface AutoCommitOptions {
  /** @defaultValue 5000 */
  readonly intervalMs?: number
}

/** What is called when partitions come and go. Only in a group. */
export interface AssignmentCallbacks {
  /** The partitions are ours. What this answers is awaited before anything is read from them: seek here. */
  readonly onAssigned?: (partitions: readonly TopicPartition[]) => void | Promise<void>
  /**
   * The partitions will be another member's once what this answers has resolved, or at the deadline
   * (`signal` aborts a little before it): end what runs, and commit. Nothing of them is handed out any more.
   */
  readonly onRevoked?: (
    partitions: readonly TopicPartition[],
    options: { readonly signal: AbortSignal },
  ) => void | Promise<void>
  /** The partitions may be another member's already: stop, and commit nothing. */
  readonly onLost?: (partitions: readonly TopicPartition[]) => void | Promise<void>
}

/** What a consumer reads, and how. */
export interface ConsumerOptions extends FetchOptions, GroupOptions, AssignmentCallbacks {
  /** The group to join with `subscribe`, and whose offsets are read and committed. */
  readonly groupId?: string
  /**
   * Commits by itself, now and then and when partitions are given up: what the application was done with, which
   * it shows by asking for more. @defaultValue false
   */
  readonly autoCommit?: boolean | AutoCommitOptions
}

/** The options of a consumer with every default in place. */
export interface ResolvedFetchOptions {
  readonly isolation: IsolationLevel
  readonly offsetReset: OffsetReset
  readonly fetchWaitMsMax: number
  readonly fetchBytesMin: number
  readonly fetchBytesMax: number
  readonly partitionFetchBytesMax: number
  readonly bufferedBytesMax: number
  readonly decompressedBytesMax: number
  readonly checkCrc: boolean
}

const defaults = {
  fetchWaitMsMax: 500,
  fetchBytesMin: 1,
  fetchBytesMax: 50 * 1024 * 1024,
  partitionFetchBytesMax: 1024 * 1024,
  bufferedBytesMax: 64 * 1024 * 1024,
  decompressedBytesMax: 64 * 1024 * 1024,
} as const satisfies Partial<ResolvedFetchOptions>

type NumberOption = keyof typeof defaults

const bytes: Range = { min: 1, max: 2 ** 31 - 1 }

const ranges = {
  fetchWaitMsMax: { min: 0, max: 2 ** 31 - 1 },
  fetchBytesMin: { min: 0, max: 2 ** 31 - 1 },
  fetchBytesMax: bytes,
  partitionFetchBytesMax: bytes,
  bufferedBytesMax: { min: 1, max: Number.MAX_SAFE_INTEGER },
  decompressedBytesMax: bytes,
} as const satisfies Record<NumberOption, Range>

/** The names of the options that `resolveFetchOptions` knows. */
export const fetchOptionNames = ['isolation', 'offsetReset', 'checkCrc', ...Object.keys(defaults)]

/** Checks the options and puts the defaults in place; throws an `OptionError`. */
export function resolveFetchOptions(given: GivenOptions): ResolvedFetchOptions {
  const number = (name: NumberOption) => wholeNumber(given, name, defaults[name], ranges[name])
  return {
    isolation: isolationOf(given['isolation'] ?? 'read_committed'),
    offsetReset: offsetResetOf(given['offsetReset']),
    fetchWaitMsMax: number('fetchWaitMsMax'),
    fetchBytesMin: number('fetchBytesMin'),
    fetchBytesMax: number('fetchBytesMax'),
    partitionFetchBytesMax: number('partitionFetchBytesMax'),
    bufferedBytesMax: number('bufferedBytesMax'),
    decompressedBytesMax: number('decompressedBytesMax'),
    checkCrc: given['checkCrc'] === undefined ? true : flag(given, 'checkCrc'),
  }
}

/** How often positions are committed without being told to; undefined for never. */
export function autoCommitIntervalOf(value: unknown): number | undefined {
  if (value === undefined || value === false) return undefined
  const given = value === true ? {} : optionsOf(value, 'autoCommit', ['intervalMs'])
  return wholeNumber(given, 'intervalMs', 5000, { min: 1, max: 2 ** 31 - 1 })
}

/** The group's name; undefined outside of one. */
export function groupIdOf(given: GivenOptions): string | undefined {
  return text(given, 'groupId')
}

function isolationOf(value: unknown): IsolationLevel {
  if (value === 'read_committed' || value === 'read_uncommitted') return value
  const allowed = `'read_committed' or 'read_uncommitted'`
  throw new OptionError('isolation', `(${shown(value)}) must be ${allowed}`)
}

function offsetResetOf(value: unknown): OffsetReset {
  if (value === 'earliest' || value === 'latest' || value === 'none') return value
  if (typeof value === 'object' && value !== null) {
    const given = optionsOf(value, 'offsetReset', ['agoMs'])
    return { agoMs: wholeNumber(given, 'agoMs', -1, { min: 0, max: Number.MAX_SAFE_INTEGER }) }
  }
  const allowed = `'earliest', 'latest', 'none' or { agoMs }`
  throw new OptionError('offsetReset', `(${shown(value)}) must be ${allowed}`)
}
