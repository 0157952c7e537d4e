import { OptionError } from '../../errors.ts'
import type { Compression } from '../../protocol/compression/index.ts'
import { compressions } from '../../protocol/compression/index.ts'
import { flag, oneOf, optionsOf, shown, wholeNumber } from '../../option-checks.ts'
import type { GivenOptions, Range } from '../../option-checks.ts'
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
  deliveryTimeoutMs: 120_000,
  lingerMs: 5,
  batchBytesMax: 256 * 1024,
  requestBytesMax: 1024 * 1024,
  bufferBytesMax: 64 * 1024 * 1024,
} as const satisfies Partial<ResolvedProducerOptions>

const timeMax = 2 ** 31 - 1
const ranges = {
  deliveryTimeoutMs: { min: 1, max: timeMax },
  lingerMs: { min: 0, max: timeMax },
  batchBytesMax: { min: 256, max: 2 ** 30 },
  requestBytesMax: { min: 1024, max: 2 ** 30 },
  bufferBytesMax: { min: 1024, max: Number.MAX_SAFE_INTEGER },
} as const satisfies Record<keyof typeof defaults, Range>

const levels: Readonly<Partial<Record<Compression, Range>>> = {
  gzip: { min: 1, max: 9 },
  zstd: { min: -131_072, max: 22 },
}

const known = [
  ...Object.keys(defaults),
  ...['acks', 'idempotent', 'compression', 'compressionLevel', 'partitioner'],
  ...['whenFull', 'inFlightMax', 'createTopics'],
]

/** What a request takes besides one batch, with names and all, with room to spare. */
export const requestOverheadBytes = 512

/** Brokers remember the last five batches of a producer in a partition: more could not be told apart. */
const inFlightLimit = 5

/** Checks the options and fills in what is left out; throws an `OptionError`. */
export function resolveProducerOptions(options: ProducerOptions = {}): ResolvedProducerOptions {
  const given = optionsOf(options, '', known)
  const number = (name: keyof typeof defaults) =>
    wholeNumber(given, name, defaults[name], ranges[name])
  const acks = oneOf(given['acks'], 'acks', ['all', 'leader', 'none'], 'all')
  const idempotent = given['idempotent'] === undefined ? acks === 'all' : flag(given, 'idempotent')
  if (idempotent && acks !== 'all') {
    throw new OptionError('acks', `('${acks}') must be 'all' with idempotent: true`)
  }
  const inFlight = {
    absent: idempotent ? inFlightLimit : 1,
    max: idempotent ? inFlightLimit : 1000,
  }
  const compression = oneOf(given['compression'], 'compression', compressions, 'none')
  const requestBytesMax = number('requestBytesMax')
  return {
    ...{ acks, idempotent, compression, requestBytesMax },
    compressionLevel: levelOf(given, compression),
    partitioner: partitionerOf(given),
    deliveryTimeoutMs: number('deliveryTimeoutMs'),
    lingerMs: number('lingerMs'),
    batchBytesMax: Math.min(number('batchBytesMax'), requestBytesMax - requestOverheadBytes),
    bufferBytesMax: number('bufferBytesMax'),
    whenFull: oneOf(given['whenFull'], 'whenFull', ['wait', 'reject'], 'wait'),
    inFlightMax: wholeNumber(given, 'inFlightMax', inFlight.absent, { min: 1, max: inFlight.max }),
    createTopics: flag(given, 'createTopics'),
  }
}

function levelOf(given: GivenOptions, compression: Compression): number | undefined {
  const level = given['compressionLevel']
  if (level === undefined) return undefined
  const range = levels[compression]
  if (range !== undefined) return wholeNumber(given, 'compressionLevel', 0, range)
  throw new OptionError(
    'compressionLevel',
    `(${shown(level)}) means nothing to compression: '${compression}', only to 'gzip' and 'zstd'`,
  )
}

function partitionerOf(given: GivenOptions): Partitioner | undefined {
  const { partitioner } = given
  if (partitioner === undefined || typeof partitioner === 'function') {
    return partitioner as Partitioner | undefined
  }
  throw new OptionError('partitioner', `(${shown(partitioner)}) must be a function`)
}
