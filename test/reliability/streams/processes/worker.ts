/** A process that is killed: a service that runs the flow of the shop, with its state in LMDB. `SETTINGS` says how. */
import { lmdbStateStores } from '../../../../src/store/index.ts'
import { createStream } from '../../../../src/stream/index.ts'
import { createService } from '../../../../src/transaction/index.ts'
import { serviceName, shopFlow } from '../shop-flow.ts'
import type { ShopWorkerSettings } from './stream-loop.ts'

const { brokers, shop, state, groupInstanceId, sessionTimeoutMs } = JSON.parse(
  process.env['SETTINGS'] ?? '',
) as ShopWorkerSettings
const log = (level: string, message: string, fields?: object): void => {
  process.stderr.write(`${level} ${message} ${JSON.stringify(fields ?? {})}\n`)
}
const service = createService({
  ...{ name: serviceName, kafka: { brokers, log, requestTimeoutMs: 1_500 }, metrics: false, log },
  topicPolicy: 'create',
})
service.add(
  createStream(shopFlow(shop).flow, {
    stores: lmdbStateStores({ path: state, log }),
    exactlyOnce: { transactionTimeoutMs: 2_500 },
    drainMs: 1_000,
    group: {
      ...{ sessionTimeoutMs, heartbeatIntervalMs: Math.round(sessionTimeoutMs / 6) },
      ...(groupInstanceId !== undefined && { groupInstanceId }),
    },
  }),
)
await service.run()
