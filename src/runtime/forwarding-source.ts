import type {
  CloseOptions,
  CommitOptions,
  GroupMetadata,
  LogEnds,
  OffsetToCommit,
  PartitionTimestamp,
  PollOptions,
  SeekTarget,
  TopicPartition,
  TopicSelection,
} from '../client/index.ts'
import type { RecordSource, SourceBatch } from '../driver/index.ts'

/** A source that does what another one does: for those that do some of it otherwise. */
export class ForwardingSource implements RecordSource {
  /** The one that reads. */
  readonly source: RecordSource

  constructor(source: RecordSource) {
    this.source = source
  }

  subscribe(topics: TopicSelection): void {
    this.source.subscribe(topics)
  }

  poll(options?: PollOptions): Promise<SourceBatch[]> {
    return this.source.poll(options)
  }

  pause(partitions: readonly TopicPartition[]): void {
    this.source.pause(partitions)
  }

  resume(partitions: readonly TopicPartition[]): void {
    this.source.resume(partitions)
  }

  seek(partition: TopicPartition, target: SeekTarget): void {
    this.source.seek(partition, target)
  }

  lag(partition: TopicPartition): number | undefined {
    return this.source.lag(partition)
  }

  ends(partition: TopicPartition): LogEnds | undefined {
    return this.source.ends?.(partition)
  }

  commit(offsets: readonly OffsetToCommit[], options?: CommitOptions): Promise<void> {
    return this.source.commit(offsets, options)
  }

  committed(
    partitions: readonly TopicPartition[],
    options?: { readonly signal?: AbortSignal },
  ): ReturnType<RecordSource['committed']> {
    return this.source.committed(partitions, options)
  }

  groupMetadata(): GroupMetadata {
    return this.source.groupMetadata()
  }

  beginningOffsets(
    partitions: readonly TopicPartition[],
  ): ReturnType<RecordSource['beginningOffsets']> {
    return this.source.beginningOffsets(partitions)
  }

  endOffsets(partitions: readonly TopicPartition[]): ReturnType<RecordSource['endOffsets']> {
    return this.source.endOffsets(partitions)
  }

  epochEnds(
    ...asked: Parameters<RecordSource['epochEnds']>
  ): ReturnType<RecordSource['epochEnds']> {
    return this.source.epochEnds(...asked)
  }

  offsetsForTimes(
    times: readonly PartitionTimestamp[],
  ): ReturnType<RecordSource['offsetsForTimes']> {
    return this.source.offsetsForTimes(times)
  }

  close(options?: CloseOptions): Promise<void> {
    return this.source.close(options)
  }
}
