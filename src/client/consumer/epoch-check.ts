import { kafkaError, offsetForLeaderEpochApi } from '../../protocol/index.ts'
import { isMillraceError } from '../../errors.ts'
import type { FetchFailures } from './fetch-failures.ts'
import type { FetchWorld } from './fetch-world.ts'
import { partitionKey } from '../topic-partition.ts'
import type { PartitionState } from './partition-state.ts'

/** From here on the request needs no rights on the whole cluster. */
const versionForReaders = 3

interface Question {
  readonly state: PartitionState
  readonly generation: number
  /** The epoch of the leader that is asked. */
  readonly currentLeaderEpoch: number
}

/**
 * Asks a leader, on behalf of brokers that do not look by themselves (Fetch below 12), whether its log
 * has what was read up to the fetch positions of `states`.
 */
export async function checkEpochs(
  world: FetchWorld,
  failures: FetchFailures,
  leaderId: number,
  states: readonly PartitionState[],
): Promise<void> {
  const { cluster } = world
  const questions = states.map((state): Question => {
    state.isAsked = true
    const known = cluster.metadata.partition(state.topic, state.partition)
    return { state, generation: state.generation, currentLeaderEpoch: known?.leaderEpoch ?? -1 }
  })
  const current = () => questions.filter(({ state, generation }) => state.generation === generation)
  try {
    const response = await cluster
      .broker(leaderId, 'main')
      .request(
        offsetForLeaderEpochApi,
        { topics: topicsOf(questions) },
        { versionMin: versionForReaders },
      )
    const answers = new Map(
      response.topics.flatMap(({ topic, partitions }) =>
        partitions.map(
          (answer) => [partitionKey({ topic, partition: answer.partition }), answer] as const,
        ),
      ),
    )
    for (const question of current()) {
      const { topic, partition } = question.state
      question.state.isAsked = false
      const answer = answers.get(partitionKey({ topic, partition }))
      if (answer === undefined) world.retryLater(question.state)
      else judge(world, failures, question, answer)
    }
  } catch (error) {
    for (const { state, currentLeaderEpoch } of current()) {
      state.isAsked = false
      // A broker that cannot tell: the position is believed, as it was before there were epochs.
      if (isMillraceError(error, 'MILLRACE_CLIENT_UNSUPPORTED'))
        trust(world, state, currentLeaderEpoch)
      else world.retryLater(state)
    }
    cluster.metadataIsStale()
  }
}

function judge(
  world: FetchWorld,
  failures: FetchFailures,
  { state, currentLeaderEpoch }: Question,
  answer: { readonly errorCode: number; readonly leaderEpoch: number; readonly endOffset: number },
): void {
  if (answer.errorCode !== kafkaError.NONE) {
    world.cluster.metadataIsStale()
    world.retryLater(state)
    return
  }
  const { offset, leaderEpoch } = state.fetchPosition
  if (answer.endOffset < 0) {
    state.lose({
      kind: 'reset',
      because: `is of leader epoch ${leaderEpoch}, which no broker knows`,
      offset,
    })
    world.wake()
    return
  }
  const isCut = answer.endOffset < offset || answer.leaderEpoch < leaderEpoch
  trust(world, state, currentLeaderEpoch)
  if (isCut) failures.diverged(state, { offset: answer.endOffset, leaderEpoch: answer.leaderEpoch })
}

function trust(world: FetchWorld, state: PartitionState, leaderEpoch: number): void {
  state.trust(leaderEpoch)
  world.arrived(state)
  world.wake()
}

function topicsOf(questions: readonly Question[]) {
  return questions.map(({ state, currentLeaderEpoch }) => ({
    topic: state.topic,
    partitions: [
      {
        partition: state.partition,
        currentLeaderEpoch,
        leaderEpoch: state.fetchPosition.leaderEpoch,
      },
    ],
  }))
}
