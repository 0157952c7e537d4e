import { durationMs } from '../../contract/index.ts'
import type { Duration } from '../../contract/index.ts'
import { OptionError } from '../../errors.ts'
import type { Windowing } from '../operator/window.ts'

/** Windows of a length, one behind the other: an event is in one of them. */
export function tumbling(size: Duration): Windowing {
  const sizeMs = durationMs(size, 'tumbling')
  return { kind: 'spaced', sizeMs, everyMs: sizeMs }
}

/** Windows of a length that begin at each multiple of `every`: an event is in several of them. */
export function hopping(size: Duration, every: Duration): Windowing {
  const sizeMs = durationMs(size, 'hopping')
  const everyMs = durationMs(every, 'hopping.every')
  if (everyMs > sizeMs) {
    throw new OptionError(
      'hopping.every',
      `(${everyMs}) must not be more than the size (${sizeMs})`,
    )
  }
  if (sizeMs / everyMs > 1_000) {
    const least = Math.ceil(sizeMs / 1_000)
    throw new OptionError(
      'hopping.every',
      `(${everyMs}) must be ${least} ms or more: an event would be in over 1,000 windows`,
    )
  }
  return { kind: 'spaced', sizeMs, everyMs }
}

/** Windows that end when nothing came for `gap`. */
export function session(gap: Duration): Windowing {
  return { kind: 'session', gapMs: durationMs(gap, 'session') }
}
