import type { EmbeddedBroker, InterceptedRequest, Outcome } from '../../../src/broker/index.ts'
import { closeConnection } from '../../../src/broker/index.ts'
import type { GroupMetadata } from '../../../src/client/index.ts'
import {
  endTxnApi,
  initProducerIdApi,
  kafkaError,
  kafkaErrorName,
  offsetCommitApi,
  syncGroupApi,
} from '../../../src/protocol/index.ts'
import type { RequestOf, ResponseOf } from '../../../src/protocol/index.ts'
import type { Tally } from './exercised.ts'
import type { Tell } from './narration.ts'

const fencing: ReadonlySet<string> = new Set([
  'FENCED_INSTANCE_ID',
  'FENCED_MEMBER_EPOCH',
  'ILLEGAL_GENERATION',
  'INVALID_PRODUCER_EPOCH',
  'PRODUCER_FENCED',
  'STALE_MEMBER_EPOCH',
  'UNKNOWN_MEMBER_ID',
])

interface Committed {
  readonly offset: number
  readonly by: string
}

/** What the broker has answered, in all of its lives: what is counted, and the commits that it took. */
export class BrokerWatch {
  readonly #tally: Tally
  readonly #tell: Tell
  readonly #committed = new Map<string, Committed>()
  /** The members that were given an assignment, by `synced`. */
  readonly #synced = new Set<string>()
  /** Whether a commit came after one that its member had sent later: the offset has gone back. */
  hasLateCommits = false
  /** Why the commits of a group were not monotone. */
  readonly violations: string[] = []

  constructor(tally: Tally, tell: Tell) {
    this.#tally = tally
    this.#tell = tell
  }

  /** Watches a life of the broker. Added before the faults are: it sees what comes of requests, not of answers. */
  watch(broker: EmbeddedBroker): void {
    broker.interceptors.add(async (request, proceed) => {
      const outcome = await proceed()
      this.#see(request, outcome)
      return outcome
    })
  }

  #see(request: InterceptedRequest, outcome: Outcome): void {
    const { apiKey, apiName, version, clientId, nodeId, body } = request
    this.#tally.count('requests', 'answered')
    if (outcome === undefined || outcome === closeConnection) return
    const codes = new Set<number>()
    collectCodes(outcome, codes)
    for (const code of codes) {
      const name = kafkaErrorName(code)
      this.#tally.count(fencing.has(name) ? 'fenced' : 'refused', name)
    }
    this.#tell(`node ${nodeId}`, () => {
      const refused = [...codes].map((code) => kafkaErrorName(code)).join(' ')
      return `${apiName} v${version} of ${clientId} ${refused} ${shown(body)} -> ${shown(outcome)}`
    })
    if (codes.size > 0) return
    if (apiKey === initProducerIdApi.key) this.#seeProducer(outcome as InitProducer)
    if (apiKey === endTxnApi.key) this.#tally.count('producers', 'transactions ended')
    if (apiKey === offsetCommitApi.key) this.#seeCommit(body as OffsetCommit)
    if (apiKey === syncGroupApi.key) {
      const { groupId, generationId: generation, memberId } = body as SyncGroup
      this.#synced.add(synced({ groupId, generation, memberId }))
    }
  }

  /**
   * Whether a member of a classic group was given an assignment in a generation. Only from then on the group's log
   * knows of the generation: a coordinator that has lost its memory before gives its number out again.
   */
  hasSynced(member: SyncedMember): boolean {
    return this.#synced.has(synced(member))
  }

  #seeProducer({ producerEpoch }: InitProducer): void {
    this.#tally.count('producers', producerEpoch > 0 ? 'epochs bumped' : 'ids given')
  }

  /**
   * A commit may be undone only by one that the same member in the same generation had sent before it, and that came
   * late: nothing in the protocol orders the commits of one member over two connections.
   */
  #seeCommit({ groupId, memberId, generationIdOrMemberEpoch, topics }: OffsetCommit): void {
    const by = `${memberId} in generation ${generationIdOrMemberEpoch}`
    for (const { name, topicId, partitions } of topics) {
      for (const { partitionIndex, committedOffset } of partitions) {
        const key = `${groupId} ${name}${topicId} ${partitionIndex}`
        const before = this.#committed.get(key)
        this.#committed.set(key, { offset: committedOffset, by })
        this.#tally.count('groups', 'commits taken')
        if (before === undefined || before.offset <= committedOffset) continue
        if (before.by === by) {
          this.#tally.count('groups', 'late commits of the same member')
          this.hasLateCommits = true
        } else
          this.violations.push(
            `${by} has taken ${key} back from ${before.offset} of ${before.by} to ${committedOffset}`,
          )
      }
    }
  }
}

type InitProducer = ResponseOf<typeof initProducerIdApi>
type SyncGroup = RequestOf<typeof syncGroupApi>
type SyncedMember = Pick<GroupMetadata, 'groupId' | 'generation' | 'memberId'>

function synced({ groupId, generation, memberId }: SyncedMember): string {
  return `${groupId} ${generation} ${memberId}`
}

type OffsetCommit = RequestOf<typeof offsetCommitApi>

/** Every error code that a response holds, anywhere in it. */
function collectCodes(value: object, codes: Set<number>): void {
  for (const [name, field] of Object.entries(value) as [string, unknown][]) {
    if (name === 'records' || name === 'apiKeys') continue
    if (typeof field === 'object' && field !== null) collectCodes(field, codes)
    else if (typeof field === 'number' && field !== kafkaError.NONE && isCode(name)) {
      codes.add(field)
    }
  }
}

function isCode(name: string): boolean {
  return name.endsWith('rrorCode')
}

function shown(value: unknown): string {
  return JSON.stringify(value, (_, field: unknown) =>
    typeof field === 'object' && field !== null && 'type' in field && field.type === 'Buffer'
      ? 'bytes'
      : field,
  )
}
