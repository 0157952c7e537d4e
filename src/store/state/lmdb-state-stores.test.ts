import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { silentLog } from '../../observe/index.ts'
import { stateStoreConformance } from './fixture/state-store-conformance.ts'
import type { StatesUnderTest } from './fixture/state-store-conformance.ts'
import { lmdbStateStores } from './lmdb-state-stores.ts'

async function inNewFolder(): Promise<StatesUnderTest> {
  const path = mkdtempSync(join(tmpdir(), 'millrace-states-'))
  const open = () => lmdbStateStores({ path, log: silentLog })
  let stores = open()
  return Promise.resolve({
    stores,
    restart: async () => {
      await stores.close()
      stores = open()
      return stores
    },
    [Symbol.asyncDispose]: async () => {
      await stores.close()
      rmSync(path, { recursive: true })
    },
  })
}

stateStoreConformance('LMDB', inNewFolder, { histories: 30 })
