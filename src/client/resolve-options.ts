import { OptionError } from '../errors.ts'
import { addressText, isLoopback, parseBrokerAddresses } from './broker-address.ts'
import type { BrokerAddress } from './broker-address.ts'
import { resolveSasl } from './connection/sasl/resolve-sasl.ts'
import { resolveTls } from './connection/resolve-tls.ts'
import { flag, optionsOf, shown, text, wholeNumber } from '../option-checks.ts'
import type { GivenOptions, Range } from '../option-checks.ts'
import type { ClientOptions, ResolvedClientOptions, ResolvedTlsOptions } from './options.ts'

const defaults = {
  connectTimeoutMs: 10_000,
  requestTimeoutMs: 30_000,
  retryBackoffMs: 100,
  retryBackoffMsMax: 1000,
  metadataMaxAgeMs: 300_000,
  requestsInFlightMax: 64,
  bytesInFlightMax: 64 * 1024 * 1024,
  connectionIdleMsMax: 540_000,
  responseBytesMax: 128 * 1024 * 1024,
} as const satisfies Partial<ResolvedClientOptions>

type NumberOption = keyof typeof defaults

/** Timers reach no further. */
const time: Range = { min: 1, max: 2 ** 31 - 1 }
const size: Range = { min: 1, max: 2 ** 31 - 1 }

const ranges = {
  connectTimeoutMs: time,
  requestTimeoutMs: time,
  retryBackoffMs: time,
  retryBackoffMsMax: time,
  metadataMaxAgeMs: time,
  requestsInFlightMax: { min: 1, max: 10_000 },
  bytesInFlightMax: size,
  connectionIdleMsMax: time,
  // Below it not even the answers to the first questions fit.
  responseBytesMax: { min: 64 * 1024, max: size.max },
} as const satisfies Record<NumberOption, Range>

const known = [
  ...['brokers', 'clientId', 'tls', 'sasl', 'allowPlaintext', 'rack', 'log', 'platform'],
  ...Object.keys(defaults),
]

/**
 * Checks every option and puts the defaults in place. Throws an `OptionError` that names the option, the
 * value, unless it may be a secret, and what is allowed.
 */
export function resolveClientOptions(options: ClientOptions): ResolvedClientOptions {
  const given = optionsOf(options, '', known)
  const brokers = parseBrokerAddresses(given['brokers'])
  const allowPlaintext = flag(given, 'allowPlaintext')
  const tls = tlsOf(given, brokers, allowPlaintext)
  checkWorld(given)
  return {
    brokers,
    clientId: text(given, 'clientId') ?? 'millrace',
    tls,
    sasl: resolveSasl(given['sasl'], tls !== undefined),
    allowPlaintext,
    rack: text(given, 'rack'),
    ...numbersOf(given),
  }
}

/** TLS is for all brokers or for none, so those to begin with decide where nothing is said. */
function tlsOf(
  given: GivenOptions,
  brokers: readonly BrokerAddress[],
  allowPlaintext: boolean,
): ResolvedTlsOptions | undefined {
  const elsewhere = brokers.find(({ host }) => !isLoopback(host))
  const { tls } = given
  if (tls !== undefined && tls !== false) return resolveTls(tls)
  if (elsewhere === undefined || allowPlaintext) return undefined
  if (tls === false) {
    throw new OptionError(
      'tls',
      `(false) sends everything in plain text to ${addressText(elsewhere)}, which is not on this machine: ` +
        'set tls, or allowPlaintext',
    )
  }
  const here = brokers.find(({ host }) => isLoopback(host))
  if (here === undefined) return {}
  throw new OptionError(
    'brokers',
    `(${addressText(here)}, ${addressText(elsewhere)}) are partly on this machine and partly not: ` +
      'say tls, or allowPlaintext',
  )
}

function numbersOf(given: GivenOptions): Record<NumberOption, number> {
  const names = Object.keys(defaults) as NumberOption[]
  const numbers = Object.fromEntries(
    names.map((name) => [name, wholeNumber(given, name, defaults[name], ranges[name])]),
  ) as Record<NumberOption, number>
  const { retryBackoffMs, retryBackoffMsMax } = numbers
  if (retryBackoffMs > retryBackoffMsMax) {
    throw new OptionError(
      'retryBackoffMs',
      `(${retryBackoffMs}) must not exceed retryBackoffMsMax (${retryBackoffMsMax})`,
    )
  }
  return numbers
}

const logMethods = ['debug', 'info', 'warn', 'error']
const platformParts = ['clock', 'random', 'network', 'disk', 'offload']

function checkWorld({ log, platform }: GivenOptions): void {
  if (log !== undefined && typeof log !== 'function' && !hasAll(log, logMethods, 'function')) {
    const allowed = `must be a function or a logger with ${logMethods.join(', ')}`
    throw new OptionError('log', `(${shown(log)}) ${allowed}`)
  }
  if (platform !== undefined && !hasAll(platform, platformParts, 'object')) {
    const allowed = `must have ${platformParts.join(', ')}`
    throw new OptionError('platform', `(${shown(platform)}) ${allowed}`)
  }
}

function hasAll(value: unknown, names: readonly string[], type: string): boolean {
  if (typeof value !== 'object' || value === null) return false
  return names.every((name) => typeof (value as GivenOptions)[name] === type)
}
