import { MillraceError } from '../../errors.ts'
import type { Api, ResponseOf, VersionRange } from '../../protocol/index.ts'
import type { apiVersionsApi } from '../../protocol/index.ts'
import type { RequestOptions } from '../cluster/cluster.ts'

/** What a broker has said it can do: its APIs with their versions, and its features. */
export class BrokerVersions {
  readonly #ranges = new Map<number, VersionRange>()
  readonly #features = new Map<string, number>()
  readonly #brokerName: string

  constructor(brokerName: string, answer: ResponseOf<typeof apiVersionsApi>) {
    this.#brokerName = brokerName
    for (const { apiKey, minVersion, maxVersion } of answer.apiKeys) {
      this.#ranges.set(apiKey, { first: minVersion, last: maxVersion })
    }
    for (const { name, maxVersionLevel } of answer.finalizedFeatures) {
      this.#features.set(name, maxVersionLevel)
    }
  }

  /** The level of a feature, 0 where there is none. */
  featureLevel(name: string): number {
    return this.#features.get(name) ?? 0
  }

  /** The highest version that the broker and we have, within what the caller can use. */
  pick(api: Api, { versionMin = 0, versionMax = Infinity }: RequestOptions = {}): number {
    const theirs = this.#ranges.get(api.key)
    const lowest = Math.max(api.versions.first, versionMin)
    const highest = Math.min(api.versions.last, versionMax)
    if (theirs !== undefined) {
      const version = Math.min(highest, theirs.last)
      if (version >= lowest && version >= theirs.first) return version
    }
    const has = theirs === undefined ? 'does not have it' : `has ${theirs.first} to ${theirs.last}`
    throw new MillraceError(
      'MILLRACE_CLIENT_UNSUPPORTED',
      `${api.name}: versions ${lowest} to ${highest} can be used here, ${this.#brokerName} ${has}`,
    )
  }
}
