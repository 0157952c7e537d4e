import { OptionError } from '../../errors.ts'
import { optionsOf, shown } from '../../option-checks.ts'
import { RateLimiter } from './rate-limiter.ts'
import type { StepMaker } from './user-step.ts'

export interface RateLimitOptions {
  /** How many runs may start in a second; also less than one. */
  readonly perSecond: number
  /** How many may start at once after a pause. @defaultValue a tenth of a second's, at least 1 */
  readonly burst?: number
}

/**
 * A step that lets so many runs of handlers start in a second, attempts that are repeated included; what is above that
 * waits for its turn. The limit is that of the call: used for a service it counts all its consumers together, used for
 * an event only its handler.
 *
 * While a record waits it has one of the consumer's places (`concurrency`), and its handler's time does not run.
 *
 * @example
 * service.consumer(orders).on(OrderCreated, charge, { use: [rateLimit({ perSecond: 50 })] })
 */
export function rateLimit(options: RateLimitOptions): StepMaker {
  optionsOf(options, 'rateLimit', ['perSecond', 'burst'])
  const { perSecond } = options
  if (typeof perSecond !== 'number' || !(perSecond > 0 && perSecond <= 1e6)) {
    const allowed = 'must be a number above 0, up to 1000000'
    throw new OptionError('rateLimit.perSecond', `(${shown(perSecond)}) ${allowed}`)
  }
  const burst = options.burst ?? Math.max(1, Math.ceil(perSecond / 10))
  if (!Number.isSafeInteger(burst) || burst < 1 || burst > 1e6) {
    const allowed = 'must be a whole number from 1 to 1000000'
    throw new OptionError('rateLimit.burst', `(${shown(burst)}) ${allowed}`)
  }
  let limiter: RateLimiter | undefined
  return {
    stepFor({ clock }) {
      const limit = (limiter ??= new RateLimiter(clock, { perSecond, burst }))
      return (delivery, next) => {
        if (limit.tryTake()) return next(delivery)
        return delivery.beforeStart((signal) => limit.take(signal)).then(() => next(delivery))
      }
    },
  }
}
