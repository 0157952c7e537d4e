import { ContractViolation } from '../contract-error.ts'
import { shown } from '../schema/shown.ts'
import type { Codec } from './codec.ts'

/** Bytes as they are. */
export const bytesCodec: Codec = {
  contentType: 'application/octet-stream',
  isJson: false,
  encode(value) {
    if (value instanceof Uint8Array) return value
    throw new ContractViolation('not-encodable', 'must be bytes (Uint8Array)', {
      path: 'data',
      shown: shown(value),
    })
  },
  decode: (bytes) => bytes,
}
