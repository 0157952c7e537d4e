import {
  addOffsetsToTxnApi,
  kafkaError,
  kafkaErrorName,
  offsetCommitApi,
  txnOffsetCommitApi,
} from '../../src/protocol/index.ts'
import type {
  HistoryRecorder,
  RunningTransaction,
  TopicPartitionOffset,
} from '../../src/testing/index.ts'
import { ConnectionLost } from './broker-session.ts'
import type { BrokerSession } from './broker-session.ts'
import { expectedErrors, GroupMember } from './group-member.ts'
import type { Membership } from './group-member.ts'
import {
  addPartition,
  coordinated,
  endTransaction,
  findTransactionCoordinator,
  initProducer,
  Refused,
  writeUntilDecided,
} from './producers.ts'
import type { Identity } from './producers.ts'
import { fetchCommitted } from './readers.ts'
import type { CommittedRecord } from './readers.ts'

export interface GroupWorkload {
  readonly name: string
  readonly session: BrokerSession
  readonly history: HistoryRecorder
  readonly group: string
  /** What is read. */
  readonly topic: string
  readonly partitions: number
  readonly goesOn: () => boolean
}

export interface TransformWorkload extends GroupWorkload {
  /** What is written: for each record of the topic one, in the partition of the same number. */
  readonly target: string
  readonly transactionalId: string
}

const recordsMax = 8

/** What a record of the target was made of. */
export const sourceOf = (value: string): string => value.slice(0, value.indexOf('>'))

/**
 * A member of a group that reads, does something with each record, and commits what it has done:
 * each record once or, when it is interrupted, again, but none is passed over.
 */
export async function runCommittingMember(workload: GroupWorkload): Promise<void> {
  await runMember(workload, (membership, records, process) =>
    commitOffsets(workload, membership, records, process),
  )
}

/**
 * A member of a group that reads, writes and commits in transactions: each record of the topic has
 * one of the target made of it, whatever happens.
 */
export async function runTransformer(workload: TransformWorkload): Promise<void> {
  const { session, transactionalId } = workload
  await findTransactionCoordinator(session, transactionalId)
  let attempt = 0
  await runMember(workload, async (membership, records, process) => {
    // The epoch before this one ends with whatever was left of its transaction.
    const identity = await initProducer(session, transactionalId)
    attempt += 1
    const label = `${workload.name}.${attempt}`
    return transform(workload, { membership, records, process, identity, label })
  })
}

/** Does something with records; answers whether the member may go on from behind them. */
export type Work = (
  membership: Membership,
  records: readonly CommittedRecord[],
  process: string,
) => Promise<boolean>

export async function runMember(workload: GroupWorkload, work: Work): Promise<void> {
  const { name, session, history, topic, goesOn } = workload
  const member = new GroupMember(workload)
  for (let generation = 1; goesOn(); generation++) {
    const membership = await member.join(goesOn)
    if (membership === undefined) return
    // Positions begin anew with every generation, and so does the process of the history.
    const process = `${name}-${generation}`
    const partitions = [...membership.positions.keys()]
    history.note({
      kind: 'assign',
      process,
      partitions: partitions.map((partition) => ({ topic, partition })),
    })
    try {
      while (goesOn() && (await member.heartbeat(membership))) {
        if (!(await workOnce(workload, membership, work, process))) break
        await session.platform.clock.sleep(50 + session.platform.random.integer(150))
      }
    } catch (error) {
      if (!(error instanceof ConnectionLost) && !(error instanceof Refused)) throw error
    }
  }
  await member.leave()
}

async function workOnce(
  { session, topic }: GroupWorkload,
  membership: Membership,
  work: Work,
  process: string,
): Promise<boolean> {
  if (membership.positions.size === 0) return true
  const fetched = await fetchCommitted(session, topic, membership.positions)
  for (const { partition, records, nextOffset } of fetched) {
    const some = records.slice(0, recordsMax)
    if (some.length > 0 && !(await work(membership, some, process))) return false
    const last = some.at(-1)
    const isAll = some.length === records.length
    membership.positions.set(partition, isAll || last === undefined ? nextOffset : last.offset + 1)
  }
  return true
}

async function commitOffsets(
  { session, history, group, topic }: GroupWorkload,
  { memberId, generationId }: Membership,
  records: readonly CommittedRecord[],
  process: string,
): Promise<boolean> {
  history.begin({ kind: 'poll', process, group }).ok({ records })
  for (const { partition, offset } of records) {
    const handled = {
      kind: 'handler',
      process,
      group,
      topic,
      partition,
      offset,
      key: null,
    } as const
    history.begin(handled).ok({ ended: 'done' })
  }
  const next = offsetBehind(records)
  const commit = history.begin({ kind: 'commit', process, group, offsets: [next] })
  try {
    const response = await session.request(offsetCommitApi, 9, {
      groupId: group,
      generationIdOrMemberEpoch: generationId,
      memberId,
      topics: [committed(next)],
    })
    const errorCode = response.topics[0]?.partitions[0]?.errorCode ?? -1
    if (errorCode === kafkaError.NONE) {
      commit.ok()
      return true
    }
    // A coordinator that has lost its log does not know what is in it.
    commit.unknown(kafkaErrorName(errorCode))
    if (!expectedErrors.has(errorCode)) {
      throw new Error(`OffsetCommit was answered ${kafkaErrorName(errorCode)}`)
    }
    return false
  } catch (error) {
    if (error instanceof ConnectionLost) commit.unknown(error)
    throw error
  }
}

interface Transformation {
  readonly membership: Membership
  readonly records: readonly CommittedRecord[]
  readonly process: string
  readonly identity: Identity
  /** Makes what is written unlike what any other attempt writes. */
  readonly label: string
}

async function transform(workload: TransformWorkload, work: Transformation): Promise<boolean> {
  const { session, history, transactionalId } = workload
  const { process, records, identity } = work
  const transaction = history.begin({ kind: 'transaction', process })
  let ending = false
  try {
    transaction.polled(records)
    await writeTransformed(workload, work, transaction)
    const next = offsetBehind(records)
    transaction.offsets(workload.group, [next])
    await commitInTransaction(workload, work, next)
    // Some are given up, as by a handler that has failed.
    const commits = session.platform.random.integer(8) > 0
    ending = commits
    await endTransaction(session, transactionalId, identity, commits)
    if (commits) transaction.ok()
    else transaction.failed('aborted on purpose')
    return commits
  } catch (error) {
    if (!(error instanceof Refused) && !(error instanceof ConnectionLost)) throw error
    if (ending) transaction.unknown(error)
    else transaction.failed(error)
    // What is left open is ended before the offsets are asked for again.
    await initProducer(session, transactionalId)
    return false
  }
}

async function writeTransformed(
  { session, target, transactionalId }: TransformWorkload,
  { records, identity, label }: Transformation,
  transaction: RunningTransaction,
): Promise<void> {
  const to = { session, topic: target, transactionalId }
  for (const [sequence, record] of records.entries()) {
    const { partition } = record
    if (sequence === 0) await addPartition(to, identity, partition)
    const value = `${record.value}>${label}`
    const sent = transaction.send({ topic: target, partition, value })
    const write = { ...identity, partition, value, sequence, transactionalId }
    const answer = await writeUntilDecided(to, write)
    if (answer.errorCode !== kafkaError.NONE) throw new Refused(answer.errorCode)
    sent.acknowledged(answer.baseOffset)
  }
}

async function commitInTransaction(
  { session, transactionalId, group }: TransformWorkload,
  { membership, identity }: Transformation,
  next: TopicPartitionOffset,
): Promise<void> {
  const { memberId, generationId } = membership
  const fields = { transactionalId, ...identity, groupId: group }
  await coordinated(session, () => session.request(addOffsetsToTxnApi, 3, fields))
  await coordinated(session, async () => {
    const topics = [committed(next)]
    const response = await session.request(txnOffsetCommitApi, 3, {
      ...fields,
      generationId,
      memberId,
      topics,
    })
    return { errorCode: response.topics[0]?.partitions[0]?.errorCode ?? -1 }
  })
}

export function offsetBehind(records: readonly CommittedRecord[]): TopicPartitionOffset {
  const last = records.at(-1)
  if (last === undefined) throw new Error('there are no records to commit')
  return { topic: last.topic, partition: last.partition, offset: last.offset + 1 }
}

function committed({ topic, partition, offset }: TopicPartitionOffset) {
  const place = { partitionIndex: partition, committedOffset: offset, committedMetadata: null }
  return { name: topic, partitions: [place] }
}
