import { OptionError } from '../errors.ts'
import { quoted } from './quoted.ts'

/** Where a broker listens. The host is a name or an address as text, without brackets. */
export interface BrokerAddress {
  readonly host: string
  readonly port: number
}

const defaultPort = 9092
const hostLengthMax = 255

/** Reads `'kafka-1:9093,[::1]:9092'` or a list of such texts; each address once, in the order given. */
export function parseBrokerAddresses(brokers: unknown): readonly BrokerAddress[] {
  const addresses = new Map<string, BrokerAddress>()
  for (const text of textsOf(brokers)) {
    const address = parseBrokerAddress(text)
    addresses.set(addressText(address), address)
  }
  if (addresses.size > 0) return [...addresses.values()]
  throw new OptionError('brokers', `must name at least one broker, as 'host:port'`)
}

function textsOf(brokers: unknown): string[] {
  const list: readonly unknown[] = Array.isArray(brokers) ? brokers : [brokers]
  if (!list.every((entry) => typeof entry === 'string')) {
    throw new OptionError('brokers', `must be 'host:port,host:port' or a list of such texts`)
  }
  return list
    .flatMap((entry) => entry.split(','))
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '')
}

function parseBrokerAddress(text: string): BrokerAddress {
  // A text like this may hold a password: it is not repeated.
  if (text.includes('@')) {
    throw new OptionError('brokers', `must be 'host:port' without a user; a login goes into sasl`)
  }
  if (text.includes('://')) {
    throw badAddress(text, `must be 'host:port' without a protocol; TLS is switched on by tls`)
  }
  const match = /^(?:\[([^\]]*)\]|([^:[\]]*))(?::([^:]*))?$/.exec(text)
  if (match === null) throw badAddress(text, `must be 'host:port', an IPv6 address in brackets`)
  const [, address, name, portText] = match
  if (address !== undefined && canonicalAddress(address) === undefined) {
    throw badAddress(text, 'must have an IPv6 address between its brackets')
  }
  if (name !== undefined && !isHostName(name)) {
    throw badAddress(text, 'must begin with the name or the address of a host')
  }
  return { host: address ?? name ?? '', port: parsePort(text, portText) }
}

function parsePort(text: string, portText: string | undefined): number {
  if (portText === undefined) return defaultPort
  const port = /^\d{1,5}$/.test(portText) ? Number(portText) : 0
  if (port >= 1 && port <= 65_535) return port
  throw badAddress(text, 'must end with a port from 1 to 65535')
}

function badAddress(text: string, problem: string): OptionError {
  return new OptionError('brokers', `(${quoted(text)}) ${problem}`)
}

/** Underscores are not allowed in names of hosts, and used all the same. */
function isHostName(text: string): boolean {
  return text.length <= hostLengthMax && /^[\p{L}\p{N}_][\p{L}\p{N}\p{M}._-]*$/u.test(text)
}

/** An IPv6 address in its one shortest form; undefined when the text is none. */
function canonicalAddress(text: string): string | undefined {
  const [address = '', ...zone] = text.split('%')
  if (zone.length > 1 || zone[0] === '' || !address.includes(':')) return undefined
  if (!URL.canParse(`http://[${address}]/`)) return undefined
  return new URL(`http://[${address}]/`).hostname.slice(1, -1)
}

const octet = '(?:0|[1-9]\\d?|1\\d\\d|2[0-4]\\d|25[0-5])'
const loopbackAddress = new RegExp(`^127(?:\\.${octet}){3}$`)

/** Whether what is sent to `host` cannot leave this machine. */
export function isLoopback(host: string): boolean {
  if (host.toLowerCase() === 'localhost' || loopbackAddress.test(host)) return true
  const address = canonicalAddress(host) ?? ''
  return address === '::1' || /^::ffff:7f[\da-f]{2}:[\da-f]{1,4}$/.test(address)
}

/** The address as it is written in messages and options, `'[::1]:9092'`. */
export function addressText({ host, port }: BrokerAddress): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`
}
