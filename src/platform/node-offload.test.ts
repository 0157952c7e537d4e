import { gunzipSync, gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { nodeOffload } from './node-offload.ts'

describe('work on other threads', () => {
  const text = Buffer.from('an event, an event, an event'.repeat(100))

  it('compresses what gunzip reads and reads what gzip wrote', async () => {
    expect(gunzipSync(await nodeOffload.gzip(text, 6))).toEqual(text)
    expect(await nodeOffload.gunzip(gzipSync(text), text.length)).toEqual(text)
  })

  it('refuses to put out more than it may, and what is not gzip', async () => {
    await expect(nodeOffload.gunzip(gzipSync(text), text.length - 1)).rejects.toThrow()
    await expect(nodeOffload.gunzip(gzipSync(text), 0)).rejects.toThrow()
    await expect(nodeOffload.gunzip(text, text.length)).rejects.toThrow()
  })

  it('derives the key of the published PBKDF2 test vectors', async () => {
    // RFC 7677, section 3: SaltedPassword of the SCRAM-SHA-256 example.
    const key = await nodeOffload.deriveKey({
      password: 'pencil',
      salt: Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64'),
      iterations: 4096,
      keyBytes: 32,
      hash: 'sha256',
    })
    expect(key.toString('base64')).toBe('xKSVEDI6tPlSysH6mUQZOeeOp01r6B3fcJbodRPcYV0=')
  })
})
