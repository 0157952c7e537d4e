import type { Delivery } from '../delivery.ts'

/** What is done about a record whose handler failed. */
export type FailureAction = 'retry' | 'deadLetter' | 'skip' | 'stop'

export const failureActions = [
  'retry',
  'deadLetter',
  'skip',
  'stop',
] as const satisfies FailureAction[]

/** What to do about errors of a class, or those that a function picks; the first rule that says something counts. */
export type FailureRule =
  | { readonly error: ErrorClass; readonly action: FailureAction }
  | ((error: unknown, delivery: Delivery) => FailureAction | undefined)

type ErrorClass = abstract new (...arguments_: never[]) => Error

/** Thrown by a handler: what becomes of the record, whatever the rules say. */
export class FailureDecision extends Error {
  override readonly name: string = 'FailureDecision'
  readonly action: FailureAction

  constructor(action: FailureAction, message: string, cause?: unknown) {
    super(message, cause === undefined ? {} : { cause })
    this.action = action
  }
}

const systemCodes: ReadonlySet<unknown> = new Set([
  'EMFILE',
  'ENFILE',
  'ENOMEM',
  'ENOSPC',
  'ERR_MEMORY_ALLOCATION_FAILED',
  'ERR_WORKER_OUT_OF_MEMORY',
])

/** The process itself is in trouble, not the record. */
function isProcessCritical(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  if (systemCodes.has((error as { code?: unknown }).code)) return true
  return error instanceof RangeError && /allocation failed/i.test(error.message)
}

/** What is to be done about a failure. */
export function actionFor(
  rules: readonly FailureRule[],
  error: unknown,
  delivery: Delivery,
): FailureAction {
  if (isProcessCritical(error)) return 'stop'
  if (error instanceof FailureDecision) return error.action
  for (const rule of rules) {
    if (typeof rule === 'function') {
      const action = rule(error, delivery)
      if (action !== undefined) return action
    } else if (error instanceof rule.error) {
      return rule.action
    }
  }
  return 'retry'
}
