import type {
  CommittedOffset,
  ProducerRecord,
  RecordResult,
  SendOptions,
  TopicPartition,
} from '../../../src/client/index.ts'
import type { Driver, RecordSink, SourceOptions } from '../../../src/driver/index.ts'

/** What a process says to Kafka, and what the group says to it, at the moment it does. */
export interface DriverObserver {
  readonly assigned: (partitions: readonly TopicPartition[]) => void
  readonly revoking: (partitions: readonly TopicPartition[]) => void
  readonly revoked: (partitions: readonly TopicPartition[]) => void
  readonly lost: (partitions: readonly TopicPartition[]) => void
  readonly committing: (offsets: readonly CommittedOffset[]) => void
  readonly writing: (letter: WrittenLetter) => void
  readonly written: (letter: WrittenLetter) => void
}

export interface WrittenLetter {
  readonly isPoison: boolean
  readonly partition: number
  readonly offset: number
  readonly errorClass: string
  readonly attempts: number
}

/** A driver that tells what goes through it. */
export function observeDriver(driver: Driver, observer: DriverObserver): Driver {
  return {
    name: driver.name,
    features: driver.features,
    admin: () => driver.admin(),
    close: () => driver.close(),
    [Symbol.asyncDispose]: () => driver.close(),
    reader: (options) => driver.reader(options),
    sink: (options) => observeSink(driver.sink(options), observer),
    transactionalSink: (options) => driver.transactionalSink(options),
    source(options) {
      const source = driver.source({ ...options, ...observedCallbacks(options, observer) })
      const commit = source.commit.bind(source)
      source.commit = (offsets, call) => {
        observer.committing(offsets)
        return commit(offsets, call)
      }
      return source
    },
  }
}

function observedCallbacks(options: SourceOptions, observer: DriverObserver) {
  const { onAssigned, onRevoked, onLost } = options
  return {
    onAssigned: (partitions: readonly TopicPartition[]) => {
      observer.assigned(partitions)
      return onAssigned?.(partitions)
    },
    onRevoked: async (
      partitions: readonly TopicPartition[],
      call: { readonly signal: AbortSignal },
    ) => {
      observer.revoking(partitions)
      await onRevoked?.(partitions, call)
      observer.revoked(partitions)
    },
    onLost: (partitions: readonly TopicPartition[]) => {
      observer.lost(partitions)
      return onLost?.(partitions)
    },
  } satisfies Pick<SourceOptions, 'onAssigned' | 'onRevoked' | 'onLost'>
}

/** The runtime sends letters one at a time. */
type SendOne = (record: ProducerRecord, options?: SendOptions) => Promise<RecordResult>

function observeSink(sink: RecordSink, observer: DriverObserver): RecordSink {
  const send: SendOne = sink.send.bind(sink)
  const observed: SendOne = async (record, options) => {
    const letter = letterIn(record as unknown as SentLetter)
    observer.writing(letter)
    const result = await send(record, options)
    observer.written(letter)
    return result
  }
  sink.send = observed as RecordSink['send']
  return sink
}

interface SentLetter {
  readonly topic: string
  readonly headers: readonly (readonly [string, Buffer | string | null])[]
}

function letterIn({ topic, headers }: SentLetter): WrittenLetter {
  const header = (name: string) => String(headers.find(([each]) => each === name)?.[1])
  return {
    isPoison: topic.endsWith('-poison'),
    partition: Number(header('source-partition')),
    offset: Number(header('source-offset')),
    errorClass: header('error-class'),
    attempts: Number(header('attempts')),
  }
}
