import { exposition } from './exposition.ts'
import type { Metrics } from './metrics.ts'

/** What a registry of somebody else's must be able to do. prom-client's `Registry` can. */
export interface ForeignRegistry {
  readonly contentType: string
  metrics(): string | Promise<string>
}

export interface Exposition {
  readonly contentType: string
  readonly body: string
}

/**
 * The text of another registry with ours behind it, in the other's format. A family that both have is theirs:
 * twice in one text, it would make a scraper refuse all of it.
 *
 * @example
 * import { register } from 'prom-client'
 * const { contentType, body } = await exposeTogether(register, metrics)
 */
export async function exposeTogether(
  theirs: ForeignRegistry,
  metrics: Metrics,
): Promise<Exposition> {
  const { contentType } = theirs
  const format = contentType.startsWith('application/openmetrics-text') ? 'openmetrics' : 'text'
  const text = await theirs.metrics()
  const taken = new Set(Array.from(text.matchAll(/^# TYPE (\S+)/gm), ([, name]) => name))
  const isTaken = (name: string) => taken.has(name) || taken.has(name.replace(/_total$/, ''))
  const ours = exposition(
    metrics.read().filter(({ name }) => !isTaken(name)),
    format,
  )
  const before = text.replace(/(?:\s*# EOF)?\s*$/, '')
  return { contentType, body: before === '' ? ours : `${before}\n${ours}` }
}
