import { alterPartitionReassignmentsApi, kafkaError } from '../../protocol/index.ts'
import type { RequestOf, ResponseInput } from '../../protocol/index.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { refuse } from '../refusal.ts'
import type { Refusal } from '../refusal.ts'
import { inAdministrationTurn } from './administration-turn.ts'
import { defineHandler } from './handler.ts'
import { refusalFields } from './refusal-fields.ts'

type Request = RequestOf<typeof alterPartitionReassignmentsApi>
type PartitionRequest = Request['topics'][number]['partitions'][number]
type TopicAnswer = ResponseInput<typeof alterPartitionReassignmentsApi>['responses'][number]

/**
 * AlterPartitionReassignments 0-1: gives a partition other replicas. The nodes share their logs, so
 * that no data moves and the reassignment is over when it is answered: there is never one to cancel.
 *
 * Not implemented: the time limit.
 */
export const alterPartitionReassignments = defineHandler({
  api: alterPartitionReassignmentsApi,
  versions: [0, 1],
  async handle({ topics, allowReplicationFactorChange }, { broker: { cluster } }) {
    const answer = async ({ name, partitions }: Request['topics'][number]) => {
      const answers: TopicAnswer['partitions'][number][] = []
      // One after the other: a partition that is named twice ends where it was named last.
      for (const each of partitions) {
        const refusal = await reassign(name, each, allowReplicationFactorChange, cluster)
        answers.push({ partitionIndex: each.partitionIndex, ...refusalFields(refusal) })
      }
      return { name, partitions: answers }
    }
    const responses = await inAdministrationTurn(cluster, async () => {
      const answers: TopicAnswer[] = []
      for (const topic of topics) answers.push(await answer(topic))
      return answers
    })
    return {
      throttleTimeMs: 0,
      allowReplicationFactorChange,
      errorCode: kafkaError.NONE,
      errorMessage: null,
      responses,
    }
  },
})

async function reassign(
  topic: string,
  { partitionIndex, replicas }: PartitionRequest,
  allowReplicationFactorChange: boolean,
  cluster: Cluster,
): Promise<Refusal | undefined> {
  const partition = cluster.partition(topic, partitionIndex)
  const name = `partition ${topic}-${partitionIndex}`
  if (partition === undefined) {
    return refuse('UNKNOWN_TOPIC_OR_PARTITION', `${name} does not exist`)
  }
  if (replicas === null) {
    return refuse('NO_REASSIGNMENT_IN_PROGRESS', `${name} is not being reassigned`)
  }
  const factor = partition.replicas.length
  if (!allowReplicationFactorChange && replicas.length > 0 && replicas.length !== factor) {
    const problem = `${name} has ${factor} replicas, which may not become ${replicas.length}`
    return refuse('INVALID_REPLICATION_FACTOR', problem)
  }
  return cluster.reassign(partition, replicas)
}
