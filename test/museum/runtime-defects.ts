import type { Defect } from './defects.ts'

const worlds = 'test/reliability/runtime/runtime.test.ts'
const retryScenarios = 'src/runtime/retry/retry-topics-scenario.test.ts'

/** Mistakes of consumer runtimes, put into ours: a witness in the simulated world must see each. */
export const runtimeDefects: readonly Defect[] = [
  {
    name: 'commit-passes-open-records',
    story:
      'What was read last is committed though earlier records are still being handled (parallel-consumer, verikt): a crash loses them.',
    file: 'src/runtime/bookkeeping.ts',
    original: `const state = ledger.state()
`,
    replacement: `const state = { ...ledger.state(), frontier: ledger.nextOffset, endedAbove: new Uint8Array(0) }
`,
    caughtBy: worlds,
    test: 'keeps its promises',
  },
  {
    name: 'lane-added-after-a-wait',
    story:
      'Something asynchronous happens before a record is put into its lane: a later record of its key overtakes it.',
    file: 'src/runtime/partition-run.ts',
    original: `    lanes.wait(key, delivery)
    this.#waitingBytes += record.sizeInBytes
    this.#offer()`,
    replacement: `    this.#waitingBytes += record.sizeInBytes
    void this.#world.clock.sleep(record.valueSize % 4).then(() => {
      lanes.wait(key, delivery)
      this.#offer()
    })`,
    caughtBy: worlds,
    test: 'keeps its promises',
  },
  {
    name: 'attempts-not-awaited',
    story:
      'The next attempt starts before a commit names the last one: a record that fails and crashes is tried for ever.',
    file: 'src/runtime/failure/failures.ts',
    original:
      'await Promise.all([partition.acknowledged(), clock.sleep(pauseMs, partition.leaving)])',
    replacement: 'await clock.sleep(pauseMs, partition.leaving)',
    caughtBy: worlds,
    test: 'keeps its promises',
  },
  {
    name: 'ended-above-ignored',
    story: 'What a commit names as ended above its offset is not used: every restart repeats it.',
    file: 'src/runtime/bookkeeping.ts',
    original: '{ endedAbove: state.endedAbove, attempts',
    replacement: '{ endedAbove: new Uint8Array(0), attempts',
    caughtBy: worlds,
    test: 'keeps its promises',
  },
  {
    name: 'revoked-without-draining',
    story:
      'A partition is given up while its handlers run (kafkajs): two processes work on one key.',
    file: 'src/runtime/consumer-run.ts',
    original: `      await Promise.all(runs.map((run) => run.drain(deadline.signal, revoked())))
`,
    replacement: '',
    caughtBy: worlds,
    test: 'repeats nothing',
  },
  {
    name: 'commits-what-is-lost',
    story:
      'A partition that was lost is committed on: what its next owner has committed may be taken back.',
    file: 'src/runtime/consumer-run.ts',
    original: `    for (const run of runs) {
      this.#commits.remove(run)
`,
    replacement: `    for (const run of runs) {
`,
    caughtBy: worlds,
    test: 'keeps its promises',
  },
  {
    name: 'starts-while-draining',
    story:
      'Records start while their partition is being given up: the drain never ends, or they run twice.',
    file: 'src/runtime/partition-run.ts',
    original: `    this.#state = 'draining'
    this.#dropWaiting()
`,
    replacement: '',
    caughtBy: worlds,
    test: 'keeps its promises',
  },
  {
    name: 'letter-not-awaited',
    story:
      'A record ends before its dead letter is acknowledged: if the letter is lost, so is the record.',
    file: 'src/runtime/dead-letter/held-writes.ts',
    original: `          await sinkFor(delivery).send(await write.record(), { signal: partition.gone })
`,
    replacement: `          const letter = await write.record()
          void sinkFor(delivery).send(letter, { signal: partition.gone }).catch(() => undefined)
`,
    caughtBy: worlds,
    test: 'keeps its promises',
  },
  {
    name: 'claim-not-awaited',
    story:
      'Records run before a commit says whose the partition is: a death is not seen, and a record that kills is never found.',
    file: 'src/runtime/consumer-run.ts',
    original: `      await this.#commits.acknowledged(run)
`,
    replacement: `      void this.#commits.acknowledged(run).catch(() => undefined)
`,
    caughtBy: worlds,
    test: 'keeps its promises',
  },
  {
    name: 'bad-record-ends-outage',
    story:
      'A record that cannot be decoded is taken for a sign that an outage is over: failures count as attempts again.',
    file: 'src/runtime/failure/failures.ts',
    original: 'if (error instanceof DecodeError) guard.probeEnded()',
    replacement: 'if (error instanceof DecodeError) guard.succeeded()',
    caughtBy: worlds,
    test: 'dead-letters nothing',
  },
  {
    name: 'key-forgotten-with-its-partition',
    story:
      'A partition comes back while a handler of it still runs, and its key is not kept closed (kafkajs): two handlers of one key in one process.',
    file: 'src/runtime/consumer-run.ts',
    original: `    for (const delivery of this.#unsettled.get(key) ?? []) run.holdKey(delivery)
`,
    replacement: '',
    caughtBy: worlds,
    test: 'keeps its promises',
  },
  {
    name: 'suspect-start-not-committed',
    story:
      'A suspect record runs before a commit says that it starts: nobody ever knows which one kills.',
    file: 'src/runtime/suspect-run.ts',
    original: `      await this.#partition.acknowledged()
      if (this.#isLeaving() || !mark`,
    replacement: '      if (this.#isLeaving() || !mark',
    caughtBy: worlds,
    test: 'finds what kills',
  },
  {
    name: 'timers-outlive-the-consumer',
    story:
      'A consumer that was closed leaves a timer behind: its process does not end, or what ends it comes too late.',
    file: 'src/runtime/running.ts',
    original: `    for (const { timer } of this.#timedOut.values()) timer.cancel()
`,
    replacement: '',
    caughtBy: worlds,
    test: 'keeps its promises',
  },
  {
    name: 'retry-topic-begun-at-its-end',
    story:
      'A group begins to read its retry topic where it begins to read all else: copies that were there first are passed over.',
    file: 'src/runtime/assemble.ts',
    original: "(retryTopics?.get(topic) === undefined ? settings.start : 'earliest')",
    replacement: '(topic === undefined ? retryTopics && settings.start : settings.start)',
    caughtBy: retryScenarios,
    test: 'let no header choose',
  },
  {
    name: 'copy-read-before-its-time',
    story: 'What waits in a retry topic is read as soon as it is there: the wait is none.',
    file: 'src/runtime/retry/not-before-source.ts',
    original: 'return leftMs <= 0 ? 0 : Math.max(Math.min(leftMs, delayMs), waitMsMin)',
    replacement: 'return leftMs <= 0 || delayMs >= waitMsMin ? 0 : leftMs',
    caughtBy: retryScenarios,
    test: 'each before its time not at all',
  },
  {
    name: 'copy-made-up-for-ever',
    story:
      'A header that somebody made up says when a copy is read: it holds its partition for ever.',
    file: 'src/runtime/retry/not-before-source.ts',
    original: 'Math.max(Math.min(leftMs, delayMs), waitMsMin)',
    replacement: 'Math.max(Math.min(leftMs, delayMs * 1e6), waitMsMin)',
    caughtBy: retryScenarios,
    test: 'let no header choose',
  },
  {
    name: 'copy-not-awaited',
    story:
      'A record ends before its copy is acknowledged: where the broker refuses the copy, the record is lost.',
    file: 'src/runtime/dead-letter/held-writes.ts',
    original: `          await sinkFor(delivery).send(await write.record(), { signal: partition.gone })
`,
    replacement: `          const copy = await write.record()
          void sinkFor(delivery).send(copy, { signal: partition.gone }).catch(() => undefined)
`,
    caughtBy: retryScenarios,
    test: 'hold the partition while a copy cannot be written',
  },
]
