import type { DeliveryError } from './delivery-error.ts'

/** Where a record was written. */
export interface RecordResult {
  readonly topic: string
  readonly partition: number
  /** -1 where the broker did not tell: without acknowledgements, or for a repeated batch that it had half forgotten. */
  readonly offset: number
  /** Milliseconds since the epoch: the record's own, or the broker's where the topic wants that. */
  readonly timestamp: number
}

/** What became of a record: it was written, or `error` says what is known. */
export type RecordOutcome = RecordResult | { readonly error: DeliveryError }

/** What became of the records of a call, in their order. Each is made when it is asked for. */
export interface Results<Result> extends Iterable<Result> {
  readonly length: number
  /** Undefined beyond the last one. */
  at(index: number): Result | undefined
  toArray(): Result[]
}

/** Where the records of a call were written, in the order in which they were given. */
export type RecordResults = Results<RecordResult>

/** Results that are made from where they are kept. */
export class LazyResults<Result> implements Results<Result> {
  readonly length: number
  readonly #make: (index: number) => Result

  constructor(length: number, make: (index: number) => Result) {
    this.length = length
    this.#make = make
  }

  at(index: number): Result | undefined {
    const position = index < 0 ? this.length + index : index
    return position >= 0 && position < this.length ? this.#make(position) : undefined
  }

  toArray(): Result[] {
    return Array.from({ length: this.length }, (_, index) => this.#make(index))
  }

  *[Symbol.iterator](): Iterator<Result> {
    for (let index = 0; index < this.length; index++) yield this.#make(index)
  }
}
