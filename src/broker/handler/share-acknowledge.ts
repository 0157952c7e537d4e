import { isRefusal, refuse } from '../refusal.ts'
import type { Refusal } from '../refusal.ts'
import { acknowledge } from '../share/index.ts'
import type { Acknowledgement, SharedTarget } from '../share/index.ts'
import type { RequestContext } from './handler.ts'
import { findSharedPartition, openSharePartition } from './share-access.ts'

/** What a member says of the records of one partition. */
export interface AcknowledgedPartition {
  readonly target: SharedTarget
  readonly batches: readonly Acknowledgement[]
}

export interface AcknowledgeOutcome {
  readonly target: SharedTarget
  readonly refusal: Refusal | undefined
}

const typeMax = 3

/** Takes note of what a member says of records that it has; each partition for itself. */
export function acknowledgePartitions(
  groupId: string,
  memberId: string,
  partitions: readonly AcknowledgedPartition[],
  context: RequestContext,
): Promise<AcknowledgeOutcome[]> {
  return Promise.all(
    partitions.map(async ({ target, batches }) => {
      const refusal = await acknowledgePartition(groupId, memberId, target, batches, context)
      return { target, refusal }
    }),
  )
}

async function acknowledgePartition(
  groupId: string,
  memberId: string,
  target: SharedTarget,
  batches: readonly Acknowledgement[],
  context: RequestContext,
): Promise<Refusal | undefined> {
  const problem = problemWithBatches(batches)
  if (problem !== undefined) return problem
  const partition = findSharedPartition(target, context)
  if (isRefusal(partition)) return partition
  const shared = await openSharePartition(groupId, partition, context)
  if (isRefusal(shared)) return shared
  const { groupShareDeliveryCountLimit: deliveriesMax } = context.broker.config
  const outcome = await shared.turn(
    (state): { answer: Refusal | undefined; state?: typeof state } => {
      const next = acknowledge(state, memberId, batches, deliveriesMax)
      return isRefusal(next) ? { answer: next } : { answer: undefined, state: next }
    },
  )
  return outcome
}

/** What is wrong with what is said, whatever the member has. */
function problemWithBatches(batches: readonly Acknowledgement[]): Refusal | undefined {
  let reached = -1
  for (const { firstOffset, lastOffset, acknowledgeTypes } of batches) {
    const range = `offsets ${firstOffset} to ${lastOffset}`
    if (firstOffset > lastOffset) return refuse('INVALID_REQUEST', `${range} are none`)
    if (firstOffset <= reached) return refuse('INVALID_REQUEST', `${range} are named twice`)
    reached = lastOffset
    const { length } = acknowledgeTypes
    if (length === 0 || (length > 1 && length !== lastOffset - firstOffset + 1)) {
      return refuse('INVALID_REQUEST', `${length} types do not fit ${range}`)
    }
    const unknown = acknowledgeTypes.find((type) => type < 0 || type > typeMax)
    if (unknown !== undefined) {
      return refuse('INVALID_REQUEST', `acknowledge type (${unknown}) must be from 0 to ${typeMax}`)
    }
  }
  return undefined
}
