/** What a broker answers to one message of a login. */
export interface SaslAnswer {
  readonly authBytes: Buffer
  /** How long the session may last, as of the last answer; 0 is without end. */
  readonly sessionLifetimeMs: number
}

/** Sends one message of a mechanism and answers the broker's. Rejects when the broker refuses. */
export type SaslExchange = (message: Buffer) => Promise<SaslAnswer>
