import { builtin } from './builtin.ts'
import type { DeriveKeyOptions, Offload } from './platform.ts'

/** Work done by Node's thread pool. */
export const nodeOffload: Offload = { gzip, gunzip, deriveKey }

function gzip(input: Uint8Array, level: number): Promise<Buffer> {
  return settled((done) => builtin.zlib().gzip(input, { level }, done))
}

function gunzip(input: Uint8Array, outputBytesMax: number): Promise<Buffer> {
  return settled((done) =>
    builtin.zlib().gunzip(input, { maxOutputLength: Math.max(1, outputBytesMax) }, done),
  )
}

function deriveKey(options: DeriveKeyOptions): Promise<Buffer> {
  const { password, salt, iterations, keyBytes, hash } = options
  return settled((done) =>
    builtin.crypto().pbkdf2(password, salt, iterations, keyBytes, hash, done),
  )
}

function settled(start: (done: (error: Error | null, result: Buffer) => void) => void) {
  return new Promise<Buffer>((resolve, reject) => {
    start((error, result) => {
      if (error === null) resolve(result)
      else reject(error)
    })
  })
}
