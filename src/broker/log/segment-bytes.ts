/** Where something is read into, when it need not be a new buffer. */
export interface ReadBuffers {
  /** A buffer of so many bytes, which hold anything. */
  take(bytes: number): Buffer
}

/**
 * Where the batches of one segment are kept, one after the other. Positions count from the start of
 * the segment. Bytes that were appended never change.
 */
export interface SegmentBytes {
  /** Names the segment in messages. */
  readonly path: string
  readonly size: number
  /** Adds one whole batch. Throws a `DiskError`, having added nothing, when it cannot. */
  /** `keptTogetherBytes`: how much of the batch's buffer is kept anyway, the batch included. */
  append(batch: Buffer, keptTogetherBytes?: number): void
  /**
   * Bytes that lie side by side from `position` on, where a batch must start; nothing at the end.
   * A file answers `lengthWanted` bytes, or what is left. Memory answers what it has in one piece,
   * more or less than that, but whole batches only. What is read is read into one of `buffers`.
   */
  chunkAt(position: number, lengthWanted: number, buffers?: ReadBuffers): Buffer
}
