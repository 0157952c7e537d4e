import { OptionError } from '../../../errors.ts'

/**
 * A pattern of topics for brokers that know none: RE2's syntax as far as JavaScript can say the same. The
 * whole name must match, as at the broker.
 */
export function compileTopicPattern(pattern: string): (topic: string) => boolean {
  const flags = /^\(\?([imsU]+)\)/.exec(pattern)
  const isCaseless = flags?.[1]?.includes('i') === true
  const body = pattern
    .slice(flags?.[0].length ?? 0)
    .replaceAll('(?P<', '(?<')
    .replace(/^\\A/, '')
    .replace(/\\z$/, '')
  // JavaScript takes these for something else.
  if (/\[:\^?\w+:\]|\\[QC]/.test(body)) throw unmatchable(pattern)
  try {
    const expression = new RegExp(`^(?:${body})$`, isCaseless ? 'iu' : 'u')
    return (topic) => expression.test(topic)
  } catch (error) {
    throw unmatchable(pattern, error)
  }
}

function unmatchable(pattern: string, cause?: unknown): OptionError {
  const reason = cause instanceof Error ? `: ${cause.message}` : ''
  return new OptionError(
    'pattern',
    `('${pattern}') must be a regular expression that JavaScript has as well${reason}`,
    { cause },
  )
}
