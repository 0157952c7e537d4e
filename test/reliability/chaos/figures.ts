import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { TrialResult } from './trial.ts'

/** What a trial has found, and on which commit. */
export interface RecordedTrial extends TrialResult {
  readonly commit: string
}

/** By client, then by schedule. */
export type ChaosFigures = Readonly<Record<string, Readonly<Record<string, RecordedTrial>>>>

const root = fileURLToPath(new URL('../../..', import.meta.url))
const path = fileURLToPath(new URL('../../../docs/chaos-figures.json', import.meta.url))

/** The figures of the last recorded trial of each client under each schedule. */
export function readChaosFigures(): ChaosFigures {
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as ChaosFigures) : {}
}

/** Keeps what a trial has found, in place of what the one before it had. */
export function recordTrial(client: string, schedule: string, result: TrialResult): void {
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: root })
  const recorded = { ...result, commit: commit.toString().trim() }
  const figures = readChaosFigures()
  const changed = { ...figures, [client]: { ...figures[client], [schedule]: recorded } }
  writeFileSync(path, `${JSON.stringify(changed, null, 2)}\n`)
}
