import type { TopicPartition } from '../../client/index.ts'
import type {
  BatchPayload,
  CrashPayload,
  GroupJoinPayload,
  KafkaJsConsumer,
  MemberPayload,
} from './kafkajs-api.ts'
import type { KafkaJsCommits } from './kafkajs-commits.ts'
import { fromKafkaJs } from './kafkajs-errors.ts'

/** Who is told what becomes of the membership. */
export interface GroupListener {
  isOurs(partition: TopicPartition): boolean
  /** These and no others are ours, as of this generation. */
  assigned(partitions: readonly TopicPartition[], generation: number): void
  /** Nothing is ours any more. */
  lost(): void
  passedOver(payload: BatchPayload): void
  /** kafkajs does not join again by itself. */
  failed(error: Error): void
}

/**
 * What kafkajs tells of its membership in a group: it was given partitions, or has lost them all. It gives everything up
 * at each rebalance, and does not always tell before it joins anew: so a join, too, means that what there was is lost.
 */
export class GroupEvents {
  readonly #groupId: string
  #listener: GroupListener | undefined
  #generation = 0
  #memberId = ''
  #brokerGeneration = -1
  #isClosed = false

  constructor(groupId: string) {
    this.#groupId = groupId
  }

  /** Ours: another number whenever partitions come or go. */
  get generation(): number {
    return this.#generation
  }

  get memberId(): string {
    return this.#memberId
  }

  /** The broker's, as kafkajs told of it last; -1 before. */
  get brokerGeneration(): number {
    return this.#brokerGeneration
  }

  isOurs(partition: TopicPartition): boolean {
    return this.#listener?.isOurs(partition) ?? false
  }

  listen(listener: GroupListener): void {
    this.#listener = listener
  }

  /** Nothing that comes later counts. */
  close(): void {
    this.#isClosed = true
    this.#generation++
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  /** Listens to a consumer. What throws here would come out somewhere in the midst of kafkajs. */
  attach(consumer: KafkaJsConsumer, commits: KafkaJsCommits): void {
    const { events } = consumer
    const on = (event: string, listener: (payload: unknown) => void) =>
      consumer.on(event, ({ payload }) => {
        if (this.#isClosed) return
        try {
          listener(payload)
        } catch (error) {
          this.#listener?.failed(error as Error)
        }
      })
    on(events.GROUP_JOIN, (payload) => this.#joined(payload as GroupJoinPayload))
    on(events.REBALANCING, () => this.#lost())
    on(events.CRASH, (payload) => this.#crashed(payload as CrashPayload))
    on(events.HEARTBEAT, (payload) => this.#heardOf(payload as MemberPayload))
    on(events.COMMIT_OFFSETS, (payload) => {
      this.#heardOf(payload as MemberPayload)
      commits.made(payload as MemberPayload)
    })
    on(events.START_BATCH_PROCESS, (payload) => {
      const batch = payload as BatchPayload
      if (batch.batchSize === 0) this.#listener?.passedOver(batch)
    })
  }

  #joined({ memberId, memberAssignment }: GroupJoinPayload): void {
    this.#lost()
    this.#memberId = memberId
    const partitions = Object.entries(memberAssignment).flatMap(([topic, numbers]) =>
      numbers.map((partition) => ({ topic, partition })),
    )
    this.#listener?.assigned(partitions, this.#generation)
  }

  #lost(): void {
    this.#generation++
    this.#brokerGeneration = -1
    this.#listener?.lost()
  }

  #crashed({ error, restart }: CrashPayload): void {
    this.#lost()
    if (!restart) this.#listener?.failed(fromKafkaJs(error, `membership of group ${this.#groupId}`))
  }

  #heardOf({ groupGenerationId }: MemberPayload): void {
    this.#brokerGeneration = groupGenerationId
  }
}
