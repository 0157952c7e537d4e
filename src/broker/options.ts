import { OptionError } from '../errors.ts'
import type { Log } from '../observe/index.ts'
import type { Platform, TlsServerOptions } from '../platform/index.ts'
import type { AuthorizerOptions } from './authorization/authorizer.ts'
import { releaseNames } from './release/release.ts'
import type { ReleaseName } from './release/release.ts'
import { createPrincipalMapping } from './security/principal-mapping.ts'
import { passwordMechanisms } from './security/sasl.ts'
import type { SaslMechanism } from './security/sasl.ts'
import type { OAuthOptions } from './security/token-verifier.ts'

/** How an embedded broker is started. Everything has a default that suits a test. */
export interface BrokerOptions {
  /**
   * The port of the first node; the others follow. 0 lets the system choose.
   * @defaultValue 0
   */
  readonly port?: number
  /**
   * The address to listen on. Any other than loopback needs `users` or TLS with client
   * certificates, or `insecure`.
   * @defaultValue '127.0.0.1'
   */
  readonly host?: string
  /**
   * The host that clients are told to connect to.
   * @defaultValue the value of `host`
   */
  readonly advertisedHost?: string
  /**
   * How many nodes the cluster has. They share their logs: it is not replication.
   * @defaultValue 1
   */
  readonly nodes?: number
  /**
   * The folder to keep everything in. Without it everything lives in memory and is gone at the end.
   */
  readonly data?: string
  /**
   * When a write counts as durable: `'sync'` once it is on stable storage, `'page-cache'` at once,
   * as in a single Kafka broker. Only with `data`.
   * @defaultValue 'sync'
   */
  readonly durability?: 'sync' | 'page-cache'
  /** Kafka's own properties, `{ 'num.partitions': '4' }`. */
  readonly properties?: Readonly<Record<string, string>>
  /** Passwords by user. Given: clients must authenticate with SASL. */
  readonly users?: Readonly<Record<string, string>>
  /**
   * The tokens that clients may log in with. Given: clients must authenticate with SASL, and may choose
   * OAUTHBEARER. A login ends when its token expires; clients log in again before.
   */
  readonly oauth?: OAuthOptions
  /**
   * The SASL mechanisms that clients may choose.
   * @defaultValue with `users` PLAIN, SCRAM-SHA-256, SCRAM-SHA-512; with `oauth` OAUTHBEARER
   */
  readonly mechanisms?: readonly SaslMechanism[]
  readonly tls?: TlsServerOptions
  /**
   * How the name in a client's certificate becomes that of a user, in the form of Kafka's
   * `ssl.principal.mapping.rules`.
   * @defaultValue 'DEFAULT': as it is, `CN=alice,O=example`
   */
  readonly principalMappingRules?: string
  /**
   * Who may do what: with it, access control lists decide, as Kafka's own authorizer does. The lists
   * are empty at first, so that nobody but super users may do anything.
   * @defaultValue everybody may do everything
   */
  readonly authorizer?: AuthorizerOptions
  /**
   * The release of Apache Kafka to pass for: clients are told its versions and features, and find
   * nothing that it did not have.
   * @defaultValue all that the broker can do
   */
  readonly asVersion?: ReleaseName
  /**
   * Allows an address other than loopback without authentication.
   * @defaultValue false
   */
  readonly insecure?: boolean
  /** Where messages for operators go. @defaultValue nowhere */
  readonly log?: Log
  /** The world that the broker lives in. @defaultValue this machine */
  readonly platform?: Platform
}

const loopback = /^(?:localhost|127(?:\.\d{1,3}){3}|::1)$/
const nodesMax = 100

/** Refuses options that cannot work or that would open the broker to a network by mistake. */
export function checkBrokerOptions(options: BrokerOptions): void {
  const { port = 0, nodes = 1, host = '127.0.0.1' } = options
  if (!Number.isInteger(nodes) || nodes < 1 || nodes > nodesMax) {
    throw new OptionError('nodes', `(${nodes}) must be a whole number from 1 to ${nodesMax}`)
  }
  if (!Number.isInteger(port) || port < 0 || port + nodes - 1 > 65_535) {
    throw new OptionError('port', `(${port}) must be from 0 to ${65_536 - nodes}`)
  }
  if (options.durability !== undefined && options.data === undefined) {
    throw new OptionError('durability', `(${options.durability}) needs a data folder (data)`)
  }
  if (options.asVersion !== undefined && !releaseNames.includes(options.asVersion)) {
    const known = releaseNames.join(', ')
    throw new OptionError('asVersion', `(${options.asVersion}) must be one of ${known}`)
  }
  checkMechanisms(options)
  // Throws for rules that are none.
  createPrincipalMapping(options.principalMappingRules)
  const authenticates = asksForLogins(options) || options.tls?.clientCertificate === 'required'
  if (loopback.test(host) || authenticates || options.insecure === true) return
  throw new OptionError(
    'host',
    `(${host}) is not loopback: give users, oauth, or TLS with client certificates, or say insecure`,
  )
}

/** The mechanisms that clients may choose; none where nobody need log in. */
export function offeredMechanisms(options: BrokerOptions): readonly SaslMechanism[] {
  if (!asksForLogins(options)) return []
  if (options.mechanisms !== undefined) return options.mechanisms
  return [
    ...(options.users === undefined ? [] : passwordMechanisms),
    ...(options.oauth === undefined ? [] : (['OAUTHBEARER'] as const)),
  ]
}

function asksForLogins({ users, oauth }: BrokerOptions): boolean {
  return users !== undefined || oauth !== undefined
}

/** A mechanism that nobody can log in with would be offered in vain. */
function checkMechanisms(options: BrokerOptions): void {
  for (const mechanism of options.mechanisms ?? []) {
    const needed = mechanism === 'OAUTHBEARER' ? 'oauth' : 'users'
    if (options[needed] !== undefined) continue
    throw new OptionError('mechanisms', `(${mechanism}) needs ${needed}`)
  }
}
