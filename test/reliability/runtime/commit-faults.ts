import { closeConnection } from '../../../src/broker/index.ts'
import type { EmbeddedBroker, InterceptedRequest, Outcome } from '../../../src/broker/index.ts'
import type { Platform } from '../../../src/platform/index.ts'
import { kafkaError, offsetCommitApi, produceApi } from '../../../src/protocol/index.ts'
import type { RequestOf, ResponseOf } from '../../../src/protocol/index.ts'

export type OffsetCommit = RequestOf<typeof offsetCommitApi>
export type OffsetCommitAnswer = ResponseOf<typeof offsetCommitApi>
type ProduceAnswer = ResponseOf<typeof produceApi>

export interface CommitFaultsOptions {
  readonly broker: EmbeddedBroker
  readonly platform: Platform
  readonly goesOn: () => boolean
  readonly tell: (who: string, what: () => string) => void
}

const refusals = [
  kafkaError.COORDINATOR_LOAD_IN_PROGRESS,
  kafkaError.NOT_COORDINATOR,
  kafkaError.COORDINATOR_NOT_AVAILABLE,
]

/** Commits of workers that are refused, lost, or whose answers are; letters that nobody may write for a while. */
export function addCommitFaults({ broker, platform, goesOn, tell }: CommitFaultsOptions): void {
  const { random, clock } = platform
  let refusedUntilMs = -1
  broker.interceptors.add(async (request, proceed) => {
    if (!goesOn() || !request.clientId.startsWith('worker')) return proceed()
    const isCommit = request.apiKey === offsetCommitApi.key
    if (!isCommit && request.apiKey !== produceApi.key) return proceed()
    const chance = random.integer(30)
    if (chance < 2) tell('broker', () => `loses ${request.apiName} of ${request.clientId}`)
    if (chance === 0) return closeConnection
    if (chance === 1) return proceed().then(() => closeConnection)
    if (isCommit) return chance < 4 ? refused(request) : proceed()
    if (chance === 2) refusedUntilMs = clock.elapsedMs() + random.integer(2_000)
    const outcome = await proceed()
    if (clock.elapsedMs() < refusedUntilMs) refuseLetters(outcome as ProduceAnswer)
    return outcome
  })

  function refused({ body, clientId }: InterceptedRequest): Outcome {
    const errorCode = refusals[random.integer(refusals.length)] as number
    tell('broker', () => `refuses a commit of ${clientId} with ${errorCode}`)
    const { topics } = body as OffsetCommit
    return {
      throttleTimeMs: 0,
      topics: topics.map(({ name, topicId, partitions }) => ({
        ...{ name, topicId },
        partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode })),
      })),
    } satisfies OffsetCommitAnswer
  }
}

/** They were written, and their writer is told that they were not. */
function refuseLetters({ responses }: ProduceAnswer): void {
  for (const each of responses.flatMap(({ partitionResponses }) => partitionResponses)) {
    Object.assign(each, { errorCode: kafkaError.TOPIC_AUTHORIZATION_FAILED, baseOffset: -1 })
  }
}
