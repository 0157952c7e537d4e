import { pbkdf2Sync } from 'node:crypto'
import { gunzipSync, gzipSync } from 'node:zlib'
import type { Offload } from '../../platform/index.ts'
import type { SimulatedProcess } from './process.ts'

/** How long work on another thread takes, whatever it is. */
const workMs = { min: 0.05, max: 2 }

/** Work that is done when it is asked for, and whose result arrives at a virtual time. */
export function createProcessOffload(process: SimulatedProcess): Offload {
  const work = (name: string, compute: () => Buffer): Promise<Buffer> =>
    process.ask(name, (resolve, reject) => {
      const settle = settled(compute, resolve, reject)
      process.later(process.faultRandom.within(workMs), name, settle)
    })
  return {
    gzip: (input, level) => work('offload.gzip', () => gzipSync(input, { level })),
    gunzip: (input, outputBytesMax) =>
      work('offload.gunzip', () =>
        gunzipSync(input, { maxOutputLength: Math.max(1, outputBytesMax) }),
      ),
    deriveKey: ({ password, salt, iterations, keyBytes, hash }) =>
      work('offload.deriveKey', () => pbkdf2Sync(password, salt, iterations, keyBytes, hash)),
  }
}

function settled(
  compute: () => Buffer,
  resolve: (result: Buffer) => void,
  reject: (error: unknown) => void,
): () => void {
  try {
    const result = compute()
    return () => resolve(result)
  } catch (error) {
    return () => reject(error)
  }
}
