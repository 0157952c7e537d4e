import { readFileSync } from 'node:fs'
import { parseUsers, saslMechanisms } from '../broker/index.ts'
import type { BrokerOptions, OAuthOptions, SaslMechanism } from '../broker/index.ts'
import { OptionError } from '../errors.ts'
import type { TlsServerOptions } from '../platform/index.ts'
import type { OptionDeclaration, ParsedArguments } from './arguments.ts'

/** Who may connect to `millrace broker`, and do what. */
export const securityOptions: readonly OptionDeclaration[] = [
  {
    name: 'users',
    value: 'FILE',
    help: 'Ask for a login with PLAIN or SCRAM; lines of name:password.',
  },
  {
    name: 'mechanism',
    value: 'NAME',
    repeat: true,
    help: 'Offer only PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER.',
  },
  {
    name: 'oauth-jwks',
    value: 'FILE',
    help: 'Ask for a login with OAUTHBEARER; a JWKS document with the keys.',
  },
  {
    name: 'oauth-key',
    value: 'FILE',
    repeat: true,
    help: 'The same, with a public key (PEM).',
  },
  { name: 'oauth-issuer', value: 'TEXT', help: 'Take only tokens of this issuer.' },
  {
    name: 'oauth-audience',
    value: 'TEXT',
    repeat: true,
    help: 'Take only tokens that are for this audience.',
  },
  { name: 'oauth-principal', value: 'CLAIM', help: 'The claim that names the user (sub).' },
  { name: 'tls-cert', value: 'FILE', help: 'Speak TLS with this certificate (PEM).' },
  { name: 'tls-key', value: 'FILE', help: 'Its private key (PEM).' },
  { name: 'tls-ca', value: 'FILE', help: 'Ask clients for certificates of this authority.' },
  {
    name: 'tls-ca-optional',
    help: 'Let in clients without a certificate, too.',
  },
  {
    name: 'tls-principal',
    value: 'RULES',
    help: "Names of users, as Kafka's ssl.principal.mapping.rules.",
  },
  { name: 'acl', help: 'Let access control lists decide; they are empty at first.' },
  {
    name: 'super-user',
    value: 'NAME',
    repeat: true,
    help: 'May do everything (with --acl); alice, or User:alice.',
  },
  {
    name: 'acl-allow-unlisted',
    help: 'Allow everybody what no list is about (with --acl).',
  },
  { name: 'insecure', help: 'Allow another address than loopback without authentication.' },
]

/** What the command line says about security. */
export function securityOf(given: ParsedArguments): Partial<BrokerOptions> {
  const users = given.value('users')
  const mechanisms = given.values('mechanism').map(mechanismNamed)
  const oauth = oauthOf(given)
  const tls = tlsOf(given)
  const principalMappingRules = given.value('tls-principal')
  const authorizer = authorizerOf(given)
  return {
    insecure: given.has('insecure'),
    ...(users === undefined ? {} : { users: readUsers(users) }),
    ...(mechanisms.length === 0 ? {} : { mechanisms }),
    ...(oauth === undefined ? {} : { oauth }),
    ...(tls === undefined ? {} : { tls }),
    ...(principalMappingRules === undefined ? {} : { principalMappingRules }),
    ...(authorizer === undefined ? {} : { authorizer }),
  }
}

function mechanismNamed(text: string): SaslMechanism {
  const found = saslMechanisms.find((name) => name === text.toUpperCase())
  if (found !== undefined) return found
  throw new OptionError('--mechanism', `(${text}) must be one of ${saslMechanisms.join(', ')}`)
}

function oauthOf(given: ParsedArguments): OAuthOptions | undefined {
  const jwks = given.value('oauth-jwks')
  const publicKeys = given.values('oauth-key').map((path) => readFile('--oauth-key', path))
  const issuer = given.value('oauth-issuer')
  const audience = given.values('oauth-audience')
  const principalClaim = given.value('oauth-principal')
  if (jwks === undefined && publicKeys.length === 0) {
    refuseWithout(given, ['oauth-issuer', 'oauth-audience', 'oauth-principal'], '--oauth-jwks')
    return undefined
  }
  return {
    publicKeys,
    audience,
    ...(jwks === undefined ? {} : { jwks: readFile('--oauth-jwks', jwks) }),
    ...(issuer === undefined ? {} : { issuer }),
    ...(principalClaim === undefined ? {} : { principalClaim }),
  }
}

function tlsOf(given: ParsedArguments): TlsServerOptions | undefined {
  const certificate = given.value('tls-cert')
  const privateKey = given.value('tls-key')
  const authority = given.value('tls-ca')
  if (authority === undefined)
    refuseWithout(given, ['tls-ca-optional', 'tls-principal'], '--tls-ca')
  if (certificate === undefined && privateKey === undefined && authority === undefined) {
    return undefined
  }
  if (certificate === undefined || privateKey === undefined) {
    throw new OptionError('--tls-cert', 'and --tls-key must be given together')
  }
  const own = {
    certificate: readFile('--tls-cert', certificate),
    privateKey: readFile('--tls-key', privateKey),
  }
  if (authority === undefined) return { ...own, clientCertificate: 'none' }
  return {
    ...own,
    clientCertificate: given.has('tls-ca-optional') ? 'requested' : 'required',
    authorities: [readFile('--tls-ca', authority)],
  }
}

function authorizerOf(given: ParsedArguments): BrokerOptions['authorizer'] {
  if (!given.has('acl')) {
    refuseWithout(given, ['super-user', 'acl-allow-unlisted'], '--acl')
    return undefined
  }
  return {
    superUsers: given
      .values('super-user')
      .map((name) => (name.startsWith('User:') ? name : `User:${name}`)),
    allowEveryoneIfNoAclFound: given.has('acl-allow-unlisted'),
  }
}

/** What alone would do nothing is a mistake. */
function refuseWithout(given: ParsedArguments, options: readonly string[], needed: string): void {
  const found = options.find((name) => given.has(name))
  if (found !== undefined) throw new OptionError(`--${found}`, `needs ${needed}`)
}

function readUsers(path: string): Record<string, string> {
  const text = readFile('--users', path)
  try {
    return Object.fromEntries(parseUsers(text))
  } catch (cause) {
    throw new OptionError('--users', `(${path}): ${(cause as Error).message}`, { cause })
  }
}

function readFile(option: string, path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    throw new OptionError(option, `(${path}) cannot be read: ${(cause as Error).message}`, {
      cause,
    })
  }
}
