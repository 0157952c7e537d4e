/** Members that read, write and commit in transactions: each record has one made of it, whatever happens. */
import { isMillraceError } from '../../../src/errors.ts'
import type { TopicPartition } from '../../../src/client/index.ts'
import { endTransaction, ProducerSeat } from '../transactional-clients.ts'
import { offsetsBehind } from './committing-member.ts'
import { runGroupClient } from './group-client.ts'
import type { GroupClientOptions, Polled } from './group-client.ts'

export interface TransformingOptions extends GroupClientOptions {
  readonly target: string
  readonly transactionalId: string
  readonly transactionTimeoutMs: number
}

export async function runTransformingMember(options: TransformingOptions): Promise<void> {
  const { cluster, transactionalId, transactionTimeoutMs } = options
  const seat = new ProducerSeat(cluster, transactionalId, transactionTimeoutMs)
  let attempt = 0
  await runGroupClient(options, async (polled) => {
    attempt += 1
    if (await transform(options, polled, { seat, attempt })) return
    await goBack(options, polled)
  })
  await seat.close()
}

interface Attempt {
  readonly seat: ProducerSeat
  /** Makes what is written unlike what any other attempt writes. */
  readonly attempt: number
}

/** Answers whether it is certain that the records have been transformed. */
async function transform(
  { cluster, history, tally, target, group, name }: TransformingOptions,
  { records, member }: Polled,
  { seat, attempt }: Attempt,
): Promise<boolean> {
  const transaction = await seat.begin()
  if (transaction === undefined) return false
  const noted = history.begin({ kind: 'transaction', process: name })
  const sends = records.map(async ({ partition, value }) => {
    const made = `${value}>${name}.${attempt}`
    const sent = noted.send({ topic: target, partition, value: made })
    const { offset } = await transaction.send({ topic: target, partition, value: made })
    sent.acknowledged(offset)
  })
  const next = offsetsBehind(records)
  noted.offsets(group, next)
  const offsets = transaction.sendOffsets(member, next)
  const results = await Promise.allSettled([...sends, offsets])
  const isWhole = results.every(({ status }) => status === 'fulfilled')
  // Some are given up, as by a handler that has failed.
  const commits = isWhole && cluster.platform.random.integer(8) > 0
  const outcome = await endTransaction(transaction, commits, noted, seat)
  tally.count('transformations', outcome)
  return outcome === 'committed'
}

/**
 * To what the group has committed, which is read again until it is known, and known to have been read while the
 * partitions were ours: what was committed before they were another's would be transformed again.
 */
async function goBack(
  { cluster, goesOn }: TransformingOptions,
  { consumer, records, owned }: Polled,
): Promise<void> {
  const { clock, random } = cluster.platform
  const partitions = offsetsBehind(records)
  const ours = () => owned().filter((each) => partitions.some((other) => isSame(each, other)))
  // What is not ours any more begins where the group has committed when it comes back.
  while (ours().length > 0 && goesOn()) {
    try {
      const { memberId, generation } = consumer.groupMetadata()
      const committed = await consumer.committed(partitions)
      const now = consumer.groupMetadata()
      if (now.memberId !== memberId || now.generation !== generation) continue
      for (const each of ours()) {
        const found = committed.find((other) => isSame(each, other))
        consumer.seek(each, found?.offset ?? 'beginning')
      }
      return
    } catch (error) {
      if (!isMillraceError(error)) throw error
      await clock.sleep(random.integer(100))
    }
  }
}

function isSame(one: TopicPartition, other: TopicPartition): boolean {
  return one.topic === other.topic && one.partition === other.partition
}
