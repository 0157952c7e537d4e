/** An event as a handler gets it, and as the envelope carries it. */
export interface Event<Type extends string = string, Data = unknown> {
  /** Unique to the event; the same for its repetitions. Never a business key. */
  readonly id: string
  readonly type: Type
  /** When it happened, in milliseconds since the epoch. */
  readonly timestamp: number
  readonly data: Data
}

/** What a key is made of: not of the id, which is another one for every event. */
export interface EventContent<Type extends string = string, Data = unknown> {
  readonly type: Type
  readonly data: Data
}

/** Records with the same key keep their order. Null: the record has no order. */
export type EventKey = string | Uint8Array | null

/** How a key is made of an event. */
export type KeyRule<Content extends EventContent = EventContent> = (event: Content) => EventKey
