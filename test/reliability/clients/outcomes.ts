import type { History } from '../../../src/testing/index.ts'
import type { Tally } from './exercised.ts'

/** Counts how the operations of a history have ended, by their kind. */
export function countOutcomes({ events }: History, tally: Tally): void {
  const kinds = new Map<number, string>()
  for (const event of events) {
    if (event.event === 'begin') kinds.set(event.id, event.kind)
    if (event.event !== 'end') continue
    const kind = kinds.get(event.id) ?? ''
    if (outcomeKinds.has(kind)) tally.count(`${kind}s`, outcomeNames[event.outcome])
    kinds.delete(event.id)
  }
  for (const kind of kinds.values()) {
    if (outcomeKinds.has(kind)) tally.count(`${kind}s`, 'cut off by a kill')
  }
}

const outcomeKinds: ReadonlySet<string> = new Set(['send', 'transaction', 'commit', 'handler'])
const outcomeNames = { ok: 'done', failed: 'certainly not done', unknown: 'unknown' } as const

/**
 * Throws when a client that has come to its own end has left something undone: a promise of the library that
 * never settled.
 */
export function checkAllEnded({ events }: History, endedLives: ReadonlySet<string>): void {
  const open = new Map<number, string>()
  for (const event of events) {
    if (event.event === 'begin') open.set(event.id, `${event.kind} of ${event.process}`)
    if (event.event === 'end') open.delete(event.id)
  }
  for (const what of open.values()) {
    const life = what.replace(/^.* of /, '').replace(/\/.*$/, '')
    if (endedLives.has(life)) throw new Error(`${what} has never ended`)
  }
}
