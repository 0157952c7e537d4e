import type { Defect } from './defects.ts'

const runtime = 'src/runtime'
const transaction = 'src/transaction'

/** Mistakes of commits by transactions, put into ours. */
export const exactlyOnceDefects: readonly Defect[] = [
  {
    name: 'ended-while-committing-dropped',
    story:
      'A commit that was acknowledged is taken to contain what ended while it was on its way: that is never written.',
    file: `${runtime}/commit/partition-outputs.ts`,
    original: 'committed: () => this.#settle(count, true)',
    replacement: 'committed: () => this.#settle(this.#waiting.length, true)',
    caughtBy: `${runtime}/commit/partition-outputs.test.ts`,
    test: 'keeps what ends while a commit is on its way',
  },
  {
    name: 'outputs-of-a-failed-attempt',
    story:
      'What an attempt sent before it failed is written together with what the next one sends.',
    file: `${runtime}/delivery.ts`,
    original: `this.attempt = attempt
    this.#now = undefined`,
    replacement: `this.attempt = attempt
    if (this.#now !== undefined) this.#now.run = undefined`,
    caughtBy: `${runtime}/commit/partition-outputs.test.ts`,
    test: 'is nothing of an attempt that failed',
  },
  {
    name: 'event-done-before-its-commit',
    story:
      'An event counts as done before the commit that writes its outputs: when there is none, it is a duplicate of nothing.',
    file: `${runtime}/steps/dedupe.ts`,
    original: 'return this.#parts.isExactlyOnce &&',
    replacement: 'return false &&',
    caughtBy: `${runtime}/steps/dedupe.test.ts`,
    test: 'is done when a commit says so',
  },
  {
    name: 'generation-asked-for-late',
    story:
      'The generation of a commit is asked for when it is sent: who has lost the partition meanwhile commits it as if it had it.',
    file: `${transaction}/transactional-commits.ts`,
    original: 'transaction.sendOffsets(group, commits)',
    replacement: 'transaction.sendOffsets(this.#parts.source.groupMetadata(), commits)',
    caughtBy: `${transaction}/transactional-commits.test.ts`,
    test: 'are those of the generation in which it was decided',
  },
  {
    name: 'offsets-read-before-the-outcome',
    story:
      'A member that was out of its group for a moment and is back in the same generation reads its offsets while its last commit is on its way: that commit counts all the same, and its records run again.',
    file: `${runtime}/consumer-run.ts`,
    original: 'await this.#commits.decided()',
    replacement: '',
    caughtBy: `${transaction}/late-commit-scenario.test.ts`,
  },
  {
    name: 'predecessor-left-open',
    story:
      'A process takes its transactional id over with its first commit alone: until then it waits for the offsets of the one that died under the same id, which nobody ends.',
    file: `${transaction}/transactional-commits.ts`,
    original: 'await this.#sink.transaction(() => Promise.resolve())',
    replacement: 'await Promise.resolve()',
    caughtBy: `${transaction}/predecessor-scenario.test.ts`,
  },
  {
    name: 'close-waits-for-answers',
    story:
      'A producer that is closed waits for the answers to what is on its way, whatever time it was given: where brokers are gone a service does not end.',
    file: 'src/client/producer/transaction/transactional-producer.ts',
    original: 'Promise.race([this.#abortOpen(), timeIsOver])',
    replacement: 'this.#abortOpen()',
    caughtBy: 'test/scenario/without-broker.test.ts',
    test: 'ends by its deadline: exactly-once',
  },
  {
    name: 'clean-without-a-commit',
    story:
      'A service whose last commit could not be made ends as if all of it were committed: whoever reads its exit code believes that.',
    file: `${runtime}/consumer-run.ts`,
    original: 'this.#owesCommit ||= runs.some((run) => run.hasUncommitted)',
    replacement: 'void runs',
    caughtBy: 'test/scenario/without-broker.test.ts',
    test: 'ends by its deadline: records',
  },
  {
    name: 'shared-id-forgotten-by-a-commit',
    story:
      'Two processes with one transactional id take it from each other for ever: a commit that goes well in between makes each forget that it was fenced.',
    file: `${transaction}/id-holders.ts`,
    original: 'if (this.#calm >= calmCommits) this.#fences = 0',
    replacement: 'this.#fences = 0',
    caughtBy: `${transaction}/shared-id-scenario.test.ts`,
  },
  {
    name: 'offset-that-stands-left-out',
    story:
      'An offset that has not moved is left out of a transaction, and with it what has ended above it: that is written twice.',
    file: `${transaction}/transactional-commits.ts`,
    original: 'transaction.sendOffsets(group, commits)',
    replacement: `transaction.sendOffsets(
        group,
        commits.filter(({ offset }) => offset !== this.last && ((this.last = offset), true)),
      )`,
    caughtBy: `${transaction}/transactional-commits.test.ts`,
    test: 'name what has ended above an offset that has not moved',
  },
]
