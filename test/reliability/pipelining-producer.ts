import { isRetriable, kafkaError, kafkaErrorName } from '../../src/protocol/index.ts'
import type { RunningOperations } from '../../src/testing/index.ts'
import { ConnectionLost } from './broker-session.ts'
import { initProducer, writeOnce } from './producers.ts'
import type { Identity, ProducerWorkload, Write, WriteAnswer } from './producers.ts'

/** As many batches of a producer as a broker remembers of a partition. */
const inFlightMax = 5

interface Sending {
  readonly write: Write
  readonly operation: RunningOperations['send']
  settled: boolean
}

/**
 * An idempotent producer that sends up to five batches before the first is answered. When the
 * connection is lost, or one of them is refused for a while, all that were not acknowledged are sent
 * again in their order: each must be in the log once, and in that order.
 */
export async function runPipeliningProducer(workload: ProducerWorkload): Promise<void> {
  const { session, goesOn } = workload
  const { clock, random } = session.platform
  const identity = await initProducer(session, null)
  const next = nextRecord(workload, identity)
  let waiting: Sending[] = []
  while (goesOn() || waiting.length > 0) {
    while (goesOn() && waiting.length < inFlightMax) waiting.push(next())
    const failed = await sendAll(workload, waiting)
    waiting = waiting.filter(({ settled }) => !settled)
    await clock.sleep(failed ? 20 + random.integer(200) : random.integer(workload.pauseMs))
  }
}

function nextRecord(
  { name, session, history, topic, partitions }: ProducerWorkload,
  identity: Identity,
): () => Sending {
  const sequences = new Map<number, number>()
  let number = 0
  return () => {
    const partition = session.platform.random.integer(partitions)
    const sequence = sequences.get(partition) ?? 0
    sequences.set(partition, sequence + 1)
    const value = `${name}-${number}`
    number += 1
    const operation = history.begin({ kind: 'send', process: name, topic, partition, value })
    const write = { ...identity, partition, value, sequence, transactionalId: null }
    return { write, operation, settled: false }
  }
}

/** Sends all of them at once; answers whether some must be sent again. */
async function sendAll(workload: ProducerWorkload, all: readonly Sending[]): Promise<boolean> {
  const answers = await Promise.all(all.map(({ write }) => answerOf(workload, write)))
  const waiting = new Set<number>()
  for (const [index, sending] of all.entries()) {
    const answer = answers[index]
    const { write, operation } = sending
    if (answer?.errorCode === kafkaError.NONE) {
      operation.ok({ offset: answer.baseOffset })
      sending.settled = true
      continue
    }
    const isFirst = !waiting.has(write.partition)
    waiting.add(write.partition)
    if (answer === undefined || isRetriable(answer.errorCode)) continue
    // What comes behind a batch that was refused for a while is out of order, for a while.
    const { OUT_OF_ORDER_SEQUENCE_NUMBER } = kafkaError
    if (answer.errorCode === OUT_OF_ORDER_SEQUENCE_NUMBER && !isFirst) continue
    throw new Error(`${write.value} was refused: ${kafkaErrorName(answer.errorCode)}`)
  }
  return waiting.size > 0
}

async function answerOf(
  workload: ProducerWorkload,
  write: Write,
): Promise<WriteAnswer | undefined> {
  try {
    return await writeOnce(workload, write)
  } catch (error) {
    if (error instanceof ConnectionLost) return undefined
    throw error
  }
}
