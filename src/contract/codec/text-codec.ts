import { isUtf8 } from 'node:buffer'
import { ContractViolation } from '../contract-error.ts'
import { shown } from '../schema/shown.ts'
import type { Codec } from './codec.ts'

/** Text in UTF-8. */
export const textCodec: Codec = {
  contentType: 'text/plain',
  isJson: false,
  encode(value) {
    if (typeof value === 'string' && isWellFormed(value)) return value
    throw new ContractViolation('not-encodable', 'must be text without half surrogate pairs', {
      path: 'data',
      shown: shown(value),
    })
  },
  decode(bytes) {
    if (isUtf8(bytes)) return bytes.toString('utf8')
    throw new ContractViolation('invalid-utf8', 'the value is not valid UTF-8')
  },
}

/** Whether UTF-8 can hold the text: half of a surrogate pair would be replaced. */
export function isWellFormed(text: string): boolean {
  // In Node since 20, but not in the types of ES2023.
  return (text as string & { isWellFormed(): boolean }).isWellFormed()
}
