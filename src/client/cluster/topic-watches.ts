import type { TopicWatch } from './cluster.ts'
import type { ClusterMetadata } from './metadata.ts'

/** What to ask metadata for. */
export interface WantedTopics {
  /** Topics that are only looked at; `'all'` is every topic of the cluster. */
  readonly topics: readonly string[] | 'all'
  /** Topics that the broker shall create, where that is allowed, because they are not there. */
  readonly toCreate: readonly string[]
}

interface Watch {
  topics: ReadonlySet<string> | 'all'
  readonly createMissing: boolean
}

/** Which topics the parts of a client want to know about. */
export class TopicWatches {
  readonly #watches = new Set<Watch>()
  #areNew = false

  /** Whether topics were added since `wanted` was last called. */
  get areNew(): boolean {
    return this.#areNew
  }

  add(topics: Iterable<string> | 'all', createMissing: boolean): TopicWatch {
    const watch: Watch = { topics: asSet(topics), createMissing }
    this.#watches.add(watch)
    this.#areNew = true
    return {
      change: (changed) => {
        watch.topics = asSet(changed)
        this.#areNew = true
      },
      release: () => void this.#watches.delete(watch),
    }
  }

  wanted(known: ClusterMetadata): WantedTopics {
    this.#areNew = false
    const toCreate = new Set<string>()
    const topics = new Set<string>()
    let all = false
    for (const watch of this.#watches) {
      if (watch.topics === 'all') {
        all = true
        continue
      }
      for (const topic of watch.topics) {
        const isThere = (known.topics.get(topic)?.partitions.length ?? 0) > 0
        if (watch.createMissing && !isThere) toCreate.add(topic)
        else topics.add(topic)
      }
    }
    for (const topic of toCreate) topics.delete(topic)
    return { topics: all ? 'all' : [...topics], toCreate: [...toCreate] }
  }
}

function asSet(topics: Iterable<string> | 'all'): ReadonlySet<string> | 'all' {
  return topics === 'all' ? 'all' : new Set(topics)
}
