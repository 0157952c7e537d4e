/** A header that was read. */
export interface RawHeader {
  readonly key: string
  readonly value: Buffer | null
}

/** A record as it was read: what the client's records are. Each part is read only when it is needed. */
export interface RawRecord {
  readonly key: Buffer | null
  readonly value: Buffer | null
  /** Milliseconds since the epoch, or -1 for none. */
  readonly timestamp: number
  readonly headers: readonly RawHeader[]
  /** The value of the last header of this name; undefined when there is none. */
  header(name: string): Buffer | null | undefined
}
