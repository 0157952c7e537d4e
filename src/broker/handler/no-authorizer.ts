import { refuse } from '../refusal.ts'
import type { Refusal } from '../refusal.ts'

/**
 * What requests about access rights are answered. An empty list would be worse: it would say that
 * rights are kept, and that nobody has any.
 */
export function refuseWithoutAuthorizer(): Refusal {
  return refuse(
    'SECURITY_DISABLED',
    'this broker has no authorizer: every client may do everything',
  )
}
