/** The tables of what releases told their clients are what they tell. */
import { expect } from 'vitest'
import { releaseOf } from '../../src/broker/release/release.ts'
import { apiVersionsApi } from '../../src/protocol/index.ts'
import { startBroker } from '../../src/testing/index.ts'
import { conformance } from './conformance.ts'
import { chosenImplementation, type Implementation } from './implementation.ts'
import { startRealKafka } from '../kafka/real-kafka.ts'

const name = chosenImplementation()
const asVersion = name === 'kafka-3.9' ? '3.9' : '4.1'
const software = { clientSoftwareName: 'test', clientSoftwareVersion: '1' }
/** Of which we tell less than Kafka does. */
const addPartitionsToTxn = 24

/** Without any setting that could change what is told. */
async function startPlain(): Promise<Implementation> {
  if (name === 'kafka-3.9') return startRealKafka({ version: '3.9.1' })
  if (name.startsWith('kafka')) return startRealKafka()
  const broker = await startBroker({ asVersion })
  return {
    bootstrap: broker.bootstrap,
    saslBootstrap: undefined,
    [Symbol.asyncDispose]: () => broker[Symbol.asyncDispose](),
  }
}

conformance(
  'releases',
  {
    'the versions of each API are those of the table': async (port) => {
      const client = await port.any()
      const { apiKeys } = await client.request(apiVersionsApi, 3, software)
      const told = new Map(
        apiKeys.map(({ apiKey, minVersion, maxVersion }) => [apiKey, [minVersion, maxVersion]]),
      )
      for (const [key, span] of releaseOf(asVersion).apis) {
        if (key !== addPartitionsToTxn) expect([key, told.get(key)]).toEqual([key, span])
      }
    },

    'features and their levels are those of the table': async (port) => {
      const client = await port.any()
      for (const version of [3, 4]) {
        const answer = await client.request(apiVersionsApi, version, software)
        const { features } = releaseOf(asVersion)
        const supported = features
          .filter(({ levelMin }) => version >= 4 || levelMin > 0)
          .map((feature) => [feature.name, feature.levelMin, feature.levelMax])
        expect(
          answer.supportedFeatures
            .map((each) => [each.name, each.minVersion, each.maxVersion])
            .sort(),
        ).toEqual(supported.sort())
        const finalized = features.filter(({ level }) => level > 0)
        expect(
          answer.finalizedFeatures.map((each) => [each.name, each.maxVersionLevel]).sort(),
        ).toEqual(finalized.map((feature) => [feature.name, feature.level]).sort())
      }
    },
  },
  { start: startPlain },
)
