import { expect } from 'vitest'
import { conformance } from './conformance.ts'
import { expectError } from './expectation.ts'
import type { Port, Topic } from './port.ts'
import {
  addOffsets,
  commit,
  commitInTransaction,
  committed,
  endTransaction,
  stableGroup,
  transactionalProducer,
} from './steps.ts'

/** A transaction that holds offset 7 of a topic for a group that nobody is in. */
async function pendingOffset(port: Port) {
  const topic = await port.topic()
  const groupId = port.name('group')
  const group = await port.coordinator('group', groupId)
  const { producer, coordinator } = await transactionalProducer(port)
  const added = await port.settled(
    () => addOffsets(coordinator, producer, groupId),
    (code) => code,
    ['CONCURRENT_TRANSACTIONS'],
  )
  expectError(added, 'NONE')
  const error = await port.settled(
    () => commitInTransaction(group, producer, groupId, topic, 7),
    (code) => code,
  )
  expectError(error, 'NONE')
  return { topic, groupId, group, producer, coordinator }
}

async function untilCommitted(
  port: Port,
  group: Awaited<ReturnType<Port['coordinator']>>,
  groupId: string,
  topic: Topic,
  offset: number,
): Promise<void> {
  await port.eventually(`offset ${offset} is committed`, async () => {
    const answer = await committed(group, groupId, topic, { requireStable: true })
    return answer.errorCode === 0 && answer.committedOffset === offset ? true : undefined
  })
}

conformance('offsets in transactions', {
  'offsets are not visible before the commit': async (port) => {
    const { topic, groupId, group } = await pendingOffset(port)
    expect((await committed(group, groupId, topic)).committedOffset).toBe(-1)
  },

  'a pending offset is UNSTABLE_OFFSET_COMMIT for those who ask for stable ones': async (port) => {
    const { topic, groupId, group } = await pendingOffset(port)
    const stable = await committed(group, groupId, topic, { requireStable: true })
    expectError(stable.errorCode, 'UNSTABLE_OFFSET_COMMIT')
    expect(stable.committedOffset).toBe(-1)
  },

  'offsets are visible after the commit': async (port) => {
    const { topic, groupId, group, producer, coordinator } = await pendingOffset(port)
    expectError(await endTransaction(coordinator, producer, true), 'NONE')
    await untilCommitted(port, group, groupId, topic, 7)
  },

  'offsets of an aborted transaction are gone': async (port) => {
    const { topic, groupId, group, producer, coordinator } = await pendingOffset(port)
    expectError(await endTransaction(coordinator, producer, false), 'NONE')
    await untilCommitted(port, group, groupId, topic, -1)
  },

  'a plain commit during a transaction counts until the transaction commits': async (port) => {
    const { topic, groupId, group, producer, coordinator } = await pendingOffset(port)
    expectError(await commit(group, groupId, topic, 3), 'NONE')
    expect((await committed(group, groupId, topic)).committedOffset).toBe(3)
    expectError(await endTransaction(coordinator, producer, false), 'NONE')
    await untilCommitted(port, group, groupId, topic, 3)
  },

  'a member of the group commits with its generation': async (port) => {
    const topic = await port.topic()
    const { groupId, client: group, member } = await stableGroup(port)
    const { producer, coordinator } = await transactionalProducer(port)
    await port.settled(
      () => addOffsets(coordinator, producer, groupId),
      (code) => code,
      ['CONCURRENT_TRANSACTIONS'],
    )
    const withMember = (changed: object) =>
      commitInTransaction(group, producer, groupId, topic, 7, { ...member, ...changed })
    expectError(await withMember({}), 'NONE')
    expectError(await withMember({ generationId: 0 }), 'ILLEGAL_GENERATION')
    expectError(await withMember({ memberId: 'stranger' }), 'UNKNOWN_MEMBER_ID')
  },

  'a static member that was replaced is FENCED_INSTANCE_ID': async (port) => {
    const topic = await port.topic()
    const groupInstanceId = port.name('instance')
    const { groupId, client: group, member } = await stableGroup(port, { groupInstanceId })
    const { producer, coordinator } = await transactionalProducer(port)
    await port.settled(
      () => addOffsets(coordinator, producer, groupId),
      (code) => code,
      ['CONCURRENT_TRANSACTIONS'],
    )
    const error = await commitInTransaction(group, producer, groupId, topic, 7, {
      ...member,
      memberId: 'another',
      groupInstanceId,
    })
    expectError(error, 'FENCED_INSTANCE_ID')
  },

  'the transaction coordinator does not look at the group id': async (port) => {
    const { producer, coordinator } = await transactionalProducer(port)
    expectError(await addOffsets(coordinator, producer, ''), 'NONE')
  },

  'a commit in a transaction of an old epoch is refused': async (port) => {
    const { topic, groupId, group, producer } = await pendingOffset(port)
    const old = { ...producer, producerEpoch: -5 }
    const error = await commitInTransaction(group, old, groupId, topic, 9)
    expect(error).not.toBe(0)
  },
})
