import type { Delivery } from './delivery.ts'

/** The ways in which a record ends; nothing else ends one. */
export type Ending = 'done' | 'skipped' | 'dead-lettered' | 'forwarded'

/** A rule that passes over a record, by a short name that becomes a label of metrics. */
export interface Skip {
  readonly skipped: string
}

/** The record has not started: its way begins anew after a pause. It keeps its key meanwhile, and nothing else. */
export interface Postponed {
  readonly postponedMs: number
}

/**
 * What a way answers: a rule passes over the record, it has to wait, or (nothing) it is done. A failure is thrown.
 */
export type Outcome = Skip | Postponed | undefined

/** What becomes of a record from here on. What is known at once is answered at once, without a promise. */
export type Way = (delivery: Delivery) => Outcome | Promise<Outcome>

/** A step on the way of a record: goes on with `next`, or ends the way. */
export type Step = (delivery: Delivery, next: Way) => Outcome | Promise<Outcome>

/** The way through all steps, the first one first, with the handler at its end. */
export function wayThrough(steps: readonly Step[], handler: Way): Way {
  return steps.reduceRight<Way>((next, step) => (delivery) => step(delivery, next), handler)
}
