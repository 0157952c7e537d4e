import { MemoryBytes } from './memory-bytes.ts'
import type { LogStorage } from './storage.ts'

/** Segments that end with the process. */
export function memoryStorage(path: string): LogStorage {
  return {
    durability: 'memory',
    path,
    createSegment: () => new MemoryBytes(),
    saveIndex: () => undefined,
    createReplacement: () => new MemoryBytes(),
    replace: ({ swap }) => {
      swap()
      return Promise.resolve()
    },
    removeSegment: () => undefined,
    sync: () => Promise.resolve(),
    saveCheckpoint: () => Promise.resolve(),
    close: () => undefined,
    delete: () => undefined,
  }
}
