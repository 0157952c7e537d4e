/** What is known about bytes that are written or read. */
export interface CodecContext {
  readonly topic: string
  /** Undefined where the type of the event is inside of the bytes, or there is none. */
  readonly eventType: string | undefined
  /** The version of the event's schema. */
  readonly version: number | undefined
  readonly limits: ContractLimits
}

export interface EncodeContext extends CodecContext {
  /** Adds a header to the record, as for the id of a schema. */
  readonly addHeader: (name: string, value: Uint8Array | string | null) => void
}

export interface DecodeContext extends CodecContext {
  /** The last header of the record that has this name. */
  readonly header: (name: string) => Buffer | null | undefined
}

/** What a value may be before it is refused. */
export interface ContractLimits {
  /** The largest value, in bytes. */
  readonly valueBytesMax: number
  /** How deep objects and arrays may lie in one another. */
  readonly depthMax: number
  /** Whether a JSON object may name a key twice; the last one counts then, as in JavaScript. */
  readonly duplicateKeys: 'last' | 'refuse'
}

/**
 * Between values and the bytes of a content type. It may be asynchronous, as one that asks a schema
 * registry is. It throws a `ContractViolation` for what is wrong with the value or the bytes, by
 * `invalidValue`; whatever else it throws is no fault of the record, and worth a retry.
 */
export interface Codec {
  /** What the header `content-type` says, in lower case and without parameters. */
  readonly contentType: string
  /** Whether values are JSON's: only then can an envelope lie around the data. */
  readonly isJson: boolean
  encode(value: unknown, context: EncodeContext): Uint8Array | string | Promise<Uint8Array | string>
  /** The bytes are a view of what was fetched: copy what is kept for long. */
  decode(bytes: Buffer, context: DecodeContext): unknown
}
