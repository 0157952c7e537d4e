import type { Cluster, TopicWatch } from '../../cluster/cluster.ts'
import type { Subscription } from '../group-member.ts'
import { compareText } from '../../topic-partition.ts'
import { compileTopicPattern } from './topic-pattern.ts'

/** What a member wants, kept in the metadata; with the topics that a pattern matches at the moment. */
export class SubscribedTopics {
  readonly #cluster: Cluster
  readonly #watch: TopicWatch
  #subscription: Subscription | undefined
  /** What the other members want, while this one leads the group. */
  #others: readonly string[] = []
  #matches: ((topic: string) => boolean) | undefined
  #isLoaded = false

  constructor(cluster: Cluster) {
    this.#cluster = cluster
    this.#watch = cluster.watchTopics([])
  }

  get subscription(): Subscription | undefined {
    return this.#subscription
  }

  set(subscription: Subscription): void {
    this.#subscription = subscription
    this.#matches = undefined
    this.#isLoaded = false
    this.#change()
  }

  /** Keeps these in the metadata as well. */
  alsoWatch(topics: readonly string[]): void {
    this.#others = topics
    this.#change()
  }

  /** Whether a partition of the topic may be taken. */
  wants(topic: string): boolean {
    const subscription = this.#subscription
    if (subscription === undefined) return false
    if (subscription.kind === 'topics') return subscription.topics.includes(topic)
    this.#matches ??= compileTopicPattern(subscription.pattern)
    return this.#matches(topic)
  }

  /** The topics in the order of their names. What a pattern matches is known once `load` has resolved. */
  names(): readonly string[] {
    const subscription = this.#subscription
    if (subscription === undefined) return []
    if (subscription.kind === 'topics') return [...new Set(subscription.topics)].sort(compareText)
    return [...this.#cluster.metadata.topics.values()]
      .filter(({ name, isInternal }) => !isInternal && this.wants(name))
      .map(({ name }) => name)
      .sort(compareText)
  }

  async load(): Promise<void> {
    if (this.#subscription?.kind !== 'pattern' || this.#isLoaded) return
    await this.#cluster.refreshMetadata()
    this.#isLoaded = true
  }

  release(): void {
    this.#watch.release()
  }

  #change(): void {
    const subscription = this.#subscription
    if (subscription?.kind === 'pattern') this.#watch.change('all')
    else this.#watch.change(new Set([...(subscription?.topics ?? []), ...this.#others]))
  }
}
