import { createHash } from 'node:crypto'
import { retryTopicName } from '../../contract/index.ts'
import { eventIdCharactersMax } from '../../store/index.ts'
import type { Delivery } from '../delivery.ts'
import { LatestLookup } from '../latest-lookup.ts'

/** Where the events of a topic that is read come from. */
interface Source {
  readonly scope: string
  readonly isRetryTopic: boolean
}

/** What makes an event one: the group, the topic that it comes from, and its id. */
export class EventIdentities {
  readonly #groupId: string
  /** What stands in the names of the group's retry topics behind the topic that they belong to. */
  readonly #retryPart: string
  /** By the topic that is read. */
  readonly #sources = new LatestLookup((topic) => this.#newSource(topic))

  constructor(groupId: string) {
    this.#groupId = groupId
    this.#retryPart = retryTopicName('', groupId, '')
  }

  /** Within what the ids of a topic are unique. A retry topic is told by its name: no header chooses a scope. */
  scopeOf(topic: string): string {
    return this.#sources.get(topic).scope
  }

  /** The event's id, or the record's coordinates where it has none. */
  idOf(delivery: Delivery): string {
    const id = givenId(delivery)
    return id === undefined ? this.#coordinatesOf(delivery) : shortened(id)
  }

  /** Whether the record has no id, and is no copy of one that was elsewhere: its partition's ledger knows whether it has ended. */
  isKnownToLedger(delivery: Delivery): boolean {
    if (givenId(delivery) !== undefined || delivery.copy !== undefined) return false
    return !this.#sources.get(delivery.topic).isRetryTopic
  }

  #newSource(topic: string): Source {
    const at = topic.lastIndexOf(this.#retryPart)
    const isRetryTopic = at > 0
    const original = isRetryTopic ? topic.slice(0, at) : topic
    return { scope: `${this.#groupId}/${original}`, isRetryTopic }
  }

  /** Where the record is, or was first. Begins as no id does that anybody would write. */
  #coordinatesOf({ topic, partition, offset, record, copy }: Delivery): string {
    if (!this.#sources.get(topic).isRetryTopic) {
      return `\u0000${copy?.partition ?? partition}-${copy?.offset ?? offset}`
    }
    const [firstPartition, firstOffset] = ['original-partition', 'original-offset'].map((name) =>
      record.header(name)?.toString('latin1'),
    )
    const isKnown = isCount(firstPartition) && isCount(firstOffset)
    return isKnown
      ? `\u0000${firstPartition}-${firstOffset}`
      : shortened(`\u0000${topic}-${partition}-${offset}`)
  }
}

function givenId({ decoded }: Delivery): string | undefined {
  return decoded?.kind === 'event' ? decoded.id : undefined
}

/** The id of an event that has the id of another: its bytes tell it from that one. */
export function idWithFingerprint(id: string, fingerprint: number): string {
  return shortened(`${id}#${fingerprint}`)
}

/** The id, or a digest of one that is too long for a store. */
function shortened(id: string): string {
  if (id.length <= eventIdCharactersMax) return id
  return `sha256:${createHash('sha256').update(id).digest('base64url')}`
}

function isCount(text: string | undefined): text is string {
  return text !== undefined && /^\d{1,15}$/.test(text)
}
