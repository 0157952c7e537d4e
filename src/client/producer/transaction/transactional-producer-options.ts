import { OptionError } from '../../../errors.ts'
import { shown, wholeNumber } from '../../../option-checks.ts'
import { resolveProducerOptions } from '../producer-options.ts'
import type { ProducerOptions, ResolvedProducerOptions } from '../producer-options.ts'

export interface TransactionalProducerOptions extends Omit<ProducerOptions, 'acks' | 'idempotent'> {
  /**
   * What the cluster knows this producer by, over its restarts. Only one producer has it at a time: a new one
   * fences the one before, and aborts what it left open.
   */
  readonly transactionalId: string
  /**
   * A transaction that is open for longer is aborted by the broker. It bounds for how long readers of committed
   * records wait when this producer dies.
   * @defaultValue 10000
   */
  readonly transactionTimeoutMs?: number
  /** How long `begin`, `commit` and `abort` try before they reject. @defaultValue 60000 */
  readonly callTimeoutMs?: number
  /** @defaultValue the value of `transactionTimeoutMs`: what takes longer is aborted */
  readonly deliveryTimeoutMs?: number
}

/** The options with every default in place. */
export interface ResolvedTransactionalProducerOptions {
  readonly transactionalId: string
  readonly transactionTimeoutMs: number
  readonly callTimeoutMs: number
  readonly sender: ResolvedProducerOptions
}

const defaults = { transactionTimeoutMs: 10_000, callTimeoutMs: 60_000 } as const
/** Kafka has times as 32 bits. */
const timeMax = 2 ** 31 - 1

/** Checks the options and fills in what is left out. */
export function resolveTransactionalProducerOptions(
  options: TransactionalProducerOptions,
): ResolvedTransactionalProducerOptions {
  const { transactionalId, transactionTimeoutMs, callTimeoutMs, ...rest } = options
  if (typeof transactionalId !== 'string' || !/^[^\p{C}]{1,255}$/u.test(transactionalId)) {
    throw new OptionError(
      'transactionalId',
      `(${shown(transactionalId)}) must be a text of 1 to 255 characters`,
    )
  }
  for (const name of ['acks', 'idempotent'] as const) {
    if (name in rest) {
      throw new OptionError(name, "cannot be chosen: transactions need acks 'all' and idempotence")
    }
  }
  const time = (name: keyof typeof defaults) =>
    wholeNumber({ transactionTimeoutMs, callTimeoutMs }, name, defaults[name], {
      min: 1,
      max: timeMax,
    })
  const timeoutMs = time('transactionTimeoutMs')
  return {
    transactionalId,
    transactionTimeoutMs: timeoutMs,
    callTimeoutMs: time('callTimeoutMs'),
    sender: resolveProducerOptions({
      ...rest,
      deliveryTimeoutMs: rest.deliveryTimeoutMs ?? timeoutMs,
    }),
  }
}
