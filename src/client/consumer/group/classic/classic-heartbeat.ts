import { heartbeatApi, kafkaError } from '../../../../protocol/index.ts'
import { isWorthRetrying } from '../../../client-error.ts'
import type { Cluster } from '../../../cluster/cluster.ts'
import type { GroupCoordinator } from '../group-coordinator.ts'
import type { GroupMemberOptions } from '../group-member-options.ts'
import { HeartbeatTimer } from '../heartbeat-timer.ts'
import type { ClassicIdentity } from './classic-membership.ts'

/** What the coordinator says of a member. */
export interface HeartbeatListener {
  /** Undefined while the member has no generation, and there is nothing to keep alive. */
  identity(): ClassicIdentity | undefined
  /** The coordinator knew the member at `sentMs`, or later. */
  alive(sentMs: number): void
  refused(code: number, identity: ClassicIdentity): void
  failed(error: Error): void
}

/** A heartbeat that is not answered is sent again several times before the session is over. */
const beatsPerSession = 4

/** Keeps a member of a classic group alive, whatever it does. */
export class ClassicHeartbeat {
  readonly #cluster: Cluster
  readonly #coordinator: GroupCoordinator
  readonly #options: GroupMemberOptions
  readonly #listener: HeartbeatListener
  readonly #timer: HeartbeatTimer

  constructor(
    cluster: Cluster,
    coordinator: GroupCoordinator,
    options: GroupMemberOptions,
    listener: HeartbeatListener,
  ) {
    this.#cluster = cluster
    this.#coordinator = coordinator
    this.#options = options
    this.#listener = listener
    this.#timer = new HeartbeatTimer({
      clock: cluster.platform.clock,
      intervalMs: () => options.heartbeatIntervalMs,
      beat: () => this.#beat(),
      late: (lateMs) => this.#late(lateMs),
    })
  }

  start(): void {
    this.#timer.start()
  }

  stop(): void {
    this.#timer.stop()
  }

  async #beat(): Promise<void> {
    const identity = this.#listener.identity()
    if (identity === undefined) return
    const { groupId, sessionTimeoutMs, groupInstanceId } = this.#options
    const { memberId, generation: generationId } = identity
    const sentMs = this.#cluster.platform.clock.elapsedMs()
    try {
      const { errorCode } = await this.#coordinator.request(
        heartbeatApi,
        { groupId, generationId, memberId, groupInstanceId: groupInstanceId ?? null },
        { timeoutMs: sessionTimeoutMs / beatsPerSession },
      )
      this.#answered(errorCode, identity, sentMs)
    } catch (error) {
      if (isWorthRetrying(error)) this.#again()
      else this.#listener.failed(error as Error)
    }
  }

  #answered(code: number, identity: ClassicIdentity, sentMs: number): void {
    if (this.#coordinator.isElsewhere(code)) {
      this.#again()
      return
    }
    if (code === kafkaError.NONE || code === kafkaError.REBALANCE_IN_PROGRESS) {
      this.#listener.alive(sentMs)
    }
    if (code !== kafkaError.NONE) this.#listener.refused(code, identity)
  }

  #again(): void {
    this.#timer.beatWithin(this.#cluster.options.retryBackoffMs)
  }

  #late(lateMs: number): void {
    const { sessionTimeoutMs, groupId } = this.#options
    if (lateMs < sessionTimeoutMs / 2) return
    const memberId = this.#listener.identity()?.memberId ?? ''
    this.#cluster.log('warn', 'group member: the thread was blocked', {
      group: groupId,
      member: memberId,
      blockedMs: Math.round(lateMs),
      sessionTimeoutMs,
    })
  }
}
