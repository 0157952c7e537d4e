import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** What a long run has counted, and on which commit. */
export interface RecordedFigures {
  readonly command: string
  readonly commit: string
  readonly figures: Readonly<Record<string, number>>
}

const root = fileURLToPath(new URL('../../..', import.meta.url))
const path = fileURLToPath(new URL('../../../docs/reliability-figures.json', import.meta.url))

/** The figures of the last recorded run of each kind. */
export function readFigures(): Readonly<Record<string, RecordedFigures>> {
  return JSON.parse(readFileSync(path, 'utf8')) as Record<string, RecordedFigures>
}

/** Keeps what a run has counted, in place of what the run of this kind before it had. */
export function recordFigures(
  kind: string,
  args: readonly string[],
  figures: Readonly<Record<string, number>>,
): void {
  const [script = ''] = kind.split(' ')
  const given = args.filter((argument) => argument !== '--record').join(' ')
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: root })
  const recorded = { ...readFigures() }
  recorded[kind] = {
    command: `npm run ${script} -- ${given}`,
    commit: commit.toString().trim(),
    figures,
  }
  const kinds = Object.keys(recorded).sort()
  const sorted = Object.fromEntries(kinds.map((each) => [each, recorded[each]]))
  writeFileSync(path, `${JSON.stringify(sorted, null, 2)}\n`)
}
