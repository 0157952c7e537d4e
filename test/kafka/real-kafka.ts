/**
 * Apache Kafka itself, started for a test: brokers on 127.0.0.1 in KRaft mode, on free ports, with
 * data in a temporary folder. Whatever happens to this process, the brokers end with it.
 */
import { randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePorts } from './free-ports.ts'
import { kafkaClassPath, type KafkaVersion } from './kafka-jars.ts'
import { KafkaNode, quickJavaOptions } from './kafka-node.ts'
import { startProcessGuard } from './process-guard.ts'

export interface RealKafkaOptions {
  /** @defaultValue '4.1.1' */
  readonly version?: KafkaVersion
  /** @defaultValue 1 */
  readonly nodes?: 1 | 3
  /** Added to every node's server.properties, over what is set here. */
  readonly properties?: Readonly<Record<string, string>>
  /** What each node tells clients its address is, when that is not where it listens (a proxy). */
  readonly advertised?: readonly string[]
  /** Names and passwords. Given: there is a listener for SASL PLAIN, SCRAM-SHA-256 and -512. */
  readonly users?: Readonly<Record<string, string>>
  /**
   * Keys and claims of tokens. Given: the SASL listener takes OAUTHBEARER alone.
   */
  readonly tokens?: { readonly jwks: string; readonly issuer: string; readonly audience: string }
  /** PEM. Given: there is a listener for TLS, and the SASL listener is encrypted too. */
  readonly tls?: { readonly certificate: string; readonly privateKey: string }
  /** @defaultValue what starts fast on few cores; a benchmark wants other options */
  readonly javaOptions?: readonly string[]
}

/** A running cluster. `await using` it: disposing kills the nodes and removes their data. */
export interface RealKafka extends AsyncDisposable {
  /** 'attached' when MILLRACE_TEST_KAFKA named a cluster that was there already. */
  readonly version: KafkaVersion | 'attached'
  /** The addresses of all nodes, separated by commas. */
  readonly bootstrap: string
  readonly saslBootstrap: string | undefined
  readonly tlsBootstrap: string | undefined
  /** Where its data and logs are, until it is closed; undefined for an attached cluster. */
  readonly folder: string | undefined
  /** Empty for an attached cluster, which is not ours to stop. */
  readonly nodes: readonly KafkaNode[]
  /** Starts a node (again) and waits until it and its peers see each other. */
  start(node: KafkaNode): Promise<void>
  close(): Promise<void>
}

type ListenerName = 'PLAINTEXT' | 'CONTROLLER' | 'SASL' | 'TLS'
type Ports = Readonly<Record<ListenerName, number>>

/** Starts Apache Kafka, or attaches to the one that MILLRACE_TEST_KAFKA names. */
export async function startRealKafka(options: RealKafkaOptions = {}): Promise<RealKafka> {
  const attached = process.env['MILLRACE_TEST_KAFKA']
  if (attached !== undefined && attached !== '') return attach(attached, options)
  const version = options.version ?? '4.1.1'
  const classPath = await kafkaClassPath(version)
  const folder = await mkdtemp(join(tmpdir(), 'millrace-kafka-'))
  const guard = startProcessGuard([folder])
  const close = async (): Promise<void> => {
    await Promise.all(nodes.map((node) => node.kill()))
    await guard.close()
  }
  const ports = await portsOf(options.nodes ?? 1)
  const clusterId = randomBytes(16).toString('base64url')
  const nodes = ports.map((own, index) => {
    const address = `127.0.0.1:${own.PLAINTEXT}`
    const id = index + 1
    const properties = propertiesOf(id, ports, folder, options)
    const users = options.users ?? {}
    const systemProperties = systemPropertiesOf(folder, options)
    const javaOptions = options.javaOptions ?? quickJavaOptions
    const given = { id, clusterId, classPath, folder, address, properties, users }
    return new KafkaNode({ ...given, javaOptions, systemProperties, guard })
  })
  const start = async (node: KafkaNode): Promise<void> => {
    node.launch()
    await node.ready(nodes.filter((other) => other.running).length)
  }
  try {
    await writeKeyStore(folder, options)
    if (options.tokens !== undefined) await writeFile(jwksFile(folder), options.tokens.jwks)
    await Promise.all(nodes.map((node) => node.format()))
    for (const node of nodes) node.launch()
    await Promise.all(nodes.map((node) => node.ready(nodes.length)))
  } catch (error) {
    await close()
    throw error
  }
  return {
    version,
    bootstrap: (options.advertised ?? nodes.map((node) => node.address)).join(','),
    saslBootstrap: asksForLogins(options) ? addresses(ports, 'SASL') : undefined,
    tlsBootstrap: options.tls === undefined ? undefined : addresses(ports, 'TLS'),
    folder,
    nodes,
    start,
    close,
    [Symbol.asyncDispose]: close,
  }
}

function attach(bootstrap: string, options: RealKafkaOptions): RealKafka {
  const needed = (['properties', 'advertised', 'users', 'tokens', 'tls'] as const).filter(
    (name) => options[name] !== undefined,
  )
  if (needed.length > 0) {
    throw new Error(
      `MILLRACE_TEST_KAFKA (${bootstrap}) names a cluster that is not ours to configure, and this test needs ${needed.join(', ')}`,
    )
  }
  const close = (): Promise<void> => Promise.resolve()
  return {
    version: 'attached',
    bootstrap,
    saslBootstrap: undefined,
    tlsBootstrap: undefined,
    folder: undefined,
    nodes: [],
    start: () => Promise.reject(new Error(`the Kafka at ${bootstrap} is not ours to start`)),
    close,
    [Symbol.asyncDispose]: close,
  }
}

async function portsOf(nodeCount: number): Promise<Ports[]> {
  const names: readonly ListenerName[] = ['PLAINTEXT', 'CONTROLLER', 'SASL', 'TLS']
  const free = await freePorts(nodeCount * names.length)
  const next = (): number => free.pop() ?? 0
  return Array.from({ length: nodeCount }, () => ({
    PLAINTEXT: next(),
    CONTROLLER: next(),
    SASL: next(),
    TLS: next(),
  }))
}

function addresses(ports: readonly Ports[], listener: ListenerName): string {
  return ports.map((own) => `127.0.0.1:${own[listener]}`).join(',')
}

function propertiesOf(
  id: number,
  ports: readonly Ports[],
  folder: string,
  options: RealKafkaOptions,
): Record<string, string> {
  const own = ports[id - 1]
  if (own === undefined) throw new Error(`no ports for node ${id}`)
  const clients: ListenerName[] = ['PLAINTEXT']
  if (asksForLogins(options)) clients.push('SASL')
  if (options.tls !== undefined) clients.push('TLS')
  const at = (name: ListenerName): string => `${name}://127.0.0.1:${own[name]}`
  const advertised = options.advertised?.[id - 1]
  const replicas = String(ports.length)
  const inSyncReplicas = ports.length === 1 ? '1' : '2'
  return {
    'process.roles': 'broker,controller',
    'node.id': String(id),
    'controller.quorum.voters': ports
      .map((peer, index) => `${index + 1}@127.0.0.1:${peer.CONTROLLER}`)
      .join(','),
    listeners: [...clients, 'CONTROLLER' as const].map(at).join(','),
    'advertised.listeners': clients
      .map((name) =>
        name === 'PLAINTEXT' && advertised !== undefined ? `${name}://${advertised}` : at(name),
      )
      .join(','),
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'PLAINTEXT',
    'listener.security.protocol.map': [
      'PLAINTEXT:PLAINTEXT',
      'CONTROLLER:PLAINTEXT',
      `SASL:${options.tls === undefined ? 'SASL_PLAINTEXT' : 'SASL_SSL'}`,
      'TLS:SSL',
    ].join(','),
    'log.dirs': join(folder, `node-${id}`, 'data'),
    'offsets.topic.replication.factor': replicas,
    'offsets.topic.num.partitions': '6',
    'transaction.state.log.replication.factor': replicas,
    'transaction.state.log.min.isr': inSyncReplicas,
    'transaction.state.log.num.partitions': '6',
    'share.coordinator.state.topic.replication.factor': replicas,
    'share.coordinator.state.topic.min.isr': inSyncReplicas,
    'group.initial.rebalance.delay.ms': '0',
    // A killed node is let in again only when its old session has ended: 9 s by default.
    'broker.session.timeout.ms': '3000',
    'broker.heartbeat.interval.ms': '300',
    ...(options.version === '3.9.1' && {
      // KIP-848 is on by default from release 4.0 on.
      'group.coordinator.rebalance.protocols': 'classic,consumer',
    }),
    ...securityProperties(folder, options),
    ...options.properties,
  }
}

function securityProperties(folder: string, options: RealKafkaOptions): Record<string, string> {
  const properties: Record<string, string> = {}
  if (options.users !== undefined) {
    const plain = 'org.apache.kafka.common.security.plain.PlainLoginModule required'
    const scram = 'org.apache.kafka.common.security.scram.ScramLoginModule required;'
    const users = Object.entries(options.users).map(
      ([name, password]) => ` user_${name}="${password}"`,
    )
    properties['listener.name.sasl.sasl.enabled.mechanisms'] = 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512'
    properties['listener.name.sasl.plain.sasl.jaas.config'] = `${plain}${users.join('')};`
    properties['listener.name.sasl.scram-sha-256.sasl.jaas.config'] = scram
    properties['listener.name.sasl.scram-sha-512.sasl.jaas.config'] = scram
  }
  if (options.tokens !== undefined) {
    const oauth = 'org.apache.kafka.common.security.oauthbearer'
    properties['listener.name.sasl.sasl.enabled.mechanisms'] = 'OAUTHBEARER'
    properties['listener.name.sasl.oauthbearer.sasl.jaas.config'] =
      `${oauth}.OAuthBearerLoginModule required;`
    properties['listener.name.sasl.oauthbearer.sasl.server.callback.handler.class'] =
      `${oauth}.OAuthBearerValidatorCallbackHandler`
    // Of itself Kafka 4.1 looks at a token as a client does: not at its signature.
    properties['sasl.oauthbearer.jwt.validator.class'] = `${oauth}.BrokerJwtValidator`
    properties['sasl.oauthbearer.jwks.endpoint.url'] = `file://${jwksFile(folder)}`
    properties['sasl.oauthbearer.expected.issuer'] = options.tokens.issuer
    properties['sasl.oauthbearer.expected.audience'] = options.tokens.audience
  }
  if (options.tls !== undefined) {
    properties['ssl.keystore.type'] = 'PEM'
    properties['ssl.keystore.location'] = join(folder, 'server.pem')
  }
  return properties
}

function asksForLogins({ users, tokens }: RealKafkaOptions): boolean {
  return users !== undefined || tokens !== undefined
}

function jwksFile(folder: string): string {
  return join(folder, 'jwks.json')
}

/** Kafka reads keys only from where its process was allowed to. */
function systemPropertiesOf(folder: string, options: RealKafkaOptions): Record<string, string> {
  if (options.tokens === undefined) return {}
  const url = `file://${jwksFile(folder)}`
  return { 'org.apache.kafka.sasl.oauthbearer.allowed.urls': url }
}

async function writeKeyStore(folder: string, options: RealKafkaOptions): Promise<void> {
  if (options.tls === undefined) return
  await mkdir(folder, { recursive: true })
  const { privateKey, certificate } = options.tls
  await writeFile(join(folder, 'server.pem'), `${privateKey.trim()}\n${certificate.trim()}\n`)
}
