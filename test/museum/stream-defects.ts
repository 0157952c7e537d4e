import type { Defect } from './defects.ts'

const run = 'src/stream/run'
const task = 'src/stream/task'

/** Mistakes of joins, tables and their state, put into ours. */
export const streamDefects: readonly Defect[] = [
  {
    name: 'offsets-of-an-input-that-stands-left-out',
    story:
      'What is committed of a task names the inputs alone that moved: whoever has lost the other is not fenced by it.',
    file: `${run}/task-run.ts`,
    original: 'return run.topics.map((topic, input) => {',
    replacement: `const moved = run.topics.filter((_, input) => positions[input] !== undefined)
  return moved.map((topic, input) => {`,
    caughtBy: `${run}/work-commits.test.ts`,
    test: 'offsets of all inputs',
  },
  {
    name: 'store-before-the-transaction',
    story:
      'The local store is written before the transaction: when that is aborted, the state has what never happened.',
    file: `${run}/work-commits.ts`,
    original: 'results = await strategy.commit(commits, {})',
    replacement: `for (const { run } of pending) await run.settle(undefined, 0)
      results = await strategy.commit(commits, {})`,
    caughtBy: `${run}/work-commits.test.ts`,
    test: 'is in the store when it is committed, and not before',
  },
  {
    name: 'commit-given-up-by-who-waits',
    story:
      'A task that has to be given up ends the wait for the commit that all tasks share: what the others had in it is committed twice.',
    file: `${run}/work-commits.ts`,
    original: 'return within(signal, current)',
    replacement: `signal?.addEventListener('abort', () => (this.#current = undefined))
    signal?.addEventListener('abort', () => this.changed())
    return within(signal, current)`,
    caughtBy: `${run}/work-commits.test.ts`,
    test: 'is committed once',
  },
  {
    name: 'checkpoint-ahead-of-its-log',
    story:
      'A local state of an offset that the changelog does not have is trusted: it is of another log, or of one that was cut off.',
    file: `${run}/changelog.ts`,
    original: 'if (offset > end) return',
    replacement: 'if (false) return',
    caughtBy: `${run}/changelog.test.ts`,
    test: 'trusts no checkpoint that is ahead',
  },
  {
    name: 'restored-to-the-stable-end',
    story:
      'A task is restored to what is decided now, while the transaction of its former owner is about to be: its offsets count, its state is missing.',
    file: `${run}/changelog.ts`,
    original: "driver.reader({ offsetReset: 'none', isolation: 'read_uncommitted' })",
    replacement: "driver.reader({ offsetReset: 'none' })",
    caughtBy: `${run}/changelog.test.ts`,
    test: 'is waited for until what is open',
  },
  {
    name: 'index-by-time-not-restored',
    story: 'What finds entries by their time is not made anew: nothing restored ever ends.',
    file: `${run}/changelog.ts`,
    original: 'if (due !== undefined) changes.push(',
    replacement: 'if (due === -1) changes.push(',
    caughtBy: `${run}/changelog.test.ts`,
    test: 'what finds its entries by time',
  },
  {
    name: 'uncommitted-changes-in-the-store',
    story:
      'What is to be committed is in the store already: after a loss the next owner, or a reader, sees what never was.',
    file: 'src/stream/state/task-state.ts',
    original: 'this.#sealed = this.#made',
    replacement: `const nowhere = { offset: 0, leaderEpoch: -1, topicId: '', timestamp: 0 }
    void this.#store.commit(this.#made, nowhere)
    this.#sealed = this.#made`,
    caughtBy: `${run}/work-commits.test.ts`,
    test: 'is made again with the same content',
  },
  {
    name: 'time-lowered-by-a-restart',
    story: 'The time of a task begins anew with its process: what was late is joined after all.',
    file: `${task}/task-time.ts`,
    original: 'this.#joinTime = facts?.joinTime ?? noTime',
    replacement: 'this.#joinTime = noTime',
    caughtBy: `${task}/stream-task.test.ts`,
    test: 'is what it was after a restart',
  },
  {
    name: 'advances-by-the-clock-not-told',
    story:
      'The journal has no advances by the clock: nobody can say later why something was late, and a restart forgets them.',
    file: `${task}/stream-task.ts`,
    original: 'if (isThere) this.#journal.advanced(time)',
    replacement: '',
    caughtBy: `${task}/stream-task.test.ts`,
    test: 'is what it was after a restart',
  },
  {
    name: 'duplicate-resets-its-match',
    story: 'An order that comes again takes the place of the first one, and is matched once more.',
    file: 'src/stream/operator/join.ts',
    original: 'if (isSame || unique[side]) {',
    replacement: `if (unique[side]) return { entry, idHash, fingerprint }
      if (isSame) {`,
    caughtBy: `${task}/stream-task.test.ts`,
    test: 'when an order comes again',
  },
  {
    name: 'met-before-the-time-moved',
    story:
      'A record is looked at before the time moves by it: it meets what had ended with its own time.',
    file: `${task}/stream-task.ts`,
    original: 'if (time !== atOnce && !this.#moveTime(',
    replacement: 'if (time === Infinity && !this.#moveTime(',
    caughtBy: `${task}/stream-task.test.ts`,
    test: 'when the time has moved by it',
  },
  {
    name: 'ended-at-the-time-that-was-jumped-to',
    story:
      'What comes alone is told at the time to which a record has jumped, and not when it was due: the windows that were open then have closed.',
    file: `${task}/stream-task.ts`,
    original: 'this.#time.moveTo(due.time + 1)',
    replacement: 'this.#time.moveTo(time)',
    caughtBy: `${task}/stream-task.test.ts`,
    test: 'has what comes alone in its window',
  },
  {
    name: 'journal-without-bounds',
    story:
      'The record of the time grows with what is worked between two commits, until the changelog takes it no more: no commit goes well again.',
    file: `${task}/time-journal.ts`,
    original: 'return this.#steps.length >= this.#stepsMax',
    replacement: 'return this.#steps.length >= 1_000',
    caughtBy: `${task}/time-journal.test.ts`,
  },
  {
    name: 'idle-while-it-stood-still',
    story:
      'A process that stood still takes that time for idleness of its inputs: what came meanwhile is late.',
    file: `${run}/watched-time.ts`,
    original: 'Math.min(nowMs - this.#lookedAtMs, gapMsMax)',
    replacement: 'nowMs - this.#lookedAtMs',
    caughtBy: `${run}/watched-time.test.ts`,
  },
]
