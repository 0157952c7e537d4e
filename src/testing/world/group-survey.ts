import type { EmbeddedBroker } from '../../broker/index.ts'

/** How far a group is in a partition. */
export interface GroupProgress {
  readonly group: string
  readonly topic: string
  readonly partition: number
  /** The offset that is committed: all below it has ended. */
  readonly committed: number
  /** The offset after the last record. */
  readonly end: number
}

/** A group as the broker knows it. */
export interface GroupView {
  readonly group: string
  readonly protocol: 'classic' | 'consumer'
  /** Kafka's name for it: `Stable`, `Empty`. */
  readonly state: string
  /** Of the classic protocol: who shares partitions out. */
  readonly assignor: string
  /** The client ids of its members. */
  readonly members: readonly string[]
  readonly progress: readonly GroupProgress[]
}

/** All groups of a broker. It is asked directly, in no time of the world. */
export async function surveyGroups(broker: EmbeddedBroker): Promise<GroupView[]> {
  const listed = broker.groups.listGroups({ states: [], types: [] })
  return Promise.all(listed.map(({ groupId, groupType }) => view(broker, groupId, groupType)))
}

async function view(broker: EmbeddedBroker, group: string, type: string): Promise<GroupView> {
  const protocol = type === 'consumer' ? 'consumer' : 'classic'
  const { state, assignor, members, assigned } = await describe(broker, group, protocol)
  const committed = await committedOffsets(broker, group)
  // What was assigned, and of which nothing was committed yet, counts from its beginning.
  for (const key of assigned) if (!committed.has(key)) committed.set(key, 0)
  const progress = [...committed].flatMap(([key, offset]) => {
    const { topic, partition } = partitionIn(key)
    const log = broker.cluster.partition(topic, partition)?.log
    if (log === undefined) return []
    const isBelow = offset < log.logStartOffset
    return [
      {
        ...{ group, topic, partition, end: log.highWatermark },
        committed: isBelow ? log.logStartOffset : offset,
      },
    ]
  })
  return { group, protocol, state, assignor, members, progress }
}

interface Described {
  readonly state: string
  readonly assignor: string
  readonly members: readonly string[]
  readonly assigned: readonly string[]
}

const unknown: Described = { state: 'Unknown', assignor: '', members: [], assigned: [] }
const describeVersion = 5

async function describe(
  { groups }: EmbeddedBroker,
  group: string,
  protocol: GroupView['protocol'],
): Promise<Described> {
  if (protocol === 'classic') {
    const described = await groups.describeGroup(group, describeVersion)
    if ('error' in described) return unknown
    return {
      state: described.groupState,
      assignor: described.protocolData,
      members: described.members.map(({ clientId }) => clientId),
      assigned: [],
    }
  }
  const { groupState, members } = await groups.describeConsumerGroup(group)
  return {
    state: groupState,
    assignor: '',
    members: members.map(({ clientId }) => clientId),
    assigned: members.flatMap(({ assignment }) =>
      assignment.topicPartitions.flatMap(({ topicName, partitions }) =>
        partitions.map((partition) => keyOf(topicName, partition)),
      ),
    ),
  }
}

async function committedOffsets(
  { groups }: EmbeddedBroker,
  groupId: string,
): Promise<Map<string, number>> {
  const request = { groupId, memberId: null, memberEpoch: -1, topics: null }
  const fetched = await groups.fetchOffsets(request, false)
  if ('error' in fetched) return new Map()
  return new Map(
    fetched.topics.flatMap(({ name, partitions }) =>
      partitions.map(({ partitionIndex, committedOffset }) => [
        keyOf(name, partitionIndex),
        committedOffset,
      ]),
    ),
  )
}

function keyOf(topic: string, partition: number): string {
  return `${topic}\n${partition}`
}

function partitionIn(key: string): { readonly topic: string; readonly partition: number } {
  const [topic = '', partition] = key.split('\n')
  return { topic, partition: Number(partition) }
}
