import { createPartitionsApi } from '../../protocol/index.ts'
import type { RequestOf, ResponseInput } from '../../protocol/index.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { refuse } from '../refusal.ts'
import type { Refusal } from '../refusal.ts'
import { partitionsPerRequestMax } from './19-create-topics.ts'
import { inAdministrationTurn } from './administration-turn.ts'
import { defineHandler } from './handler.ts'
import { refusalFields } from './refusal-fields.ts'
import { repeated } from './repeated.ts'

type TopicRequest = RequestOf<typeof createPartitionsApi>['topics'][number]
type TopicAnswer = ResponseInput<typeof createPartitionsApi>['results'][number]

/**
 * CreatePartitions 0-3: raises the number of partitions of each topic to `count`, or refuses it for
 * itself. Assignments, if any, are those of the new partitions.
 *
 * Unlike Kafka, the coordinators' own topics stay as they are: a group is found by the number of
 * partitions. Not implemented: the time limit, quotas of topic mutations.
 */
export const createPartitions = defineHandler({
  api: createPartitionsApi,
  versions: [0, 3],
  async handle({ topics, validateOnly }, { broker: { cluster } }) {
    const twice = repeated(topics.map(({ name }) => name))
    const distinct = new Map(topics.map((topic) => [topic.name, topic]))
    const answer = async (topic: TopicRequest): Promise<TopicAnswer> => {
      const refusal = twice.has(topic.name)
        ? refuse('INVALID_REQUEST', `the request names topic '${topic.name}' twice`)
        : await addPartitions(topic, validateOnly, cluster)
      return { name: topic.name, ...refusalFields(refusal) }
    }
    const results = await inAdministrationTurn(cluster, () =>
      Promise.all([...distinct.values()].map(answer)),
    )
    return { throttleTimeMs: 0, results }
  },
})

async function addPartitions(
  { name, count, assignments }: TopicRequest,
  validateOnly: boolean,
  cluster: Cluster,
): Promise<Refusal | undefined> {
  const topic = cluster.topic(name)
  if (topic === undefined) {
    return refuse('UNKNOWN_TOPIC_OR_PARTITION', `topic '${name}' does not exist`)
  }
  if (topic.internal) {
    return refuse('INVALID_PARTITIONS', `topic '${name}' is the coordinators' own`)
  }
  if (count - topic.partitions.length > partitionsPerRequestMax) {
    const problem = `the request asks for more than ${partitionsPerRequestMax} partitions`
    return refuse('POLICY_VIOLATION', problem)
  }
  const replicas = assignments?.map(({ brokerIds }) => brokerIds)
  return cluster.addPartitions(name, count, replicas, validateOnly)
}
