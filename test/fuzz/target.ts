/** One valid input of a decoder, to be changed, and what reads it. */
export interface Sample {
  /** What it is, so that a failure can be told. */
  readonly label: string
  readonly bytes: Buffer
  /**
   * Reads what may be anything. Throws a MillraceError or answers 'refused' for what it will not
   * have; every other error is a failure.
   */
  readonly read: (bytes: Buffer) => Outcome | Promise<Outcome>
}

export type Outcome = 'accepted' | 'refused'

/** A decoder, or a family of them. */
export interface Target {
  readonly name: string
  /** How many of the inputs it gets, in proportion to the others. */
  readonly share: number
  readonly samples: readonly Sample[]
}
