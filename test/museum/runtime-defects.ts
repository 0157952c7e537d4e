import type { Defect } from './defects.ts'

const runtime = 'src/runtime'
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
    this.#offer()`,
    replacement: `    void this.#world.clock.sleep(record.valueSize % 4).then(() => {
      lanes.wait(key, delivery)
      this.#offer()
    })`,
    caughtBy: `${runtime}/partition-life.test.ts`,
    test: 'keep their order',
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
    caughtBy: `${runtime}/bookkeeping.test.ts`,
    test: 'goes on from what a commit of it said',
  },
  {
    name: 'revoked-without-draining',
    story:
      'A partition is given up while its handlers run (kafkajs): two processes work on one key.',
    file: 'src/runtime/consumer-run.ts',
    original: `      await Promise.all(runs.map((run) => run.drain(deadline.signal, revoked())))
`,
    replacement: '',
    caughtBy: `${runtime}/partition-life.test.ts`,
    test: 'may end, and is committed first',
  },
  {
    name: 'commits-what-is-lost',
    story:
      'A partition that was lost is committed on: what its next owner has committed may be taken back.',
    file: `${runtime}/commit/commits.ts`,
    original: 'this.#partitions.delete(partition)',
    replacement: '',
    caughtBy: `${runtime}/commit/commits.test.ts`,
    test: 'of a partition that was given up are not made any more',
  },
  {
    name: 'copies-taken-for-records',
    story:
      'Copies of one record in several retry topics count as several records: a few bad ones are taken for an outage, and are tried more often than they are owed.',
    file: `${runtime}/failure/failures.ts`,
    original: 'guard.failed(recordOf(delivery))',
    replacement: 'guard.failed(delivery.toString())',
    caughtBy: 'test/reliability/retries/retries.test.ts',
    test: 'keep their promise (seed 0)',
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
    caughtBy: `${runtime}/partition-life.test.ts`,
    test: 'nothing more starts',
  },
  {
    name: 'letter-not-awaited',
    story:
      'A record ends before its dead letter is acknowledged: if the letter is lost, so is the record.',
    file: 'src/runtime/dead-letter/held-writes.ts',
    original: 'await send(delivery, await write.record(), partition.gone)',
    replacement: `const letter = await write.record()
          void send(delivery, letter, partition.gone).catch(() => undefined)`,
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
    caughtBy: `${runtime}/partition-life.test.ts`,
    test: 'nothing runs before a commit',
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
    caughtBy: `${runtime}/log-cuts.test.ts`,
    test: 'is run again when the cut is seen while it is read',
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
    caughtBy: `${runtime}/running.test.ts`,
    test: 'leaves no timer behind when its consumer has ended',
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
    original: 'await send(delivery, await write.record(), partition.gone)',
    replacement: `const copy = await write.record()
          void send(delivery, copy, partition.gone).catch(() => undefined)`,
    caughtBy: retryScenarios,
    test: 'hold the partition while a copy cannot be written',
  },
  {
    name: 'metadata-that-cannot-be-read-counts-its-offset',
    story:
      'What stands beside an offset cannot be read, and the record at the offset is taken for done (Parallel Consumer 875).',
    file: `${runtime}/bookkeeping.ts`,
    original: `this.ledger = new Ledger({
      frontier,`,
    replacement: `this.ledger = new Ledger({
      frontier: state === undefined ? frontier + 1 : frontier,`,
    caughtBy: `${runtime}/bookkeeping.test.ts`,
    test: 'begins at the offset, and with nothing ended',
  },
  {
    name: 'lost-offset-goes-on-elsewhere',
    story:
      'An offset that is not there makes a group go on at another place, without a word (Parallel Consumer 894).',
    file: `${runtime}/consumer-run.ts`,
    original: "if (!isLost || this.#parts.onOffsetLost === 'stop' || !run.is('running')) {",
    replacement: "if (!isLost || !run.is('running')) {",
    caughtBy: `${runtime}/seek-and-pause.test.ts`,
    test: 'stop their partition, until an operator goes on elsewhere',
  },
  {
    name: 'failed-record-counts-as-done',
    story: 'All that was polled is committed though one of it has failed: that one is lost.',
    file: `${runtime}/partition-run.ts`,
    original: "if (resolution === 'again') this.#again(lane, delivery)",
    replacement: "if (resolution === 'again') this.#end(lane, delivery, 'done')",
    caughtBy: `${runtime}/consumer-run.test.ts`,
    test: 'tries a record again, then puts it into the dead-letter topic',
  },
  {
    name: 'thrown-error-stops-the-consumer',
    story:
      'What a handler throws at once, as JSON.parse does, ends the consumer, and nothing starts it again (kafkajs).',
    file: `${runtime}/partition-run.ts`,
    original: `this.#threw(lane ?? this.#occupy(delivery, key), delivery, error)
      return`,
    replacement: 'throw error',
    caughtBy: `${runtime}/consumer-run.test.ts`,
    test: 'tries a record again, then puts it into the dead-letter topic',
  },
  {
    name: 'event-done-before-its-handler',
    story:
      'An event is marked as done before its handler runs: when that fails, what comes again is skipped as a duplicate.',
    file: `${runtime}/steps/dedupe.ts`,
    original: 'outcome = next(delivery)',
    replacement: `void this.confirm(claim, delivery)
      outcome = next(delivery)`,
    caughtBy: `${runtime}/steps/dedupe.test.ts`,
    test: 'runs again when it was not done',
  },
  {
    name: 'claim-without-owner',
    story:
      'Who slept through the time of its claim ends the claim of somebody else, who is still at it.',
    file: 'src/store/dedupe/memory-store.ts',
    original: 'entry?.claim.generation === claim.generation && entry.claim.owner === claim.owner',
    replacement: 'entry !== undefined',
    caughtBy: `${runtime}/steps/dedupe.test.ts`,
    test: 'is done by who took it over',
  },
  {
    name: 'settled-handler-not-told',
    story:
      'Nobody hears that an asynchronous handler has settled: its event stays claimed for ever.',
    file: `${runtime}/partition-run.ts`,
    original: 'delivery.hasSettled(false, answer)',
    replacement: '',
    caughtBy: `${runtime}/steps/dedupe-scenario.test.ts`,
    test: 'are run once, whichever partitions they come in',
  },
  {
    name: 'backlog-read-into-memory',
    story:
      'While an intake waits a turn its partition is read on: a fast fetch brings the whole backlog in.',
    file: `${runtime}/intake.ts`,
    original: 'if (this.#parts.input.hasMore) this.setFull(true)',
    replacement: '',
    caughtBy: `${runtime}/intake.test.ts`,
    test: 'has no more read than it takes',
  },
  {
    name: 'survivors-of-a-batch-run-last',
    story: 'What comes out of a failed batch is put behind the later records of its key.',
    file: `${runtime}/lanes/lane.ts`,
    original: 'this.#waiting.unshift(back)',
    replacement: 'for (const delivery of back) this.#waiting.push(delivery)',
    caughtBy: `${runtime}/lanes/lane-table.test.ts`,
    test: 'puts what comes out of a batch before the later records',
  },
  {
    name: 'key-in-two-batches',
    story: 'A later record of a key joins another batch while earlier ones are in one.',
    file: `${runtime}/lanes/lane.ts`,
    original: 'return !this.isShared || (this.#back === undefined && this.#batch === batch)',
    replacement: 'return true',
    caughtBy: `${runtime}/lanes/lane-table.test.ts`,
    test: 'lets a later record into no other batch',
  },
  {
    name: 'failed-batch-counts-as-done',
    story: 'What the handler of a batch had not marked when it failed counts as done, and is lost.',
    file: `${runtime}/batch/marks.ts`,
    original: "const verdict = said ?? (isWhole ? 'done' : 'again')",
    replacement: "const verdict = said ?? 'done'",
    caughtBy: `${runtime}/batch/marks.test.ts`,
    test: 'one that throws leaves all to run again',
  },
  {
    name: 'cut-log-believed',
    story:
      'What was committed as ended above an offset is believed though the log was cut below it: other records are there now, and never run.',
    file: `${runtime}/log-cuts.ts`,
    original: 'return end.endOffset >= 0 && end.endOffset <= named',
    replacement: 'return named < 0',
    caughtBy: `${runtime}/log-cuts.test.ts`,
    test: 'is not believed when the log ends below the highest of it',
  },
]
