import type { RequestInput, fetchApi } from '../../protocol/index.ts'
import { partitionKey } from '../topic-partition.ts'
import type { PartitionState } from './partition-state.ts'

type FetchRequest = RequestInput<typeof fetchApi>
type FetchTopics = FetchRequest['topics']
type ForgottenTopics = NonNullable<FetchRequest['forgottenTopicsData']>

/** What a broker was asked for in one partition. */
export interface FetchTarget {
  readonly state: PartitionState
  readonly generation: number
  readonly topicId: string | undefined
  readonly fetchOffset: number
  readonly lastFetchedEpoch: number
  readonly currentLeaderEpoch: number
  readonly partitionBytesMax: number
}

/** The part of a Fetch request that the session is responsible for. */
export type SessionRequest = Pick<
  FetchRequest,
  'sessionId' | 'sessionEpoch' | 'topics' | 'forgottenTopicsData'
>

const versionWithTopicIds = 13
const versionWithLastFetchedEpoch = 12
const epochMax = 2 ** 31 - 1
/** A request of this epoch has no session, or ends the one that it names. */
const finalEpoch = -1

/**
 * Our side of a fetch session (KIP-227): what the broker was told of the partitions that we read from
 * it. While it remembers them a request names only those that are new, moved or gone.
 *
 * - **none**: the next request is full, names every partition, and asks for a session (epoch 0).
 * - **going on**: the broker gave an id; requests count up its epoch and carry changes only.
 *
 * What a broker has said once it does not repeat: who has not heard it begins anew.
 *
 * A broker that gives no id, has forgotten the session, or whose answer was lost (whether it took the
 * changes is then unknown) takes us back to none. The id of a session that may still be there goes with
 * the next full request, so that the broker frees it.
 */
export class FetchSession {
  #id = 0
  #epoch = 0
  #version = 0
  #usesTopicIds = false
  #targets = new Map<string, FetchTarget>()
  readonly #topicNames = new Map<string, string>()

  /** What to send so that the broker reads exactly `targets`. */
  next(version: number, targets: readonly FetchTarget[]): SessionRequest {
    const usesTopicIds = version >= versionWithTopicIds
    // A session is by names or by ids, not both.
    if (usesTopicIds !== this.#usesTopicIds) this.restart()
    this.#usesTopicIds = usesTopicIds
    this.#version = version
    if (targets.some((target) => this.#isMissed(target))) this.restart()
    const known = this.#epoch === 0 ? new Map<string, FetchTarget>() : this.#targets
    const wanted = new Map(targets.map((target) => [target.state.key, target]))
    const changed = targets.filter((target) => !isSame(known.get(target.state.key), target))
    const forgotten = [...known.values()].filter((target) => {
      const next = wanted.get(target.state.key)
      return next === undefined || next.topicId !== target.topicId
    })
    this.#targets = wanted
    return {
      sessionId: this.#id,
      sessionEpoch: this.#epoch,
      topics: this.#topicsOf(changed),
      forgottenTopicsData: this.#forgottenOf(forgotten),
    }
  }

  /** The same in a single request that leaves no session at the broker. */
  once(version: number, targets: readonly FetchTarget[]): SessionRequest {
    return { ...this.next(version, targets), sessionEpoch: finalEpoch }
  }

  /** The broker has answered without an error. */
  answered(sessionId: number): void {
    this.#id = sessionId
    if (sessionId === 0) this.#epoch = 0
    else this.#epoch = this.#epoch === epochMax ? 1 : this.#epoch + 1
  }

  /** Begins anew, with a full request. `isGone`: the broker does not know the session any more. */
  restart(isGone = false): void {
    this.#epoch = 0
    if (isGone) this.#id = 0
  }

  /** What ends the session at the broker; undefined when there is none. */
  end(): SessionRequest | undefined {
    if (this.#id === 0) return undefined
    return { sessionId: this.#id, sessionEpoch: finalEpoch, topics: [], forgottenTopicsData: [] }
  }

  /** What was asked for in a partition that a response names; undefined for none that we know. */
  target(topic: string, topicId: string, partition: number): FetchTarget | undefined {
    const name = this.#usesTopicIds ? this.#topicNames.get(topicId) : topic
    return name === undefined
      ? undefined
      : this.#targets.get(partitionKey({ topic: name, partition }))
  }

  /**
   * Whether the broker believes that it has told us of a partition of which we know nothing: what it said was of an earlier
   * assignment, or for another position. It would be silent until something new is written.
   */
  #isMissed({ state }: FetchTarget): boolean {
    return state.highWatermark < 0 && this.#targets.has(state.key)
  }

  #topicsOf(targets: readonly FetchTarget[]): FetchTopics {
    const topics = new Map<string, FetchTopics[number] & { partitions: object[] }>()
    for (const target of targets) {
      const { state, topicId = '' } = target
      let topic = topics.get(`${state.topic} ${topicId}`)
      if (topic === undefined) {
        topic = { ...this.#reference(state.topic, topicId), partitions: [] }
        topics.set(`${state.topic} ${topicId}`, topic)
      }
      topic.partitions.push({
        partition: state.partition,
        currentLeaderEpoch: target.currentLeaderEpoch,
        fetchOffset: target.fetchOffset,
        lastFetchedEpoch:
          this.#version < versionWithLastFetchedEpoch ? -1 : target.lastFetchedEpoch,
        partitionMaxBytes: target.partitionBytesMax,
      })
    }
    return [...topics.values()]
  }

  #forgottenOf(targets: readonly FetchTarget[]): ForgottenTopics {
    return targets.map(({ state, topicId = '' }) => ({
      ...this.#reference(state.topic, topicId),
      partitions: [state.partition],
    }))
  }

  #reference(topic: string, topicId: string): { topic: string } | { topicId: string } {
    if (!this.#usesTopicIds) return { topic }
    this.#topicNames.set(topicId, topic)
    return { topicId }
  }
}

function isSame(known: FetchTarget | undefined, wanted: FetchTarget): boolean {
  return (
    known !== undefined &&
    known.topicId === wanted.topicId &&
    known.fetchOffset === wanted.fetchOffset &&
    known.lastFetchedEpoch === wanted.lastFetchedEpoch &&
    known.currentLeaderEpoch === wanted.currentLeaderEpoch &&
    known.partitionBytesMax === wanted.partitionBytesMax
  )
}
