import type { Clock, Random } from '../../platform/index.ts'
import type { KafkaErrorName } from '../../protocol/index.ts'

/** One partition that a fetch asks for. */
export interface FetchTarget {
  readonly topic: string
  readonly topicId: string
  readonly partition: number
  readonly fetchOffset: number
  readonly currentLeaderEpoch: number
  readonly partitionMaxBytes: number
}

/** What the client was last told of a partition: what has not changed is left out of a response. */
interface SessionPartition {
  target: FetchTarget
  highWatermark: number
  logStartOffset: number
}

/** What a response says of a partition, as far as a session compares it. */
export interface FetchedState {
  readonly errorCode: number
  readonly highWatermark: number
  readonly logStartOffset: number
  readonly bytes: number
}

const sessionsMax = 1000
const idleMsBeforeEviction = 120_000

/**
 * A fetch session (KIP-227): the broker remembers the partitions of a client, the client sends only
 * what changes, the broker answers only what has changed. Each request carries the next epoch.
 */
export class FetchSession {
  readonly id: number
  /** The epoch that the next request must carry. */
  nextEpoch = 1
  lastUsedMs: number
  readonly #partitions = new Map<string, SessionPartition>()

  constructor(id: number, nowMs: number) {
    this.id = id
    this.lastUsedMs = nowMs
  }

  update(added: readonly FetchTarget[], forgotten: readonly FetchTarget[]): void {
    for (const target of forgotten) this.#partitions.delete(keyOf(target))
    for (const target of added) {
      const known = this.#partitions.get(keyOf(target))
      if (known !== undefined) known.target = target
      else {
        const unknown = { highWatermark: -1, logStartOffset: -1 }
        this.#partitions.set(keyOf(target), { target, ...unknown })
      }
    }
  }

  targets(): FetchTarget[] {
    return [...this.#partitions.values()].map(({ target }) => target)
  }

  /**
   * Whether an incremental response must name the partition. One that had data goes to the end of
   * the line, so that a partition that is always full does not starve those behind it.
   */
  mustTell(target: FetchTarget, state: FetchedState): boolean {
    const known = this.#partitions.get(keyOf(target))
    if (known === undefined) return true
    const changed =
      state.bytes > 0 ||
      state.errorCode !== 0 ||
      known.highWatermark !== state.highWatermark ||
      known.logStartOffset !== state.logStartOffset
    // An error is told again at each fetch, and its end as well.
    known.highWatermark = state.errorCode === 0 ? state.highWatermark : -1
    known.logStartOffset = state.logStartOffset
    if (state.bytes > 0) {
      this.#partitions.delete(keyOf(target))
      this.#partitions.set(keyOf(target), known)
    }
    return changed
  }
}

function keyOf({ topic, topicId, partition }: FetchTarget): string {
  return `${topic === '' ? topicId : topic}/${partition}`
}

/** The session that a request belongs to: none, one, or why there is none. */
export type FetchSessionChoice =
  | { readonly kind: 'none' }
  | { readonly kind: 'new' | 'incremental'; readonly session: FetchSession }
  | { readonly kind: 'refused'; readonly error: KafkaErrorName }

/** The fetch sessions of a broker. A client without one is served all the same, in full. */
export class FetchSessions {
  readonly #sessions = new Map<number, FetchSession>()
  readonly #clock: Clock
  readonly #random: Random

  constructor(clock: Clock, random: Random) {
    this.#clock = clock
    this.#random = random
  }

  /** Epoch -1: no session, or the end of one; 0: a new one; above: the next request of one. */
  choose(id: number, epoch: number): FetchSessionChoice {
    if (epoch <= 0) this.#sessions.delete(id)
    if (epoch < 0) return { kind: 'none' }
    if (epoch === 0) {
      const session = this.#create()
      return session === undefined ? { kind: 'none' } : { kind: 'new', session }
    }
    const session = this.#sessions.get(id)
    if (session === undefined) return { kind: 'refused', error: 'FETCH_SESSION_ID_NOT_FOUND' }
    if (session.nextEpoch !== epoch)
      return { kind: 'refused', error: 'INVALID_FETCH_SESSION_EPOCH' }
    session.nextEpoch = epoch === 0x7fff_ffff ? 1 : epoch + 1
    session.lastUsedMs = this.#clock.elapsedMs()
    this.#sessions.delete(id)
    this.#sessions.set(id, session)
    return { kind: 'incremental', session }
  }

  /** The sessions are kept in the order of their last use. */
  #create(): FetchSession | undefined {
    const now = this.#clock.elapsedMs()
    if (this.#sessions.size >= sessionsMax) {
      const [oldest] = this.#sessions.values()
      if (oldest === undefined || now - oldest.lastUsedMs < idleMsBeforeEviction) return undefined
      this.#sessions.delete(oldest.id)
    }
    for (;;) {
      const id = 1 + this.#random.integer(0x7fff_fffe)
      if (this.#sessions.has(id)) continue
      const session = new FetchSession(id, now)
      this.#sessions.set(id, session)
      return session
    }
  }
}
