import { apiVersionsApi, kafkaError } from '../../protocol/index.ts'
import { featuresEpoch, finalizedLevel } from './features.ts'
import { defineHandler } from './handler.ts'

/** What a client may call itself (KIP-511). */
const clientName = /^[a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?$/

/**
 * ApiVersions 0-4: which APIs are served in which versions, and which features are finalized.
 * Version 3 cannot say that a feature goes down to 0 (KAFKA-17011), so such ranges are left out of it. A
 * feature at level 0 is not finalized.
 */
export const apiVersions = defineHandler({
  api: apiVersionsApi,
  versions: [0, 4],
  handle(request, { header, broker }) {
    const named = [request.clientSoftwareName, request.clientSoftwareVersion]
    if (header.version >= 3 && !named.every((name) => clientName.test(name))) {
      return { errorCode: kafkaError.INVALID_REQUEST, apiKeys: [] }
    }
    const { features } = broker
    const apiKeys = broker.served.map(({ key, versions: [first, last] }) => ({
      apiKey: key,
      minVersion: first,
      maxVersion: last,
    }))
    if (header.version < 3) return { errorCode: kafkaError.NONE, apiKeys }
    return {
      errorCode: kafkaError.NONE,
      apiKeys,
      supportedFeatures: features
        .filter(({ levelMin }) => header.version >= 4 || levelMin > 0)
        .map(({ name, levelMin, levelMax }) => ({
          name,
          minVersion: levelMin,
          maxVersion: levelMax,
        })),
      finalizedFeaturesEpoch: featuresEpoch(broker.cluster),
      finalizedFeatures: features
        .map((feature) => ({ name: feature.name, level: finalizedLevel(broker.cluster, feature) }))
        .filter(({ level }) => level > 0)
        .map(({ name, level }) => ({ name, minVersionLevel: level, maxVersionLevel: level })),
    }
  },
})
