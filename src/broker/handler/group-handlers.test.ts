import { describe, expect, it } from 'vitest'
import { kafkaError } from '../../protocol/index.ts'
import type { Api, RequestInput } from '../../protocol/index.ts'
import { subscription } from '../group/fixture/group-bench.ts'
import { offsetCommit } from './08-offset-commit.ts'
import { offsetFetch } from './09-offset-fetch.ts'
import { findCoordinator } from './10-find-coordinator.ts'
import { joinGroup } from './11-join-group.ts'
import { heartbeat } from './12-heartbeat.ts'
import { leaveGroup } from './13-leave-group.ts'
import { syncGroup } from './14-sync-group.ts'
import { describeGroups } from './15-describe-groups.ts'
import { listGroups } from './16-list-groups.ts'
import { txnOffsetCommit } from './28-txn-offset-commit.ts'
import { deleteGroups } from './42-delete-groups.ts'
import { offsetDelete } from './47-offset-delete.ts'
import { consumerGroupHeartbeat } from './68-consumer-group-heartbeat.ts'
import { consumerGroupDescribe } from './69-consumer-group-describe.ts'
import { GroupHandlers } from './group-fixture.ts'
import type { Handler } from './handler.ts'

const partition = { partitionIndex: 0, committedOffset: 1, committedMetadata: null }

/** A request of each API, in the form of a version. */
function asked<A extends Api>(
  handler: Handler<A>,
  request: (version: number) => RequestInput<A>,
): [name: string, handler: Handler, request: (version: number) => object] {
  return [handler.api.name, handler, request]
}

const requests = (topicId: string) => [
  asked(offsetCommit, (version) => ({
    groupId: 'g',
    topics: [{ ...(version < 10 ? { name: 't' } : { topicId }), partitions: [partition] }],
  })),
  asked(offsetFetch, (version) => {
    const topic = { ...(version < 10 ? { name: 't' } : { topicId }), partitionIndexes: [0] }
    if (version >= 8) return { groups: [{ groupId: 'g', topics: [topic] }] }
    return { groupId: 'g', topics: [topic] }
  }),
  asked(findCoordinator, (version) => (version < 4 ? { key: 'g' } : { coordinatorKeys: ['g'] })),
  asked(joinGroup, () => ({
    groupId: 'g',
    sessionTimeoutMs: 10_000,
    memberId: '',
    protocolType: 'consumer',
    protocols: [{ name: 'range', metadata: subscription(['t']) }],
  })),
  asked(heartbeat, () => ({ groupId: 'g', generationId: 1, memberId: 'm' })),
  asked(leaveGroup, (version) =>
    version < 3 ? { groupId: 'g', memberId: 'm' } : { groupId: 'g', members: [{ memberId: 'm' }] },
  ),
  asked(syncGroup, (version) => ({
    groupId: 'g',
    generationId: 1,
    memberId: 'm',
    assignments: [],
    ...(version < 5 ? {} : { protocolType: 'consumer', protocolName: 'range' }),
  })),
  asked(describeGroups, (version) => ({
    groups: ['g'],
    ...(version < 3 ? {} : { includeAuthorizedOperations: true }),
  })),
  asked(listGroups, () => ({})),
  asked(txnOffsetCommit, () => ({
    transactionalId: 'x',
    groupId: 'g',
    producerId: 1,
    producerEpoch: 0,
    topics: [{ name: 't', partitions: [partition] }],
  })),
  asked(deleteGroups, () => ({ groupsNames: ['g'] })),
  asked(offsetDelete, () => ({
    groupId: 'g',
    topics: [{ name: 't', partitions: [{ partitionIndex: 0 }] }],
  })),
  asked(consumerGroupHeartbeat, () => ({
    groupId: 'g',
    memberId: 'm',
    memberEpoch: 0,
    rebalanceTimeoutMs: 1000,
    subscribedTopicNames: ['t'],
    topicPartitions: [],
  })),
  asked(consumerGroupDescribe, () => ({ groupIds: ['g'], includeAuthorizedOperations: true })),
]

const names = requests('').map(([name]) => name)

/** All error codes of a response, wherever they are. */
function errorCodes(response: unknown): number[] {
  if (Array.isArray(response)) return response.flatMap(errorCodes)
  if (typeof response !== 'object' || response === null) return []
  return Object.entries(response).flatMap(([name, value]) =>
    name === 'errorCode' ? [value as number] : errorCodes(value),
  )
}

/** What the handler of an API answers in each of its versions, in a world of its own each time. */
async function answersOf(
  name: string,
  prepare: (handlers: GroupHandlers) => void | Promise<void>,
  nodeId = 1,
): Promise<unknown[]> {
  const answers: unknown[] = []
  for (let version = 0; ; version++) {
    const handlers = new GroupHandlers()
    await prepare(handlers)
    const [, handler, request] =
      requests(handlers.bench.topic('t').id).find(([known]) => known === name) ?? []
    if (handler === undefined || request === undefined) throw new Error(`no handler of ${name}`)
    if (version < handler.versions[0]) continue
    if (version > handler.versions[1]) return answers
    const asking = handlers.ask(handler, version, request(version), nodeId)
    // A join waits until the others have rejoined or are given up.
    await handlers.bench.advance(30_000)
    answers.push(await asking)
  }
}

describe.each(names)('%s, in every version', (name) => {
  it('is served as the tables have it', () => {
    const [, handler] = requests('').find(([known]) => known === name) ?? []
    expect(handler?.versions).toEqual([handler?.api.versions.first, handler?.api.versions.last])
  })

  it('can be answered where the group is new', async () => {
    await answersOf(name, () => undefined)
  })

  it('can be answered where the group has members', async () => {
    await answersOf(name, async ({ bench }) => {
      await bench.stableGroup(2)
    })
  })

  it('can be answered where the group is one of the next generation', async () => {
    await answersOf(name, async ({ bench }) => {
      const join = { subscribedTopicNames: ['t'], topicPartitions: [], rebalanceTimeoutMs: 1000 }
      await bench.consumerHeartbeat({ ...join, memberId: 'other' })
    })
  })
})

/** What only the coordinator of a group can answer. */
const ofCoordinator = names.filter((name) => !['FindCoordinator', 'ListGroups'].includes(name))

describe.each(ofCoordinator)('%s, in every version', (name) => {
  it('sends clients on to the coordinator', async () => {
    for (const answer of await answersOf(name, () => undefined, 2)) {
      expect(errorCodes(answer)).toContain(kafkaError.NOT_COORDINATOR)
    }
    for (const answer of await answersOf(
      name,
      (handlers) => void (handlers.coordinator = undefined),
    )) {
      expect(errorCodes(answer)).toContain(kafkaError.COORDINATOR_NOT_AVAILABLE)
    }
  })

  it('asks for patience while the group is read', async () => {
    const answers = await answersOf(name, ({ bench }) => bench.coordinator.unload(0))
    for (const [index, answer] of answers.entries()) {
      expect(errorCodes(answer)).toContain(kafkaError[patience(name, index)])
    }
  })
})

/** Heartbeats are answered blindly; the oldest producers do not know that a group can be loading. */
function patience(
  name: string,
  version: number,
): 'NONE' | 'COORDINATOR_NOT_AVAILABLE' | 'COORDINATOR_LOAD_IN_PROGRESS' {
  if (name === 'Heartbeat') return 'NONE'
  if (name === 'TxnOffsetCommit' && version < 2) return 'COORDINATOR_NOT_AVAILABLE'
  return 'COORDINATOR_LOAD_IN_PROGRESS'
}
