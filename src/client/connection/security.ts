import { OptionError } from '../../errors.ts'
import type { TlsClientOptions } from '../../platform/index.ts'
import { isLoopback } from '../broker-address.ts'
import type { BrokerAddress } from '../broker-address.ts'
import type { ResolvedClientOptions, ResolvedTlsOptions } from '../options.ts'
import { quoted } from '../quoted.ts'

/**
 * How a connection to `address` is encrypted; undefined is plain text. The addresses that a client
 * starts with are checked before, but those that brokers advertise are theirs to choose: what is meant
 * for this machine only must not leave it because a broker says so.
 */
export function tlsFor(
  options: Pick<ResolvedClientOptions, 'tls' | 'allowPlaintext'>,
  address: BrokerAddress,
): TlsClientOptions | undefined {
  const { tls, allowPlaintext } = options
  if (tls !== undefined) return clientOptions(tls, address.host)
  if (allowPlaintext || isLoopback(address.host)) return undefined
  throw new OptionError(
    'tls',
    `is off, and the brokers advertise ${quoted(address.host)}, which is not on this machine: ` +
      `set tls, or allowPlaintext, or have the brokers advertise a loopback address`,
  )
}

/** More names than brokers have: only a cluster that renames them all the time gets there. */
const namesMax = 1024

/** By server name. Certificates are read once for each object, so there is one for each name. */
const known = new WeakMap<ResolvedTlsOptions, Map<string, TlsClientOptions>>()

function clientOptions(tls: ResolvedTlsOptions, host: string): TlsClientOptions {
  const serverName = tls.serverName ?? host
  let byName = known.get(tls)
  if (byName === undefined || byName.size >= namesMax) {
    byName = new Map()
    known.set(tls, byName)
  }
  const made = byName.get(serverName) ?? { ...tls, serverName }
  byName.set(serverName, made)
  return made
}
