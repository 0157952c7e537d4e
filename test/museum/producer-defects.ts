import type { Defect } from './defects.ts'

const folder = 'src/client/producer'
const model = `${folder}/partition-queue.test.ts`
const faults = `${folder}/producer-faults.test.ts`

/** Mistakes of idempotent producers, put into ours. */
export const producerDefects: readonly Defect[] = [
  {
    name: 'written-again-under-another-epoch',
    story:
      'A batch whose answer was lost is numbered anew after an epoch bump, though its first request may yet arrive: twice in the log.',
    file: `${folder}/partition-queue.ts`,
    original: `if (batch.mayBeWritten) {
        const reason`,
    replacement: `if (batch.recordCount === 0) {
        const reason`,
    caughtBy: model,
  },
  {
    name: 'not-leader-taken-for-not-written',
    story:
      'NOT_LEADER_OR_FOLLOWER counts as proof that nothing was written (KAFKA-13574): told so, and it is there.',
    file: `${folder}/attempt.ts`,
    original: `  kafkaError.NOT_ENOUGH_REPLICAS,
`,
    replacement: `  kafkaError.NOT_ENOUGH_REPLICAS,
  kafkaError.NOT_LEADER_OR_FOLLOWER,
`,
    caughtBy: model,
  },
  {
    name: 'lost-answer-taken-for-not-written',
    story: 'A batch that expires after its answers were lost is told as not written, and is there.',
    file: `${folder}/partition-queue.ts`,
    original: `batch.mayBeWritten ||= attempt.mayBeWritten
        this.#retryOrFail`,
    replacement: 'this.#retryOrFail',
    caughtBy: 'test/reliability/idempotent-clients.test.ts',
  },
  {
    name: 'pipelined-to-a-broker-that-knows-nothing',
    story:
      'Several first batches are on their way at once; the first is refused for a moment, the second is taken (KIP-360 takes any number of an unknown producer): out of order.',
    file: `${folder}/partition-queue.ts`,
    original: 'return this.#taken.length === 0 || this.#knownProducerId === current.producerId',
    replacement: 'return this.#taken.length < 5 || this.#knownProducerId === current.producerId',
    caughtBy: model,
  },
  {
    name: 'next-epoch-overtakes',
    story: 'New batches go out under the next epoch while some of the old one are not resolved.',
    file: `${folder}/partition-queue.ts`,
    original: 'if (!isSame(this.#identity, current)) return this.#taken.length === 0',
    replacement: 'if (!isSame(this.#identity, current)) return this.#taken.length < 5',
    caughtBy: model,
  },
  {
    name: 'expired-batch-forgotten-in-flight',
    story: 'A batch that expires in flight is given up at once: its sequence number is nobody’s.',
    file: `${folder}/partition-queue.ts`,
    original: 'this.#tellUnknown(batch, describe(batch))',
    replacement: 'this.#settleAndRemove(batch, describe(batch))',
    caughtBy: model,
  },
  {
    name: 'duplicate-sequence-taken-for-failure',
    story:
      'DUPLICATE_SEQUENCE_NUMBER fails the records, which are in the log: sent again, they are there twice.',
    file: `${folder}/attempt.ts`,
    original: 'case kafkaError.DUPLICATE_SEQUENCE_NUMBER:',
    replacement: 'case kafkaError.UNKNOWN_SERVER_ERROR + 1000:',
    caughtBy: faults,
    test: 'takes a repeated sequence for success',
  },
  {
    name: 'unreadable-answer-taken-for-not-written',
    story:
      'An answer that cannot be read fails the records as not written, though there was an answer.',
    file: `${folder}/attempt.ts`,
    original: '!(error instanceof MillraceError && failedBeforeSending.has(error.code))',
    replacement: '!(error instanceof MillraceError)',
    caughtBy: `${folder}/attempt.test.ts`,
  },
  {
    name: 'buffer-used-again-too-early',
    story:
      'The buffer of a batch that was sent twice is used again while the first request may still read it: another batch goes out in its place.',
    file: `${folder}/producer-batch.ts`,
    original: 'this.#memory !== undefined && this.attempts === 1',
    replacement: 'this.#memory !== undefined',
    caughtBy: `${folder}/producer-batch.test.ts`,
    test: 'is not, when a request before',
  },
]
