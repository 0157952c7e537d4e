import { systemErrorCode, systemErrorText } from './builtin.ts'
import { NetworkError } from './network-error.ts'
import type { Endpoint, NetworkErrorReason } from './platform.ts'

const reasons: Readonly<Record<string, NetworkErrorReason>> = {
  ECONNREFUSED: 'refused',
  ECONNRESET: 'reset',
  ECONNABORTED: 'reset',
  EPIPE: 'reset',
  ETIMEDOUT: 'timeout',
  ERR_TLS_HANDSHAKE_TIMEOUT: 'timeout',
  EHOSTUNREACH: 'unreachable',
  ENETUNREACH: 'unreachable',
  ENETDOWN: 'unreachable',
  ENOTFOUND: 'name-not-found',
  EAI_AGAIN: 'name-not-found',
  EADDRINUSE: 'address-in-use',
  EADDRNOTAVAIL: 'address-not-available',
  EACCES: 'denied',
  EPERM: 'denied',
}

const texts: Partial<Record<NetworkErrorReason, string>> = {
  refused: 'nobody listens there',
  reset: 'the other side reset the connection',
  'name-not-found': 'the host name is not known',
  'address-in-use': 'another process listens there',
  'address-not-available': 'this machine has no such address',
  denied: 'the system does not allow it',
}

/** `failed` is what did not work, with the endpoint: `cannot connect to localhost:9092`. */
export function networkError(failed: string, cause: unknown): NetworkError {
  const reason = reasonOf(cause)
  return new NetworkError(reason, `${failed}: ${texts[reason] ?? text(cause)}`, { cause })
}

/** An endpoint as people write it: `localhost:9092`, `[::1]:9092`. */
export function endpointText({ host, port }: Endpoint): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

function reasonOf(cause: unknown): NetworkErrorReason {
  const code = systemErrorCode(cause) ?? ''
  if (reasons[code] !== undefined) return reasons[code]
  return /^(ERR_TLS_|ERR_SSL_|CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|ERR_OSSL_|HOSTNAME_)/.test(
    code,
  )
    ? 'tls'
    : 'failed'
}

/** Several addresses of one name that all failed come as one error without a text of its own. */
function text(cause: unknown): string {
  return systemErrorText(cause instanceof AggregateError ? cause.errors[0] : cause)
}
