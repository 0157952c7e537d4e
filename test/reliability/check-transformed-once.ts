import type { History } from '../../src/testing/index.ts'
import { sourceOf } from './group-worker.ts'

/**
 * Throws unless each record of the topic, as the final readers have found them, has exactly one in
 * the target: a group that reads, writes and commits in transactions does so exactly once.
 */
export function checkTransformedOnce(
  history: History,
  { topic, target }: { readonly topic: string; readonly target: string },
): void {
  const sources = finallyRead(history, topic)
  const results = finallyRead(history, target)
  const counts = new Map<string, number>(sources.map((source) => [source, 0]))
  for (const result of results) {
    const source = sourceOf(result)
    const count = counts.get(source)
    if (count === undefined) throw new Error(`${result} was made of nothing that is there`)
    if (count > 0) throw new Error(`${source} was transformed twice, the second time as ${result}`)
    counts.set(source, count + 1)
  }
  const missing = sources.filter((source) => counts.get(source) === 0)
  if (missing.length === 0) return
  throw new Error(`${missing.length} of ${sources.length} were not transformed: ${missing[0]}`)
}

/** All values of a topic that were read after the beginning of the final phase. */
function finallyRead({ events }: History, topic: string): string[] {
  const start = events.findIndex((event) => event.event === 'begin' && event.kind === 'final')
  const values: string[] = []
  for (const event of events.slice(start)) {
    if (event.event !== 'end') continue
    for (const read of event.reads ?? []) {
      if (read.topic === topic) values.push(...read.values.map(String))
    }
  }
  return values
}
