import { isLoopback, parseBrokerAddresses } from '../../client/index.ts'
import type { ClientOptions, SaslOptions, TlsOptions } from '../../client/index.ts'
import { isMillraceError, OptionError } from '../../errors.ts'
import { nearest } from '../../nearest.ts'
import { createConsoleLog } from '../../observe/index.ts'
import type { Log } from '../../observe/index.ts'
import { shown } from '../../option-checks.ts'

export type Environment = Readonly<Record<string, string | undefined>>

export interface KafkaFromEnvOptions {
  /** Who is told when two variables say different things. @defaultValue JSON lines on standard error */
  readonly log?: Log
}

/** The way to a cluster as the environment has it. */
export type KafkaFromEnv = Pick<
  ClientOptions,
  'brokers' | 'clientId' | 'tls' | 'sasl' | 'allowPlaintext'
>

/** Names of the brokers, the first that is set counts: ours, and those that other tools have. */
const brokerNames = ['MILLRACE_BROKERS', 'KAFKA_BROKERS', 'KAFKA_BOOTSTRAP_SERVERS'] as const

const otherNames = [
  'KAFKA_CLIENT_ID',
  'KAFKA_USERNAME',
  'KAFKA_PASSWORD',
  'KAFKA_SASL_MECHANISM',
  'KAFKA_SSL',
  'KAFKA_SSL_CA',
  'KAFKA_SSL_CERT',
  'KAFKA_SSL_KEY',
  'KAFKA_SSL_KEY_PASSPHRASE',
  'KAFKA_SSL_SERVER_NAME',
  'KAFKA_ALLOW_PLAINTEXT',
] as const

const names: readonly string[] = [...brokerNames, ...otherNames]

type Name = (typeof brokerNames)[number] | (typeof otherNames)[number]
type PasswordMechanism = Exclude<SaslOptions['mechanism'], 'OAUTHBEARER'>

const mechanisms: readonly PasswordMechanism[] = ['SCRAM-SHA-512', 'SCRAM-SHA-256', 'PLAIN']

/**
 * The way to Kafka from environment variables. Off this machine that is TLS and a login with SCRAM-SHA-512, unless
 * variables say something else. Throws one error that names everything that is missing or wrong; no message has a
 * secret in it.
 *
 * @example
 * const service = createService({ name: 'fulfilment', kafka: kafkaFromEnv() })
 */
export function kafkaFromEnv(
  env: Environment = process.env,
  { log = createConsoleLog() }: KafkaFromEnvOptions = {},
): KafkaFromEnv {
  const reader = new EnvironmentReader(env)
  const brokers = reader.brokers(log)
  const isElsewhere = brokers.hosts.some((host) => !isLoopback(host))
  const tls = tlsIn(reader, isElsewhere)
  const allowPlaintext = reader.flag('KAFKA_ALLOW_PLAINTEXT') ?? false
  if (tls === false && isElsewhere && !allowPlaintext) {
    const problem = '(false) sends everything in plain text: take it away, or say so with'
    reader.wrong('KAFKA_SSL', `${problem} KAFKA_ALLOW_PLAINTEXT=true`)
  }
  const hasCertificate = reader.text('KAFKA_SSL_CERT') !== undefined
  const sasl = saslIn(reader, isElsewhere && !hasCertificate, tls !== false)
  const clientId = reader.text('KAFKA_CLIENT_ID')
  reader.finish()
  return {
    brokers: brokers.addresses,
    tls,
    ...(allowPlaintext && { allowPlaintext }),
    ...(sasl !== undefined && { sasl }),
    ...(clientId !== undefined && { clientId }),
  }
}

/** Reads variables, and gathers what is wrong with them. One that is empty is one that is not set. */
class EnvironmentReader {
  readonly #env: Environment
  readonly #problems: string[] = []

  constructor(env: Environment) {
    this.#env = env
  }

  text(name: Name): string | undefined {
    const value = this.#env[name]
    return value === undefined || value.trim() === '' ? undefined : value
  }

  flag(name: Name): boolean | undefined {
    const value = this.text(name)?.trim().toLowerCase()
    if (value === undefined) return undefined
    if (value === 'true' || value === '1') return true
    if (value === 'false' || value === '0') return false
    this.wrong(name, `(${shown(value)}) must be true or false`)
    return undefined
  }

  /** PEM, also where a file of variables made `\n` of its line ends. */
  pem(name: Name, label: 'CERTIFICATE' | 'PRIVATE KEY'): string | undefined {
    const value = this.text(name)?.replaceAll('\\n', '\n')
    const form = new RegExp(
      `-----BEGIN ([A-Z]+ )*${label}-----[^]+-----END ([A-Z]+ )*${label}-----`,
    )
    if (value === undefined || form.test(value)) return value
    const what = `a ${label.toLowerCase()} in PEM`
    this.wrong(name, `must be ${what}, not where it lies: ${name}="$(cat file.pem)"`)
    return undefined
  }

  brokers(log: Log): { readonly addresses: readonly string[]; readonly hosts: readonly string[] } {
    const given = brokerNames.flatMap((name) => {
      const value = this.text(name)
      return value === undefined ? [] : [{ name, value: value.trim() }]
    })
    const [first] = given
    if (first === undefined) {
      this.missing('KAFKA_BROKERS', `as 'host:port,host:port'`)
      return { addresses: [], hosts: [] }
    }
    const other = given.find(({ value }) => value !== first.value)
    if (other !== undefined) {
      log('warn', `${first.name} and ${other.name} name different brokers: ${first.name} counts`)
    }
    try {
      const hosts = parseBrokerAddresses(first.value).map(({ host }) => host)
      const addresses = first.value.split(',').map((address) => address.trim())
      return { addresses: addresses.filter((address) => address !== ''), hosts }
    } catch (error) {
      if (!isMillraceError(error)) throw error
      this.wrong(first.name, error.message.replace(/^brokers /, ''))
      return { addresses: [], hosts: [] }
    }
  }

  missing(name: Name, hint: string): void {
    const others = Object.keys(this.#env).filter(
      (other) => other.startsWith('KAFKA_') && !names.includes(other),
    )
    const meant = nearest(name, others)
    const guess = meant === undefined ? '' : ` (${meant} is set: was ${name} meant?)`
    this.#problems.push(`${name} is missing, ${hint}${guess}`)
  }

  wrong(name: Name, problem: string): void {
    this.#problems.push(`${name} ${problem}`)
  }

  finish(): void {
    if (this.#problems.length === 0) return
    throw new OptionError('environment', `cannot be used: ${this.#problems.join('; ')}`)
  }
}

function tlsIn(reader: EnvironmentReader, isElsewhere: boolean): boolean | TlsOptions {
  const authorities = reader.pem('KAFKA_SSL_CA', 'CERTIFICATE')
  const certificate = reader.pem('KAFKA_SSL_CERT', 'CERTIFICATE')
  const privateKey = reader.pem('KAFKA_SSL_KEY', 'PRIVATE KEY')
  const passphrase = reader.text('KAFKA_SSL_KEY_PASSPHRASE')
  const serverName = reader.text('KAFKA_SSL_SERVER_NAME')?.trim()
  const isSet = (name: Name) => reader.text(name) !== undefined
  if (isSet('KAFKA_SSL_CERT') && !isSet('KAFKA_SSL_KEY')) {
    reader.missing('KAFKA_SSL_KEY', 'the key of KAFKA_SSL_CERT')
  }
  if (isSet('KAFKA_SSL_KEY') && !isSet('KAFKA_SSL_CERT')) {
    reader.missing('KAFKA_SSL_CERT', 'the certificate of KAFKA_SSL_KEY')
  }
  if (passphrase !== undefined && !isSet('KAFKA_SSL_KEY')) {
    reader.missing('KAFKA_SSL_KEY', 'what KAFKA_SSL_KEY_PASSPHRASE is for')
  }
  const given = [authorities, certificate, privateKey, serverName]
  const hasOptions = given.some((value) => value !== undefined)
  const isOn = reader.flag('KAFKA_SSL')
  if (isOn === false && hasOptions) {
    reader.wrong('KAFKA_SSL', '(false) does not go with KAFKA_SSL_CA, _CERT, _KEY or _SERVER_NAME')
  }
  if (!hasOptions) return isOn ?? (isElsewhere && reader.flag('KAFKA_ALLOW_PLAINTEXT') !== true)
  const tls: TlsOptions = {
    ...(authorities !== undefined && { authorities }),
    ...(certificate !== undefined && { certificate }),
    ...(serverName !== undefined && { serverName }),
  }
  return withSecrets(tls, { privateKey, passphrase })
}

/** Adds what is not to be seen by whoever prints the options. */
function withSecrets(tls: TlsOptions, secrets: Readonly<Record<string, string | undefined>>) {
  for (const [name, value] of Object.entries(secrets)) {
    if (value !== undefined) Object.defineProperty(tls, name, { value, enumerable: false })
  }
  return tls
}

function saslIn(
  reader: EnvironmentReader,
  isNeeded: boolean,
  hasTls: boolean,
): SaslOptions | undefined {
  const given = reader.text('KAFKA_SASL_MECHANISM')?.trim()
  const username = reader.text('KAFKA_USERNAME')
  const password = reader.text('KAFKA_PASSWORD')
  const isGiven = [given, username, password].some((value) => value !== undefined)
  if (given?.toLowerCase() === 'none') {
    if (username === undefined && password === undefined) return undefined
    const problem = '(none) does not go with KAFKA_USERNAME and KAFKA_PASSWORD'
    reader.wrong('KAFKA_SASL_MECHANISM', problem)
    return undefined
  }
  if (!isGiven && !isNeeded) return undefined
  const wayOut = isGiven ? '' : ', or KAFKA_SASL_MECHANISM=none, or a certificate in KAFKA_SSL_CERT'
  if (username === undefined) reader.missing('KAFKA_USERNAME', `for the login${wayOut}`)
  if (password === undefined) reader.missing('KAFKA_PASSWORD', `for the login${wayOut}`)
  const mechanism = mechanismOf(reader, given)
  if (mechanism === undefined || username === undefined || password === undefined) return undefined
  if (mechanism === 'PLAIN' && !hasTls) {
    const problem = '(PLAIN) shows the password to everybody on the way where there is no TLS'
    reader.wrong('KAFKA_SASL_MECHANISM', `${problem}: use SCRAM-SHA-512, or KAFKA_SSL=true`)
  }
  // A function: whoever prints the options does not see it.
  return { mechanism, credentials: () => ({ username, password }) }
}

function mechanismOf(
  reader: EnvironmentReader,
  given: string | undefined,
): PasswordMechanism | undefined {
  if (given === undefined) return 'SCRAM-SHA-512'
  const written = given.toUpperCase().replaceAll('_', '-')
  const mechanism = mechanisms.find((known) => known === written)
  if (mechanism === undefined) {
    const problem = `(${shown(given)}) must be one of ${mechanisms.join(', ')}, none`
    reader.wrong('KAFKA_SASL_MECHANISM', problem)
  }
  return mechanism
}
