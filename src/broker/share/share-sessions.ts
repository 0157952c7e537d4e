import { refuse } from '../refusal.ts'
import type { Refusal } from '../refusal.ts'

/** A partition that a member of a share group reads, as its requests name it. */
export interface SharedTarget {
  readonly topicId: string
  readonly partition: number
}

/** The epochs of a share session that are not simply the next one. */
export const sessionEpoch = { first: 0, final: -1 } as const

const epochMax = 0x7fff_ffff

/**
 * What a member of a share group reads from one node: its requests name only what changes. A session
 * begins with epoch 0, each request carries the next epoch, and it ends with epoch -1, with the
 * connection that began it, or when the member begins another.
 */
export class ShareSession {
  readonly groupId: string
  readonly memberId: string
  /** The epoch that the next request must carry. */
  nextEpoch = 1
  readonly #targets = new Map<string, SharedTarget>()
  readonly #endListeners = new Set<() => void>()
  #ended = false

  constructor(groupId: string, memberId: string) {
    this.groupId = groupId
    this.memberId = memberId
  }

  get ended(): boolean {
    return this.#ended
  }

  targets(): SharedTarget[] {
    return [...this.#targets.values()]
  }

  update(added: readonly SharedTarget[], forgotten: readonly SharedTarget[]): void {
    for (const target of forgotten) this.#targets.delete(nameOf(target))
    for (const target of added) this.#targets.set(nameOf(target), target)
  }

  /** Calls `listener` when the session ends. */
  onEnd(listener: () => void): () => void {
    this.#endListeners.add(listener)
    return () => this.#endListeners.delete(listener)
  }

  end(): void {
    this.#ended = true
    for (const listener of [...this.#endListeners]) listener()
    this.#endListeners.clear()
  }
}

/** The share sessions of a cluster, each with one of its nodes. */
export class ShareSessions {
  readonly #sessionsMax: () => number
  readonly #sessions = new Map<string, ShareSession>()

  constructor(sessionsMax: () => number) {
    this.#sessionsMax = sessionsMax
  }

  /** Begins a session; one that the member has ends. */
  begin(nodeId: number, groupId: string, memberId: string): ShareSession | Refusal {
    this.end(nodeId, groupId, memberId)
    const ofNode = [...this.#sessions.keys()].filter((key) => key.startsWith(`[${nodeId},`)).length
    if (ofNode >= this.#sessionsMax()) {
      return refuse(
        'SHARE_SESSION_LIMIT_REACHED',
        `there are ${ofNode} sessions; group.share.max.share.sessions allows no more`,
      )
    }
    const session = new ShareSession(groupId, memberId)
    this.#sessions.set(keyOf(nodeId, groupId, memberId), session)
    return session
  }

  /** The session that a request goes on with; with epoch -1 it is the last one that does. */
  proceed(
    nodeId: number,
    groupId: string,
    memberId: string,
    epoch: number,
  ): ShareSession | Refusal {
    const session = this.#sessions.get(keyOf(nodeId, groupId, memberId))
    if (session === undefined) {
      return refuse('SHARE_SESSION_NOT_FOUND', `member ${memberId} has no share session`)
    }
    if (epoch === sessionEpoch.final) return session
    if (epoch !== session.nextEpoch) {
      const problem = `epoch (${epoch}) of the share session must be ${session.nextEpoch}`
      return refuse('INVALID_SHARE_SESSION_EPOCH', problem)
    }
    session.nextEpoch = epoch === epochMax ? 1 : epoch + 1
    return session
  }

  /** Ends a session; answers it if there was one. */
  end(nodeId: number, groupId: string, memberId: string): ShareSession | undefined {
    const key = keyOf(nodeId, groupId, memberId)
    const session = this.#sessions.get(key)
    this.#sessions.delete(key)
    session?.end()
    return session
  }

  /** Ends this very session, if the member has not begun another. Answers whether it was there. */
  endOne(nodeId: number, session: ShareSession): boolean {
    const key = keyOf(nodeId, session.groupId, session.memberId)
    if (this.#sessions.get(key) !== session) return false
    this.#sessions.delete(key)
    session.end()
    return true
  }

  /** Ends the sessions of a member with all nodes. */
  endMember(groupId: string, memberId: string): void {
    this.#endWhere((session) => session.groupId === groupId && session.memberId === memberId)
  }

  endAll(): void {
    this.#endWhere(() => true)
  }

  #endWhere(isMeant: (session: ShareSession) => boolean): void {
    for (const [key, session] of this.#sessions) {
      if (!isMeant(session)) continue
      this.#sessions.delete(key)
      session.end()
    }
  }
}

function keyOf(nodeId: number, groupId: string, memberId: string): string {
  return JSON.stringify([nodeId, groupId, memberId])
}

function nameOf({ topicId, partition }: SharedTarget): string {
  return `${topicId}:${partition}`
}
