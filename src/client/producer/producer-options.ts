import { OptionError } from '../../errors.ts'
import type { Compression } from '../../protocol/compression/index.ts'
import { compressions } from '../../protocol/compression/index.ts'
import type { Partitioner } from './partitioner.ts'

/** Which replicas have a record before it counts as written: all that are in sync, the leader, or nobody asks. */
export type Acknowledgements = 'all' | 'leader' | 'none'

export interface ProducerOptions {
  /**
   * Who must have a record before it counts as written. Only 'all' survives the loss of a leader; with
   * 'none' results have no offsets, and a lost record is not noticed.
   * @defaultValue 'all'
   */
  readonly acks?: Acknowledgements
  /**
   * Whether the broker drops what it gets a second time and refuses what would be out of order. Without
   * it a retry can write a record twice. Needs `acks: 'all'`.
   * @defaultValue true, with `acks: 'all'`
   */
  readonly idempotent?: boolean
  /** @defaultValue 'none' */
  readonly compression?: Compression
  /** For gzip from 1 to 9, for zstd up to 22. @defaultValue the codec's own */
  readonly compressionLevel?: number
  /** Chooses partitions, instead of the key's hash and, for records without a key, a batch at a time. */
  readonly partitioner?: Partitioner
  /**
   * The time within which a record is acknowledged, or its outcome is told as not written or unknown.
   * @defaultValue 120000
   */
  readonly deliveryTimeoutMs?: number
  /**
   * How long records wait for others to share a batch with, while earlier ones of their partition are
   * on their way. When none are, records leave at once.
   * @defaultValue 5
   */
  readonly lingerMs?: number
  /** The size at which a batch is closed, before compression. @defaultValue 262144 */
  readonly batchBytesMax?: number
  /** The largest request. A record larger than this is refused. @defaultValue 1048576 */
  readonly requestBytesMax?: number
  /** The memory for records that are not acknowledged yet. @defaultValue 67108864 */
  readonly bufferBytesMax?: number
  /** What `send` does while that memory is taken: it waits its turn, or rejects. @defaultValue 'wait' */
  readonly whenFull?: 'wait' | 'reject'
  /**
   * Batches of a partition that may be on their way at a time: up to 5, or 1 without idempotence, where
   * more could change places when one is sent again.
   * @defaultValue 5, or 1 without idempotence
   */
  readonly inFlightMax?: number
  /** Asks the brokers to create topics that are not there, as far as they allow it. @defaultValue false */
  readonly createTopics?: boolean
}

/** The options with every default in place. */
export interface ResolvedProducerOptions {
  readonly acks: Acknowledgements
  readonly idempotent: boolean
  readonly compression: Compression
  readonly compressionLevel: number | undefined
  readonly partitioner: Partitioner | undefined
  readonly deliveryTimeoutMs: number
  readonly lingerMs: number
  readonly batchBytesMax: number
  readonly requestBytesMax: number
  readonly bufferBytesMax: number
  readonly whenFull: 'wait' | 'reject'
  readonly inFlightMax: number
  readonly createTopics: boolean
}

const defaults = {
  compression: 'none',
  deliveryTimeoutMs: 120_000,
  lingerMs: 5,
  batchBytesMax: 256 * 1024,
  requestBytesMax: 1024 * 1024,
  bufferBytesMax: 64 * 1024 * 1024,
  whenFull: 'wait',
  createTopics: false,
} as const satisfies Partial<ResolvedProducerOptions>

/** What a request takes besides one batch, with names and all, with room to spare. */
export const requestOverheadBytes = 512

/** Brokers remember the last five batches of a producer in a partition: more could not be told apart. */
const inFlightLimit = 5

/** Checks the options and fills in what is left out. */
export function resolveProducerOptions(options: ProducerOptions = {}): ResolvedProducerOptions {
  const acks = options.acks ?? 'all'
  const idempotent = options.idempotent ?? acks === 'all'
  const inFlightMax = options.inFlightMax ?? (idempotent ? inFlightLimit : 1)
  const { compressionLevel, partitioner } = options
  const resolved = { ...defaults, ...definedOf(options), acks, idempotent, inFlightMax }
  oneOf('acks', acks, ['all', 'leader', 'none'])
  oneOf('compression', resolved.compression, compressions)
  oneOf('whenFull', resolved.whenFull, ['wait', 'reject'])
  if (idempotent && acks !== 'all') {
    throw new OptionError('acks', `('${acks}') must be 'all' with idempotent: true`)
  }
  wholeNumber('deliveryTimeoutMs', resolved.deliveryTimeoutMs, 1, Number.MAX_SAFE_INTEGER)
  wholeNumber('lingerMs', resolved.lingerMs, 0, resolved.deliveryTimeoutMs)
  wholeNumber('requestBytesMax', resolved.requestBytesMax, 1024, 2 ** 30)
  wholeNumber('batchBytesMax', resolved.batchBytesMax, 256, 2 ** 30)
  wholeNumber('bufferBytesMax', resolved.bufferBytesMax, 1024, Number.MAX_SAFE_INTEGER)
  wholeNumber('inFlightMax', inFlightMax, 1, idempotent ? inFlightLimit : 1000)
  checkLevel(resolved.compression, compressionLevel)
  const { requestBytesMax } = resolved
  const batchBytesMax = Math.min(resolved.batchBytesMax, requestBytesMax - requestOverheadBytes)
  return { ...resolved, batchBytesMax, compressionLevel, partitioner }
}

function checkLevel(compression: Compression, level: number | undefined): void {
  if (level === undefined) return
  if (compression === 'gzip') wholeNumber('compressionLevel', level, 1, 9)
  else if (compression === 'zstd') wholeNumber('compressionLevel', level, -131_072, 22)
  else throw new OptionError('compressionLevel', `(${level}) means nothing to '${compression}'`)
}

/** Without the options that are there, but undefined. */
function definedOf(
  options: ProducerOptions,
): Omit<
  { [Name in keyof ProducerOptions]: NonNullable<ProducerOptions[Name]> },
  'partitioner' | 'compressionLevel'
> {
  const entries = Object.entries(options).filter(([, value]) => value !== undefined)
  return Object.fromEntries(entries)
}

function oneOf(name: string, value: string, allowed: readonly string[]): void {
  if (allowed.includes(value)) return
  const list = allowed.map((each) => `'${each}'`).join(', ')
  throw new OptionError(name, `('${value}') must be one of ${list}`)
}

function wholeNumber(name: string, value: number, min: number, max: number): void {
  if (Number.isInteger(value) && value >= min && value <= max) return
  throw new OptionError(name, `(${value}) must be a whole number from ${min} to ${max}`)
}
