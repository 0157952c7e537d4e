/** Rights: what each API answers who lacks one, and which entries of access control lists give it. */
import { expect } from 'vitest'
import {
  consumerGroupHeartbeatApi,
  createTopicsApi,
  deleteAclsApi,
  deleteTopicsApi,
  describeAclsApi,
  describeClusterApi,
  fetchApi,
  initProducerIdApi,
  listGroupsApi,
  metadataApi,
  offsetFetchApi,
  produceApi,
} from '../../src/protocol/index.ts'
import type { WireClient } from '../../src/testing/wire-client.ts'
import { authorizationErrorsIn } from './authorization-answers.ts'
import { attemptName, attempts, type Attempt, type Names } from './authorization-attempts.ts'
import { makeBatch } from './batch.ts'
import { conformance, type CaseBody } from './conformance.ts'
import { expectError } from './expectation.ts'
import type { Port } from './port.ts'
import { connectAs, coordinatorAs, grant, nextUser, startSecured, type Grant } from './secured.ts'

async function namesOf(port: Port): Promise<Names> {
  const { name } = await port.topic()
  return { topic: name, group: port.name('group'), transaction: port.name('transaction') }
}

/** The names of a case begin alike: prefixes are about what it makes, too. */
function grantOf({ operation, on }: Attempt['rights'][number], names: Names): Grant {
  switch (on) {
    case 'topic':
      return { on, operation, name: names.topic, prefixed: true }
    case 'group':
      return { on, operation, name: names.group }
    case 'transactionalId':
      return { on, operation, name: names.transaction }
    default:
      return { on, operation, name: 'kafka-cluster' }
  }
}

function caseOf(attempt: Attempt): CaseBody {
  const { api, version, refused, rights } = attempt
  return async (port) => {
    const names = await namesOf(port)
    const user = nextUser()
    const client = await connectAs(port, user)
    const ask = () => client.request(api, version, attempt.body(names))
    expect(await ask()).toMatchObject(refused)
    if (rights.length === 0) return
    await grant(
      port,
      user,
      rights.map((right) => grantOf(right, names)),
    )
    await port.eventually('nothing is refused', async () =>
      authorizationErrorsIn(await ask()).length === 0 ? true : undefined,
    )
  }
}

const entriesOfTable = attempts.map((attempt, index) => [
  attemptName(attempt, index),
  caseOf(attempt),
])

async function describedTopics(client: WireClient): Promise<(string | null)[]> {
  const { topics } = await client.request(metadataApi, 12, { topics: null })
  return topics.map(({ name }) => name)
}

/** The error that Metadata answers about one topic. */
async function topicError(client: WireClient, name: string): Promise<number | undefined> {
  const { topics } = await client.request(metadataApi, 12, {
    topics: [{ name }],
    allowAutoTopicCreation: false,
  })
  return topics[0]?.errorCode
}

/** Waits until what a user may do with a topic is applied. */
async function applied(port: Port, client: WireClient, topic: string): Promise<void> {
  await port.eventually(`${topic} may be described`, async () =>
    (await topicError(client, topic)) === 0 ? true : undefined,
  )
}

async function userWith(
  port: Port,
  ...grants: readonly Grant[]
): Promise<{ user: string; client: WireClient }> {
  const user = nextUser()
  if (grants.length > 0) await grant(port, user, grants)
  return { user, client: await connectAs(port, user) }
}

function onTopic(operation: Grant['operation'], name: string, more: Partial<Grant> = {}): Grant {
  return { on: 'topic', operation, name, ...more }
}

const rights: Readonly<Record<string, CaseBody>> = {
  'all topics are those that may be described, others are not told of': async (port) => {
    const known = await port.topic()
    const hidden = await port.topic()
    const { client } = await userWith(port, onTopic('describe', known.name))
    await applied(port, client, known.name)
    expect(await describedTopics(client)).toEqual([known.name])
    expectError(await topicError(client, hidden.name), 'TOPIC_AUTHORIZATION_FAILED')
    expectError(await topicError(client, port.name('none')), 'TOPIC_AUTHORIZATION_FAILED')
  },

  'a topic without the right to describe it is not named for its id': async (port) => {
    const { id } = await port.topic()
    const { client } = await userWith(port)
    const { topics } = await client.request(metadataApi, 12, {
      topics: [{ topicId: id, name: null }],
    })
    expect(topics).toMatchObject([{ errorCode: 29, name: null, topicId: id, partitions: [] }])
  },

  'version 0 of Metadata does not take a refused topic for all topics': async (port) => {
    const { name } = await port.topic()
    const { client } = await userWith(port)
    const { topics } = await client.request(metadataApi, 0, { topics: [{ name }] })
    expect(topics).toMatchObject([{ name, errorCode: 29, partitions: [] }])
  },

  'a missing topic is made by who may describe and create it': async (port) => {
    const name = port.name('made')
    const { client, user } = await userWith(port, onTopic('describe', name))
    const ask = () =>
      client.request(metadataApi, 12, { topics: [{ name }], allowAutoTopicCreation: true })
    await port.eventually('describing is applied', async () =>
      (
        await client.request(metadataApi, 12, {
          topics: [{ name }],
          allowAutoTopicCreation: false,
        })
      ).topics[0]?.errorCode === 3
        ? true
        : undefined,
    )
    expect((await ask()).topics).toMatchObject([{ name, errorCode: 29 }])
    await grant(port, user, [onTopic('create', name)])
    await port.eventually('it is made', async () =>
      (await ask()).topics[0]?.errorCode === 0 ? true : undefined,
    )
  },

  'read, write, delete and alter allow to describe; to alter configs allows to describe them':
    async (port) => {
      for (const operation of ['read', 'write', 'delete', 'alter'] as const) {
        const { name } = await port.topic()
        const { client } = await userWith(port, onTopic(operation, name))
        await applied(port, client, name)
      }
      const { name } = await port.topic()
      const { client } = await userWith(port, onTopic('create', name))
      expectError(await topicError(client, name), 'TOPIC_AUTHORIZATION_FAILED')
    },

  'one entry that denies counts more than all that allow': async (port) => {
    const { name } = await port.topic()
    const { client, user } = await userWith(port, onTopic('all', '*'))
    await applied(port, client, name)
    await grant(port, user, [onTopic('describe', name, { permission: 'deny' })])
    await port.eventually('denied', async () =>
      (await topicError(client, name)) === 29 ? true : undefined,
    )
  },

  'denying to read denies neither to describe nor to write': async (port) => {
    const { name } = await port.topic()
    const { client } = await userWith(
      port,
      onTopic('read', name),
      onTopic('write', name),
      onTopic('read', name, { permission: 'deny' }),
    )
    await applied(port, client, name)
    const read = await client.request(fetchApi, 12, {
      maxWaitMs: 0,
      minBytes: 0,
      topics: [
        {
          topic: name,
          partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 100 }],
        },
      ],
      forgottenTopicsData: [],
    })
    expectError(read.responses[0]?.partitions[0]?.errorCode, 'TOPIC_AUTHORIZATION_FAILED')
  },

  'entries are for a name, a prefix, or every name': async (port) => {
    const { name } = await port.topic()
    const prefix = name.slice(0, -2)
    const literalPrefix = await userWith(port, onTopic('describe', prefix))
    const prefixed = await userWith(port, onTopic('describe', prefix, { prefixed: true }))
    const every = await userWith(port, onTopic('describe', '*'))
    await applied(port, prefixed.client, name)
    await applied(port, every.client, name)
    expectError(await topicError(literalPrefix.client, name), 'TOPIC_AUTHORIZATION_FAILED')
  },

  'entries are for a host, and for every user': async (port) => {
    const { name } = await port.topic()
    const elsewhere = await userWith(port, onTopic('describe', name, { host: '10.1.2.3' }))
    const here = await userWith(port, onTopic('describe', name, { host: '127.0.0.1' }))
    await applied(port, here.client, name)
    expectError(await topicError(elsewhere.client, name), 'TOPIC_AUTHORIZATION_FAILED')
    await grant(port, '', [onTopic('describe', name, { principal: 'User:*' })])
    await applied(port, elsewhere.client, name)
  },

  'what a client may do is told in bits': async (port) => {
    const { name } = await port.topic()
    const { client } = await userWith(
      port,
      onTopic('read', name),
      onTopic('alterConfigs', name),
      { on: 'cluster', name: 'kafka-cluster', operation: 'describe' },
      { on: 'cluster', name: 'kafka-cluster', operation: 'create' },
    )
    await applied(port, client, name)
    const { topics } = await client.request(metadataApi, 12, {
      topics: [{ name }],
      includeTopicAuthorizedOperations: true,
    })
    const bitsOf = (...codes: number[]) => codes.reduce((sum, code) => sum | (1 << code), 0)
    expect(topics[0]?.topicAuthorizedOperations).toBe(bitsOf(3, 8, 10, 11))
    const cluster = await port.eventually('the cluster may be described', async () => {
      const answer = await client.request(describeClusterApi, 0, {
        includeClusterAuthorizedOperations: true,
      })
      return answer.clusterAuthorizedOperations === 0 ? undefined : answer
    })
    expect(cluster.clusterAuthorizedOperations).toBe(bitsOf(5, 8))
  },

  'produce with acks=0 that is refused ends the connection': async (port) => {
    const { name } = await port.topic()
    const { client } = await userWith(port)
    client.send(produceApi, 9, {
      transactionalId: null,
      acks: 0,
      timeoutMs: 1_000,
      topicData: [{ name, partitionData: [{ index: 0, records: makeBatch() }] }],
    })
    await client.closed
  },

  'refused and served topics of one request do not touch each other': async (port) => {
    const mine = await port.topic()
    const other = await port.topic()
    const { client } = await userWith(port, onTopic('write', mine.name))
    await applied(port, client, mine.name)
    const { responses } = await client.request(produceApi, 9, {
      transactionalId: null,
      acks: -1,
      timeoutMs: 5_000,
      topicData: [mine, other].map(({ name }) => ({
        name,
        partitionData: [{ index: 0, records: makeBatch() }],
      })),
    })
    const codes = new Map(
      responses.map(({ name, partitionResponses }) => [name, partitionResponses[0]?.errorCode]),
    )
    expect(codes.get(other.name)).toBe(29)
    expect(codes.get(mine.name)).not.toBe(29)
  },

  'who may write to some topic may write with idempotence': async (port) => {
    const ask = (client: WireClient) =>
      client.request(initProducerIdApi, 4, {
        transactionalId: null,
        transactionTimeoutMs: 60_000,
      })
    const { name } = await port.topic()
    const writer = await userWith(port, onTopic('write', name))
    const reader = await userWith(port, onTopic('read', name))
    const denied = await userWith(
      port,
      onTopic('write', name),
      onTopic('write', name.slice(0, 3), { permission: 'deny', prefixed: true }),
    )
    await port.eventually('writing is applied', async () =>
      (await ask(writer.client)).errorCode === 31 ? undefined : true,
    )
    expectError((await ask(reader.client)).errorCode, 'CLUSTER_AUTHORIZATION_FAILED')
    expectError((await ask(denied.client)).errorCode, 'CLUSTER_AUTHORIZATION_FAILED')
  },

  'a topic is made without its configuration being told to who may not describe it': async (
    port,
  ) => {
    const name = port.name('made')
    const { client } = await userWith(port, onTopic('create', name))
    const made = await port.eventually('creating is applied', async () => {
      const { topics } = await client.request(createTopicsApi, 7, {
        topics: [{ name, numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }],
        timeoutMs: 5_000,
        validateOnly: false,
      })
      return topics[0]?.errorCode === 29 ? undefined : topics[0]
    })
    expect(made).toMatchObject({
      errorCode: 0,
      topicConfigErrorCode: 29,
      numPartitions: -1,
      replicationFactor: -1,
      configs: [],
    })
  },

  'a topic that may be described and not deleted is refused, one that is missing is said to be':
    async (port) => {
      const { name, id } = await port.topic()
      const missing = `${name}-missing`
      const { client } = await userWith(port, onTopic('describe', name, { prefixed: true }))
      await applied(port, client, name)
      const answer = await client.request(deleteTopicsApi, 6, {
        topics: [{ name: null, topicId: id }, { name: missing }],
        timeoutMs: 5_000,
      })
      const codes = new Map(answer.responses.map((each) => [each.name, each.errorCode]))
      expect(codes).toEqual(
        new Map([
          [name, 29],
          [missing, 3],
        ]),
      )
    },

  'offsets of all topics are those of topics that may be described': async (port) => {
    const group = port.name('group')
    const { user } = await userWith(port, { on: 'group', name: group, operation: 'describe' })
    const client = await coordinatorAs(port, user, group)
    const { groups } = await client.request(offsetFetchApi, 8, {
      groups: [{ groupId: group, topics: null }],
    })
    expect(groups).toMatchObject([{ errorCode: 0, topics: [] }])
  },

  'a pattern finds the topics that a member may describe': async (port) => {
    const base = port.name('found')
    const { id } = await port.topic({ name: `${base}-mine` })
    await port.topic({ name: `${base}-other` })
    const group = port.name('group')
    const { user } = await userWith(
      port,
      { on: 'group', name: group, operation: 'read' },
      onTopic('describe', `${base}-mine`),
    )
    const client = await coordinatorAs(port, user, group)
    await applied(port, client, `${base}-mine`)
    const memberId = Buffer.alloc(16, 7).toString('base64url')
    let memberEpoch = 0
    const assigned = await port.eventually('partitions are assigned', async () => {
      const answer = await client.request(consumerGroupHeartbeatApi, 1, {
        groupId: group,
        memberId,
        memberEpoch,
        rebalanceTimeoutMs: 6_000,
        subscribedTopicNames: null,
        subscribedTopicRegex: `${base}-.*`,
        topicPartitions: [],
      })
      expectError(answer.errorCode, 'NONE')
      memberEpoch = answer.memberEpoch
      const topics = answer.assignment?.topicPartitions ?? []
      return topics.length > 0 ? topics : undefined
    })
    expect(assigned.map(({ topicId }) => topicId)).toEqual([id])
  },

  'groups that may be described are listed': async (port) => {
    const { client } = await userWith(port, { on: 'group', name: '*', operation: 'describe' })
    const answer = await client.request(listGroupsApi, 4, { statesFilter: [] })
    expectError(answer.errorCode, 'NONE')
  },
}

const any = { resourceTypeFilter: 1, resourceNameFilter: null, patternTypeFilter: 1 }
const anybody = { principalFilter: null, hostFilter: null, operation: 1, permissionType: 1 }

/** The entries that a filter is about, as `type pattern name principal host operation permission`. */
async function entriesOf(port: Port, filter: object): Promise<string[]> {
  const client = await port.any()
  const answer = await client.request(describeAclsApi, 3, { ...any, ...anybody, ...filter })
  expectError(answer.errorCode, 'NONE')
  return answer.resources
    .flatMap(({ resourceType, patternType, resourceName, acls }) =>
      acls.map(({ principal, host, operation, permissionType }) =>
        [resourceType, patternType, resourceName, principal, host, operation, permissionType].join(
          ' ',
        ),
      ),
    )
    .sort()
}

const lists: Readonly<Record<string, CaseBody>> = {
  'entries are described by what they are about, and deleted with what was deleted told': async (
    port,
  ) => {
    const name = port.name('orders')
    const user = `User:${port.name('user')}`
    await grant(port, '', [
      { on: 'topic', name, operation: 'read', principal: user },
      { on: 'topic', name, operation: 'read', principal: user },
      { on: 'topic', name: name.slice(0, -3), prefixed: true, operation: 'all', principal: user },
      { on: 'group', name, operation: 'read', principal: user, permission: 'deny' },
    ])
    const ofUser = { principalFilter: user }
    const all = [
      `2 3 ${name} ${user} * 3 3`,
      `2 4 ${name.slice(0, -3)} ${user} * 2 3`,
      `3 3 ${name} ${user} * 3 2`,
    ].sort()
    await port.eventually('all are there', async () =>
      (await entriesOf(port, ofUser)).length === 3 ? true : undefined,
    )
    expect(await entriesOf(port, ofUser)).toEqual(all)
    const topics = { ...ofUser, resourceTypeFilter: 2, resourceNameFilter: name }
    expect(await entriesOf(port, { ...topics, patternTypeFilter: 3 })).toEqual([
      `2 3 ${name} ${user} * 3 3`,
    ])
    expect(await entriesOf(port, { ...topics, patternTypeFilter: 4 })).toEqual([])
    expect(await entriesOf(port, { ...topics, patternTypeFilter: 2 })).toHaveLength(2)
    expect(await entriesOf(port, { ...ofUser, permissionType: 2 })).toHaveLength(1)
    expect(await entriesOf(port, { ...ofUser, operation: 2 })).toHaveLength(1)
    expect(await entriesOf(port, { ...ofUser, hostFilter: '10.0.0.1' })).toEqual([])
    const client = await port.any()
    const deleted = await client.request(deleteAclsApi, 3, {
      filters: [
        { ...any, ...anybody, ...ofUser, permissionType: 3 },
        { ...any, ...anybody, principalFilter: 'User:nobody-at-all' },
      ],
    })
    expect(deleted.filterResults.map(({ errorCode }) => errorCode)).toEqual([0, 0])
    expect(deleted.filterResults.map(({ matchingAcls }) => matchingAcls.length)).toEqual([2, 0])
    await port.eventually('one is left', async () =>
      (await entriesOf(port, ofUser)).length === 1 ? true : undefined,
    )
  },

  'an entry that cannot be is refused by itself': async (port) => {
    const attemptOf = (given: Partial<Grant>) =>
      grant(port, '', [
        { on: 'topic', name: port.name('x'), operation: 'read', principal: 'User:x', ...given },
      ])
    await expect(attemptOf({ principal: 'without-type' })).rejects.toThrow()
    await expect(attemptOf({ name: '' })).rejects.toThrow()
    await expect(attemptOf({ on: 'cluster', name: 'another' })).rejects.toThrow()
  },
}

conformance(
  'authorizer',
  {
    ...(Object.fromEntries(entriesOfTable) as Record<string, CaseBody>),
    ...rights,
    ...lists,
  },
  { start: startSecured },
)
