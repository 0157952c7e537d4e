/** A node, and how it was started. */
export interface DescribedNode {
  readonly id: number
  /** Where clients are told that it is. */
  readonly host: string
  readonly port: number
  readonly rack: string | null
  readonly listenHost: string
  readonly encrypted: boolean
  /** The SASL mechanisms that clients may choose; none where nobody need authenticate. */
  readonly mechanisms: readonly string[]
  /** Absent: everything is in memory. */
  readonly dataFolder: string | undefined
}

/** What is shown in place of a folder. */
export const memoryFolder = '(memory)'

/** What a node's own options come to in Kafka's words. */
export function describedProperties(node: DescribedNode): ReadonlyMap<string, string> {
  const { id, host, port, rack, listenHost, encrypted, mechanisms, dataFolder } = node
  const protocol = `${mechanisms.length > 0 ? 'SASL_' : ''}${encrypted ? 'SSL' : 'PLAINTEXT'}`
  return new Map([
    ['advertised.listeners', `${protocol}://${inBrackets(host)}:${port}`],
    ['broker.id', String(id)],
    ...(rack === null ? [] : [['broker.rack', rack] as const]),
    ['listeners', `${protocol}://${inBrackets(listenHost)}:${port}`],
    ['log.dirs', dataFolder ?? memoryFolder],
    ['node.id', String(id)],
    ['process.roles', 'broker,controller'],
    ...(mechanisms.length === 0
      ? []
      : [['sasl.enabled.mechanisms', mechanisms.join(',')] as const]),
    ['security.inter.broker.protocol', protocol],
  ])
}

function inBrackets(host: string): string {
  return host.includes(':') ? `[${host}]` : host
}
