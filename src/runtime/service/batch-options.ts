import { optionsOf, wholeNumber } from '../../option-checks.ts'
import type { BatchWindow } from '../batch/batcher.ts'
import type { UserStep } from '../steps/user-step.ts'
import { checkSteps } from '../steps/user-step.ts'

/** When a batch is run, and what is around each of its records. */
export interface BatchOptions {
  /** With so many records, at most. @defaultValue 100 */
  readonly recordsMax?: number
  /** So long after its first record, at the latest. @defaultValue 100 */
  readonly windowMs?: number
  /** Steps around each record, the first one outside. */
  readonly use?: readonly UserStep[]
}

export interface BatchSettings extends BatchWindow {
  readonly use: readonly UserStep[]
}

export function resolveBatchOptions(options: BatchOptions, path: string): BatchSettings {
  const given = optionsOf(options, path, ['recordsMax', 'windowMs', 'use'])
  const range = { min: 1, max: 16_384 }
  return {
    recordsMax: wholeNumber(given, 'recordsMax', 100, range, `${path}.recordsMax`),
    windowMs: wholeNumber(given, 'windowMs', 100, { min: 0, max: 60_000 }, `${path}.windowMs`),
    use: checkSteps(options.use ?? [], `${path}.use`),
  }
}
