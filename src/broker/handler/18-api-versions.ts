import { apiVersionsApi, kafkaError } from '../../protocol/index.ts'
import { defineHandler } from './handler.ts'

/** What a client may call itself (KIP-511). */
const clientName = /^[a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?$/

interface Feature {
  readonly name: string
  readonly minVersion: number
  readonly maxVersion: number
  readonly finalized: number
}

/**
 * What of Kafka's features the broker has: groups of the next-generation protocol and transactions
 * of the second version (KIP-890). `metadata.version` is that of Kafka 4.1.
 */
const features: readonly Feature[] = [
  { name: 'group.version', minVersion: 0, maxVersion: 1, finalized: 1 },
  { name: 'metadata.version', minVersion: 7, maxVersion: 27, finalized: 27 },
  { name: 'transaction.version', minVersion: 0, maxVersion: 2, finalized: 2 },
]

/**
 * ApiVersions 0-4: which APIs are served in which versions, and which features are finalized.
 * Version 3 cannot say that a feature goes down to 0 (KAFKA-17011), so such ranges are left out of it.
 */
export const apiVersions = defineHandler({
  api: apiVersionsApi,
  versions: [0, 4],
  handle(request, { header, broker }) {
    const named = [request.clientSoftwareName, request.clientSoftwareVersion]
    if (header.version >= 3 && !named.every((name) => clientName.test(name))) {
      return { errorCode: kafkaError.INVALID_REQUEST, apiKeys: [] }
    }
    const apiKeys = broker.served.map(({ key, versions: [first, last] }) => ({
      apiKey: key,
      minVersion: first,
      maxVersion: last,
    }))
    if (header.version < 3) return { errorCode: kafkaError.NONE, apiKeys }
    return {
      errorCode: kafkaError.NONE,
      apiKeys,
      supportedFeatures: features.filter((f) => header.version >= 4 || f.minVersion > 0),
      finalizedFeaturesEpoch: 0,
      finalizedFeatures: features.map(({ name, finalized }) => ({
        name,
        minVersionLevel: finalized,
        maxVersionLevel: finalized,
      })),
    }
  },
})
