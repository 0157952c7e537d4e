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
  try {
    const expression = new RegExp(`^(?:${body})$`, isCaseless ? 'iu' : 'u')
    return (topic) => expression.test(topic)
  } catch (error) {
    throw new OptionError(
      'pattern',
      `('${pattern}') is no regular expression that can be matched here: ${(error as Error).message}`,
      { cause: error },
    )
  }
}
