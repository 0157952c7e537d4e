import { MillraceError } from '../../../errors.ts'
import {
  asksForMetadata,
  isRetriable,
  kafkaError,
  offsetCommitApi,
} from '../../../protocol/index.ts'
import { Backoff } from '../../backoff.ts'
import { ConnectionError, isWorthRetrying, KafkaError } from '../../client-error.ts'
import type { Cluster } from '../../cluster/cluster.ts'
import { partitionKey } from '../../topic-partition.ts'
import type { TopicPartition } from '../../topic-partition.ts'
import type { OffsetToCommit } from '../group-member.ts'
import type { GroupCoordinator } from './group-coordinator.ts'
import { LateCommits } from './late-commits.ts'
import type { HeldOffset } from './late-commits.ts'
import { commitRequest, commitResults, offsetVersionMax } from './offset-messages.ts'
import type { CommitIdentity } from './offset-messages.ts'
import { readOffsets } from './read-offsets.ts'

/** What a commit needs to know of the membership that it is made in. */
export interface CommitAuthority {
  /** The number of the hold on a partition; undefined when it is not held. */
  hold(partition: TopicPartition): number | undefined
  /**
   * In whose name to commit now. Undefined: not while the group rebalances; then `ready` resolves when to ask
   * again. Throws when there will be none.
   */
  identity(): CommitIdentity | undefined
  ready(): Promise<void>
  /** The coordinator refused the identity. What is lost by it is no longer held when this returns. */
  refused(code: number, identity: CommitIdentity): void
}

/** Errors that speak of the member, not of the offsets. */
const membershipErrors: ReadonlySet<number> = new Set([
  kafkaError.REBALANCE_IN_PROGRESS,
  kafkaError.ILLEGAL_GENERATION,
  kafkaError.UNKNOWN_MEMBER_ID,
  kafkaError.FENCED_INSTANCE_ID,
  kafkaError.STALE_MEMBER_EPOCH,
  kafkaError.FENCED_MEMBER_EPOCH,
])

/** For so long a commit is tried while the cluster fails. Rebalances are waited for as long as they take. */
const failingMsMax = 60_000

/** A commit that somebody waits for. */
interface Commit {
  /** What is not decided yet, by partition, with the hold that it is made under. */
  readonly open: Map<string, HeldOffset>
  readonly resolve: () => void
  readonly reject: (error: Error) => void
  /** The first error of a partition; the others are still tried. */
  error: Error | undefined
  /** The last reason to try again, when one came, and since when there are reasons. */
  trouble: Error | undefined
  failingSinceMs: number | undefined
  /** A request with it was sent and not answered: it may have taken effect. */
  isUncertain: boolean
}

/**
 * Commits offsets, one request at a time: two on their way could change places, and the older one win.
 * Commits that come meanwhile go together in the next request; of two for the same partition the later counts.
 *
 * A commit is **open** until each of its partitions is committed or refused. It is tried again when the
 * coordinator moves, no answer comes or a rebalance is in progress; but before each attempt every
 * partition that was not held without a break since the commit was asked for is refused: in a newer
 * generation it may be another's, which has got further.
 */
export class CommitQueue {
  readonly #cluster: Cluster
  readonly #coordinator: GroupCoordinator
  readonly #groupId: string
  readonly #authority: CommitAuthority
  readonly #backoff: Backoff
  readonly #late: LateCommits
  #commits: Commit[] = []
  #isRunning = false
  readonly #closing = new AbortController()

  constructor(
    cluster: Cluster,
    coordinator: GroupCoordinator,
    groupId: string,
    authority: CommitAuthority,
  ) {
    const { retryBackoffMs: firstMs, retryBackoffMsMax: limitMs } = cluster.options
    this.#cluster = cluster
    this.#coordinator = coordinator
    this.#groupId = groupId
    this.#authority = authority
    this.#backoff = new Backoff(cluster.platform.random, { firstMs, limitMs })
    this.#late = new LateCommits({
      clock: cluster.platform.clock,
      lateMsMax: cluster.options.requestTimeoutMs,
      read: (partitions) =>
        readOffsets(cluster, coordinator, groupId, partitions, this.#closing.signal),
      mayRepeat: (last) => this.#isHeld(last) && !this.#isOpen(partitionKey(last.offset)),
      commitAgain: (offsets) => this.#commitAgain(offsets),
      failed: (error) => this.#log('debug', 'late commits could not be looked for', error.message),
    })
  }

  /** What was not answered is looked after no more. */
  close(): void {
    this.#closing.abort(new MillraceError('MILLRACE_CLIENT_CLOSED', 'the consumer is closed'))
    this.#late.close()
  }

  async commit(offsets: readonly OffsetToCommit[], signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted()
    const open: Commit['open'] = new Map()
    for (const offset of offsets) {
      const hold = this.#authority.hold(offset.heldBy ?? offset)
      if (hold === undefined) throw notOwned(this.#groupId, offset)
      open.set(partitionKey(offset), { offset, hold })
    }
    if (open.size === 0) return
    await new Promise<void>((resolve, reject) => {
      const aborted = () => {
        open.clear()
        reject(signal?.reason as Error)
      }
      signal?.addEventListener('abort', aborted, { once: true })
      const over = () => signal?.removeEventListener('abort', aborted)
      const commit: Commit = {
        open,
        resolve: () => {
          over()
          resolve()
        },
        reject: (error) => {
          over()
          reject(error)
        },
        error: undefined,
        trouble: undefined,
        failingSinceMs: undefined,
        isUncertain: false,
      }
      this.#commits.push(commit)
      void this.#run()
    })
  }

  async #run(): Promise<void> {
    if (this.#isRunning) return
    this.#isRunning = true
    while (this.#commits.length > 0) {
      try {
        await this.#round()
      } catch (error) {
        // Membership has ended, or the client is closed.
        for (const commit of this.#commits) commit.reject(error as Error)
        this.#commits = []
      }
    }
    this.#isRunning = false
  }

  async #round(): Promise<void> {
    this.#refuseNotHeld()
    if (this.#commits.length === 0) return
    const identity = this.#authority.identity()
    if (identity === undefined) return this.#authority.ready()
    const sent = [...this.#commits]
    const latest = latestOf(sent)
    try {
      const pause = await this.#send(sent, [...latest.values()], identity)
      if (!pause) {
        this.#backoff.reset()
        return
      }
    } catch (error) {
      if (!isWorthRetrying(error)) {
        for (const commit of sent) this.#fail(commit, error as Error)
        this.#settle()
        return
      }
      const isUncertain = error instanceof ConnectionError && error.wasSent
      if (isUncertain) {
        this.#log('debug', 'a commit was not answered, it is sent again', error.message)
        this.#late.unanswered(latest.values())
      }
      for (const commit of sent) this.#trouble(commit, error as Error, isUncertain)
    }
    this.#settle()
    // Nothing sleeps on behind a consumer that is closed: what is still open then is told so.
    await this.#cluster.platform.clock.sleep(this.#backoff.nextMs(), this.#closing.signal)
  }

  async #commitAgain(offsets: readonly OffsetToCommit[]): Promise<void> {
    this.#log('warn', 'a commit has arrived late; the one after it is made again', undefined)
    await this.commit(offsets)
  }

  #isHeld({ offset, hold }: HeldOffset): boolean {
    return this.#authority.hold(offset.heldBy ?? offset) === hold
  }

  #isOpen(key: string): boolean {
    return this.#commits.some(({ open }) => open.has(key))
  }

  /** Answers whether something is left for which a pause is due. */
  async #send(
    sent: readonly Commit[],
    offsets: readonly OffsetToCommit[],
    identity: CommitIdentity,
  ): Promise<boolean> {
    const { metadata } = this.#cluster
    const left = new Set(offsets.map(partitionKey))
    const response = await this.#coordinator.request(
      offsetCommitApi,
      commitRequest(this.#groupId, identity, offsets, metadata),
      {
        versionMax: offsetVersionMax(offsets, metadata),
        ...(identity.groupInstanceId === undefined ? {} : { versionMin: 7 }),
      },
    )
    let pause = false
    const refusals = new Set<number>()
    for (const result of commitResults(response, metadata)) {
      const { errorCode } = result
      left.delete(partitionKey(result))
      if (membershipErrors.has(errorCode)) refusals.add(errorCode)
      else if (this.#take(sent, result)) pause = true
    }
    for (const code of refusals) this.#authority.refused(code, identity)
    this.#settle()
    // What was not answered at all is tried again; in a hurry it would be tried for ever.
    return pause || left.size > 0
  }

  /** Takes what was answered for a partition; answers whether it has to be tried again after a pause. */
  #take(sent: readonly Commit[], result: TopicPartition & { errorCode: number }): boolean {
    const { errorCode } = result
    const key = partitionKey(result)
    const concerned = sent.filter(({ open }) => open.has(key))
    if (errorCode === kafkaError.NONE) {
      const last = concerned.at(-1)?.open.get(key)
      if (last !== undefined) this.#late.committed(last)
      for (const { open } of concerned) open.delete(key)
      return false
    }
    const what = `commit of group ${this.#groupId} for ${key}`
    const error = new KafkaError(errorCode, what)
    if (asksForMetadata(errorCode)) this.#cluster.metadataIsStale()
    if (this.#coordinator.isElsewhere(errorCode) || isRetriable(errorCode)) {
      for (const commit of concerned) this.#trouble(commit, error, false)
      return true
    }
    for (const commit of concerned) {
      commit.open.delete(key)
      commit.error ??= error
    }
    return false
  }

  #trouble(commit: Commit, error: Error, isUncertain: boolean): void {
    const now = this.#cluster.platform.clock.elapsedMs()
    commit.failingSinceMs ??= now
    commit.trouble = error
    if (isUncertain) commit.isUncertain = true
    if (now - commit.failingSinceMs >= failingMsMax) this.#fail(commit, error)
  }

  #fail(commit: Commit, error: Error): void {
    commit.error ??= error
    commit.open.clear()
  }

  #refuseNotHeld(): void {
    for (const commit of this.#commits) {
      for (const [key, held] of commit.open) {
        if (this.#isHeld(held)) continue
        commit.open.delete(key)
        commit.error ??= notOwned(this.#groupId, held.offset, commit)
      }
    }
    this.#settle()
  }

  #log(level: 'debug' | 'warn', message: string, error: string | undefined): void {
    this.#cluster.log(level, `group member: ${message}`, { group: this.#groupId, error })
  }

  /** Those of which nothing is open are over. */
  #settle(): void {
    const over = this.#commits.filter(({ open }) => open.size === 0)
    this.#commits = this.#commits.filter(({ open }) => open.size > 0)
    for (const { error, resolve, reject } of over) {
      if (error === undefined) resolve()
      else reject(error)
    }
  }
}

/** Of two for the same partition the later counts. */
function latestOf(commits: readonly Commit[]): Map<string, OffsetToCommit> {
  const latest = new Map<string, OffsetToCommit>()
  for (const { open } of commits) for (const [key, { offset }] of open) latest.set(key, offset)
  return latest
}

/** `isUncertain`: it was sent before the partition was lost, and nobody knows whether it took effect. */
function notOwned(
  groupId: string,
  partition: TopicPartition,
  { isUncertain, trouble }: { isUncertain: boolean; trouble: Error | undefined } = {
    isUncertain: false,
    trouble: undefined,
  },
): MillraceError {
  const end = isUncertain ? 'whether it was committed before is not known' : 'nothing was committed'
  return new MillraceError(
    'MILLRACE_CLIENT_NOT_OWNED',
    `commit of group ${groupId}: ${partitionKey(partition)} is not assigned to this member; ${end}`,
    trouble === undefined ? {} : { cause: trouble },
  )
}
