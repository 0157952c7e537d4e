import { kafkaError } from '../../protocol/index.ts'
import type { Refusal } from '../refusal.ts'

/** A group with epochs of which nothing is told but why: one of consumers (KIP-848), or one that shares records. */
export interface UndescribedGroup {
  readonly errorCode: number
  readonly errorMessage: string | null
  readonly groupId: string
  readonly groupState: ''
  readonly groupEpoch: 0
  readonly assignmentEpoch: 0
  readonly assignorName: ''
  readonly members: []
}

export function undescribedGroup(groupId: string, { error, message }: Refusal): UndescribedGroup {
  return {
    errorCode: kafkaError[error],
    errorMessage: message,
    groupId,
    groupState: '',
    groupEpoch: 0,
    assignmentEpoch: 0,
    assignorName: '',
    members: [],
  }
}
