import { kafkaError } from '../../protocol/index.ts'
import type { Refusal } from '../refusal.ts'

/** A refusal as the pair of fields that most responses carry; without one, that all is well. */
export function refusalFields(refusal: Refusal | undefined): {
  errorCode: number
  errorMessage: string | null
} {
  return refusal === undefined
    ? { errorCode: kafkaError.NONE, errorMessage: null }
    : { errorCode: kafkaError[refusal.error], errorMessage: refusal.message }
}
