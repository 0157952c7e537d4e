import { stateStoreConformance } from './fixture/state-store-conformance.ts'
import { memoryStateStores } from './memory-state-stores.ts'

stateStoreConformance(
  'memory',
  () =>
    Promise.resolve({
      stores: memoryStateStores(),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    }),
  { histories: 200 },
)
