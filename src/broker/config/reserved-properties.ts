import { brokerProperties } from './broker-properties.ts'
import { findProperty } from './property.ts'

/** What the embedded broker says with options of its own. */
const ofOptions: ReadonlySet<string> = new Set([
  'advertised.listeners',
  'broker.id',
  'broker.rack',
  'controller.listener.names',
  'controller.quorum.bootstrap.servers',
  'controller.quorum.voters',
  'early.start.listeners',
  'inter.broker.listener.name',
  'listener.security.protocol.map',
  'listeners',
  'log.dir',
  'log.dirs',
  'metadata.log.dir',
  'node.id',
  'process.roles',
  'security.inter.broker.protocol',
])

/** Texts that name a Java class, like the properties of that type. */
const javaClasses: ReadonlySet<string> = new Set([
  'authorizer.class.name',
  'group.share.persister.class.name',
  'remote.log.metadata.manager.class.name',
  'remote.log.storage.manager.class.name',
  'replica.selector.class',
])

const securityPrefixes = ['listener.name.', 'sasl.', 'ssl.', 'delegation.token.'] as const

/**
 * Why a property cannot be given, though Kafka has it: taken silently, it would promise what does not
 * happen: an authorizer that lets everybody in, a listener that nobody opens.
 */
export function reservedProblem(name: string): string | undefined {
  if (ofOptions.has(name)) return "is said by the broker's own options"
  if (securityPrefixes.some((prefix) => name.startsWith(prefix))) {
    return "is about security, which the broker's own options set up"
  }
  const property = findProperty(brokerProperties, name)
  if (property?.type === 'CLASS' || javaClasses.has(name)) {
    return 'names a Java class, which this broker cannot load'
  }
  return undefined
}
