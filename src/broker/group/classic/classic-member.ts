/** An assignment protocol that a member supports, with what it tells the leader. */
export interface ClassicProtocol {
  readonly name: string
  readonly metadata: Buffer
}

/** A member of a classic group. */
export interface ClassicMember {
  readonly memberId: string
  /** Set for static members, whose places survive their restarts. */
  readonly instanceId: string | null
  readonly clientId: string
  readonly clientHost: string
  sessionTimeoutMs: number
  rebalanceTimeoutMs: number
  /** In the member's order of preference. */
  protocols: readonly ClassicProtocol[]
  assignment: Buffer
  /**
   * Until its first join is answered. A new member does not know its id, so it cannot send
   * heartbeats; if its client has given up, only a timeout can tell.
   */
  isNew: boolean
}

export const noAssignment = Buffer.alloc(0)

/** Copies what came in a request or a batch: a view would keep the whole of it in memory. */
export function copiedProtocols(protocols: readonly ClassicProtocol[]): ClassicProtocol[] {
  return protocols.map(({ name, metadata }) => ({ name, metadata: Buffer.from(metadata) }))
}

/** What a member says in one protocol; empty when it does not support it. */
export function metadataOf(member: ClassicMember, protocolName: string): Buffer {
  return member.protocols.find(({ name }) => name === protocolName)?.metadata ?? Buffer.alloc(0)
}

export function sameProtocols(
  a: readonly ClassicProtocol[],
  b: readonly ClassicProtocol[],
): boolean {
  if (a.length !== b.length) return false
  return a.every(({ name, metadata }, index) => {
    const other = b[index]
    return other?.name === name && other.metadata.equals(metadata)
  })
}
