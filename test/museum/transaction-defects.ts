import type { Defect } from './defects.ts'

const folder = 'src/client/producer/transaction'

/** Mistakes of transactional producers, put into ours. */
export const transactionDefects: readonly Defect[] = [
  {
    name: 'offsets-without-generation',
    story:
      'TxnOffsetCommit names no member and no generation, so that a zombie of the group commits (kafkajs; KIP-447).',
    file: `${folder}/transaction-coordinator.ts`,
    original: `generationId: group.generation,
          memberId: group.memberId,`,
    replacement: `generationId: -1,
          memberId: '',`,
    caughtBy: `${folder}/fencing.test.ts`,
    test: 'offsets of a generation that is over',
  },
  {
    name: 'concurrent-offsets-dropped',
    story:
      'Offsets that are sent while others are on their way are taken for the same call, and dropped (@platformatic/kafka).',
    file: `${folder}/transaction-session.ts`,
    original: `contents.offsetTurns.run(() => this.#sendOffsets(contents, group, offsets)),`,
    replacement: `(contents.only ??= contents.offsetTurns
        .run(() => this.#sendOffsets(contents, group, offsets))
        .finally(() => (contents.only = undefined))),`,
    caughtBy: `${folder}/transaction-session.test.ts`,
    test: 'keeps the offsets of calls that overlap',
  },
  {
    name: 'unknown-server-error-is-a-commit',
    story: 'EndTxn answers UNKNOWN_SERVER_ERROR, and the commit is reported as done (franz-go).',
    file: `${folder}/transaction-coordinator.ts`,
    original: 'this.#check(answer.errorCode, `EndTxn (${outcome})`)',
    replacement:
      'if (answer.errorCode !== -1) this.#check(answer.errorCode, `EndTxn (${outcome})`)',
    caughtBy: `${folder}/lost-answers.test.ts`,
    test: 'EndTxn with UNKNOWN_SERVER_ERROR',
  },
  {
    name: 'unknown-commit-is-aborted',
    story:
      'A commit that was not answered is followed by an abort: the producer says aborted, readers see the records.',
    file: `${folder}/end-verdict.ts`,
    original: "return wasAsked ? 'unknown' : 'not-asked'",
    replacement: "return wasAsked ? 'not-committed' : 'not-asked'",
    caughtBy: 'test/reliability/transactional-clients.test.ts',
  },
  {
    name: 'epoch-kept-after-lost-answer',
    story:
      'After an answer was lost the next transaction has the same epoch, and what comes late joins or ends it (KAFKA-17754).',
    file: `${folder}/transaction-session.ts`,
    original: 'if (this.#version === 1) this.#renewBecause ??= reason',
    replacement: 'if (this.#version === undefined) this.#renewBecause ??= reason',
    caughtBy: `${folder}/late-requests.test.ts`,
    test: 'in transactions of version 1 a partition that is announced late',
  },
  {
    name: 'offsets-never-sent',
    story:
      'The offsets are left out of the transaction and committed after it: a crash between repeats its records (advice given for kafkajs).',
    file: `${folder}/transaction-session.ts`,
    original: 'if (offsets.length === 0) return Promise.resolve()',
    replacement: 'if (offsets.length >= 0) return Promise.resolve()',
    caughtBy: 'test/reliability/transactional-clients.test.ts',
  },
  {
    name: 'epoch-of-next-transaction-ignored',
    story:
      'EndTxn answers the epoch of the next transaction (KIP-890), and its records are written with the one before.',
    file: `${folder}/transaction-session.ts`,
    original: 'if (next !== undefined) this.#identity = next',
    replacement: 'if (next !== undefined) contents.isOpen()',
    caughtBy: `${folder}/transaction-session.test.ts`,
    test: 'transactions of version 2 has an epoch of its own',
  },
  {
    name: 'failed-record-committed',
    story:
      'A transaction is committed without the records that failed, when nobody looked at them.',
    file: `${folder}/transaction-session.ts`,
    original: `if (this.#state === 'open' || this.#state === 'committing') {
      this.#spoiledBy = error`,
    replacement: `if (this.#state === 'closed') {
      this.#spoiledBy = error`,
    caughtBy: `${folder}/transactional-producer.test.ts`,
  },
  {
    name: 'zombie-takes-over',
    story:
      'A producer asks for an identity without saying which it had: one that was fenced fences its successor.',
    file: `${folder}/transaction-coordinator.ts`,
    original: `transactionTimeoutMs: this.#transactionTimeoutMs,
          ...current,`,
    replacement: 'transactionTimeoutMs: this.#transactionTimeoutMs,',
    caughtBy: `${folder}/fencing.test.ts`,
  },
]
