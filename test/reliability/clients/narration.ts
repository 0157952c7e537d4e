import type { HistoryEvent } from '../../../src/testing/index.ts'

/** Is told what happens in a world, by whoever replays a seed: when, to whom, and what. */
export type Narrate = (atMs: number, who: string, what: () => string) => void

/** The same, of now. */
export type Tell = (who: string, what: () => string) => void

/** What clients did is told after the run, in the words of the history. */
export function narrateHistory(events: readonly HistoryEvent[], narrate: Narrate): void {
  for (const { event, id, atMs, ...rest } of events) {
    narrate(atMs, 'history', () => `${event} ${id} ${JSON.stringify(rest)}`)
  }
}
