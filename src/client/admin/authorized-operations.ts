import { aclOperations } from './acl-codes.ts'
import type { AclOperation } from './acl-codes.ts'

/** What a broker sends where it was not asked, or does not know. */
const notTold = -0x8000_0000

/** The operations whose bits are set; undefined where the broker did not tell. */
export function readAuthorizedOperations(bits: number): readonly AclOperation[] | undefined {
  if (bits === notTold) return undefined
  const operations = Object.entries(aclOperations) as [AclOperation, number][]
  return operations.filter(([, code]) => (bits & (1 << code)) !== 0).map(([name]) => name)
}
