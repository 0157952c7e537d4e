import { retryTopicName } from '../../contract/index.ts'

/** One of the waits that a failing record goes through. */
export interface RetryDelay {
  /** As in the options: `30s`. It ends the names of its topics. */
  readonly name: string
  readonly delayMs: number
}

/** A topic in which copies of failed records wait until they are tried again. */
export interface RetryTopic {
  readonly name: string
  /** The topic that its records were in first. */
  readonly source: string
  readonly delayMs: number
}

/**
 * The retry topics of a group: for each topic that it reads one for each delay. A record that fails in its topic goes to
 * the first of them, from there to the next. Which topic a copy belongs to is told by the name of the topic that it
 * is in: nothing that is written in a record chooses it.
 */
export class RetryTopics {
  readonly all: readonly RetryTopic[]
  readonly #byName: ReadonlyMap<string, RetryTopic>
  /** By the topic that a record is read from. */
  readonly #next = new Map<string, RetryTopic>()

  constructor(groupId: string, sources: readonly string[], delays: readonly RetryDelay[]) {
    const all: RetryTopic[] = []
    for (const source of new Set(sources)) {
      let before = source
      for (const { name: delay, delayMs } of delays) {
        const topic = { name: retryTopicName(source, groupId, delay), source, delayMs }
        this.#next.set(before, topic)
        before = topic.name
        all.push(topic)
      }
    }
    this.all = all
    this.#byName = new Map(all.map((topic) => [topic.name, topic]))
  }

  /** The retry topic of this name; undefined for any other topic. */
  get(name: string): RetryTopic | undefined {
    return this.#byName.get(name)
  }

  /** Where a record goes that failed in this topic; undefined behind the last. */
  behind(topic: string): RetryTopic | undefined {
    return this.#next.get(topic)
  }
}
