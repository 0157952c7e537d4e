import type { Defect } from './defects.ts'

const folder = 'src/client/consumer'
const chunks = `${folder}/fetched-chunk.test.ts`
const inGroup = `${folder}/consumer-group.test.ts`
const commits = `${folder}/group/commit-queue.test.ts`
const fetchFailures = `${folder}/fetch-failures.test.ts`
const waiting = `${folder}/waiting.test.ts`
const contents = 'src/client/producer/producer-contents.test.ts'

/** Mistakes of consumers, and of what clients make of a record, put into ours. */
export const consumerDefects: readonly Defect[] = [
  {
    name: 'unstable-offsets-taken-for-none',
    story:
      'Offsets that a pending transaction may replace are not waited for (platformatic): what it has done is done again.',
    file: `${folder}/group/read-offsets.ts`,
    original: 'missing = unstable\n',
    replacement: 'missing = []\n',
    caughtBy: commits,
    test: 'are waited for while',
  },
  {
    name: 'stable-offsets-not-asked-for',
    story:
      'Committed offsets are read without require_stable (platformatic): one that an open transaction is about to replace is the start.',
    file: `${folder}/group/offset-messages.ts`,
    original: 'groups: [{ groupId, topics }], requireStable: true }',
    replacement: 'groups: [{ groupId, topics }], requireStable: false }',
    caughtBy: commits,
    test: 'are waited for while',
  },
  {
    name: 'aborted-list-believed-sorted',
    story:
      'The list of aborted transactions is stepped through as it comes; a broker that sorts it otherwise has aborted records read (franz-go with Redpanda, kafkajs).',
    file: `${folder}/aborted-transactions.ts`,
    original: 'for (const starts of this.#starts.values()) starts.sort((a, b) => a - b)',
    replacement: '',
    caughtBy: chunks,
    test: 'sees exactly',
  },
  {
    name: 'abort-known-from-its-first-record-only',
    story:
      'A transaction that began before the fetch is not seen as aborted: its other records are read (kafkajs, platformatic).',
    file: `${folder}/aborted-transactions.ts`,
    original: 'first <= batch.baseOffset',
    replacement: 'first === batch.baseOffset',
    caughtBy: chunks,
    test: 'knows an aborted transaction',
  },
  {
    name: 'second-marker-ends-next-transaction',
    story:
      'Each marker takes the next aborted transaction off the list: with a marker too many the next one is read (franz-go).',
    file: `${folder}/aborted-transactions.ts`,
    original: 'while ((starts[0] ?? Infinity) < marker.offset) starts.shift()',
    replacement: 'starts.shift()',
    caughtBy: chunks,
    test: 'sees exactly',
  },
  {
    name: 'key-of-user-taken-for-marker',
    story:
      'Markers are known by their four bytes of key: a record of a user with such a key ends an aborted transaction, and what it wrote after it is read.',
    file: `${folder}/fetched-chunk.ts`,
    original: 'if (batch.isControl) this.#aborted.passControlBatch(batch)',
    replacement: `const key = batch.records(this.#options.decompressedBytesMax).next()?.key
    if (key?.length === 4) this.#aborted.passControlBatch(batch)`,
    caughtBy: chunks,
    test: 'looks like a marker',
  },
  {
    name: 'position-stays-before-markers',
    story:
      'The position is not moved past what is no record: a group at the end of its partition seems behind for ever (parallel-consumer, kafkajs).',
    file: `${folder}/fetched-chunk.ts`,
    original: `    this.#moveTo(batch.nextOffset, batch)
  }`,
    replacement: `    if (!batch.isControl) this.#moveTo(batch.nextOffset, batch)
  }`,
    caughtBy: chunks,
  },
  {
    name: 'offset-lookup-undoes-seek',
    story:
      'An offset that was being looked up wins over a seek that was made meanwhile (franz-go): what was aborted is passed over.',
    file: `${folder}/position-finder.ts`,
    original:
      'const current = searches.filter(({ state, generation }) => state.generation === generation)',
    replacement: `const current = searches.map((search) =>
      Object.assign(search, { generation: search.state.generation }),
    )`,
    caughtBy: `${folder}/seek.test.ts`,
    test: 'wins over an offset',
  },
  {
    name: 'epoch-that-is-not-known-compared',
    story:
      'A position without a leader epoch is compared with the new leader all the same, no broker knows the epoch, and the position is reset (KAFKA-20507).',
    file: `${folder}/broker-fetch.ts`,
    original: 'if (!isChecked && fetchPosition.leaderEpoch >= 0) {',
    replacement: 'if (!isChecked) {',
    caughtBy: fetchFailures,
    test: 'no reason for a reset',
  },
  {
    name: 'pause-drops-what-was-fetched',
    story:
      'Pausing a partition throws away what was fetched of it (librdkafka): who pauses often fetches the same records for ever.',
    file: `${folder}/consumer.ts`,
    original: `      state.paused = paused
`,
    replacement: `      state.paused = paused
      state.dropBuffered()
`,
    caughtBy: `${folder}/buffering.test.ts`,
    test: 'keeps what was fetched',
  },
  {
    name: 'useless-answers-asked-for-again-at-once',
    story:
      'A broker that answers at once and sends nothing is asked again at once, tens of thousands of times a second.',
    file: `${folder}/broker-fetch.ts`,
    original: 'return this.#hastyAnswers > hastyAnswersMax',
    replacement: 'return this.#hastyAnswers < 0',
    caughtBy: fetchFailures,
    test: 'and no partition is not asked without a pause',
  },
  {
    name: 'long-polls-share-a-connection',
    story:
      'All consumers of a client poll over one connection, and a broker answers its requests one after another: each waits for the polls of all others.',
    file: 'src/client/cluster/own-connections.ts',
    original: 'return `${this.#kind} ${this.#number}`',
    replacement: 'return `${this.#kind} 1`',
    caughtBy: waiting,
    test: 'another consumer',
  },
  {
    name: 'seek-waits-for-a-long-poll',
    story:
      'A partition that is sought while a long poll waits is asked for only when that has ended (Java, librdkafka: 500 ms).',
    file: `${folder}/broker-fetch.ts`,
    original: 'if (asked === undefined || this.#isAskingBeside || this.#isHasty) return',
    replacement: 'if (asked === undefined || asked.size > 0) return',
    caughtBy: waiting,
    test: 'that is sought',
  },
  {
    name: 'fenced-by-own-join',
    story:
      'A static member ends when its first join, which was not answered, arrives after the second one.',
    file: `${folder}/group/classic/instance-name.ts`,
    original: 'if (isLate) return true',
    replacement: '',
    caughtBy: `${folder}/group/classic/classic-member.test.ts`,
    test: 'takes its name back',
  },
  {
    name: 'fenced-by-a-forgetful-coordinator',
    story:
      'A static member ends when the coordinator dies between the answer to its join and the assignments of the generation, and knows when it is back only who had the name before (Java).',
    file: `${folder}/group/classic/instance-name.ts`,
    original: '!hasId || this.#isWritten',
    replacement: 'hasId || this.#isWritten',
    caughtBy: `${folder}/group/classic/classic-member.test.ts`,
    test: 'from a coordinator that has forgotten it',
  },
  {
    name: 'commit-repeated-for-what-was-lost',
    story:
      'A commit that is refused is made again in the next generation, for a partition that was another member’s meanwhile (platformatic): its offset goes back.',
    file: `${folder}/group/commit-queue.ts`,
    original: 'if (this.#isHeld(held)) continue',
    replacement: 'if (held.hold > 0 || held.hold <= 0) continue',
    caughtBy: commits,
    test: 'are never made again',
  },
  {
    name: 'late-commit-left-alone',
    story:
      'A commit that was not answered arrives after the next one (Java and all others): the group’s offset stays behind until the next commit.',
    file: `${folder}/group/commit-queue.ts`,
    original: 'this.#late.unanswered(latest.values())',
    replacement: '',
    caughtBy: commits,
    test: 'arrives late',
  },
  {
    name: 'old-claim-believed',
    story:
      'The leader believes a member that claims what it had before a rebalance that it missed: two owners (franz-go).',
    file: `${folder}/group/assignors/claims.ts`,
    original: 'if (known === undefined || generation > known.generation) {',
    replacement: 'if (known === undefined || generation < known.generation) {',
    caughtBy: `${folder}/group/assignors/assignors.test.ts`,
  },
  {
    name: 'static-member-leaves',
    story:
      'A static member says that it leaves when it is only restarted (platformatic): each deployment moves its partitions twice.',
    file: `${folder}/group/member-life.ts`,
    original: 'const stays = isStatic && this.#closing?.leave !== true',
    replacement: 'const stays = isStatic && this.#closing === undefined',
    caughtBy: `${folder}/group/classic/classic-member.test.ts`,
    test: 'keeps its partitions',
  },
  {
    name: 'revoked-without-waiting',
    story:
      'Partitions are given up while their handlers still run (platformatic): the next owner reads what is not committed yet.',
    file: `${folder}/group/member-life.ts`,
    original: 'const isInTime = await this.#calls.revoked(revoked, deadlineMs)',
    replacement: `void this.#calls.revoked(revoked, deadlineMs)
      const isInTime = true`,
    caughtBy: `${folder}/group/modern/modern-member.test.ts`,
    test: 'lets go first',
  },
  {
    name: 'commit-goes-back',
    story:
      'An offset below what is committed goes through: the group reads again what it was done with.',
    file: `${folder}/offset-commits.ts`,
    original:
      'if (options.allowBackwards !== true) for (const each of offsets) this.#checkAhead(each)',
    replacement: '',
    caughtBy: inGroup,
    test: 'never go back',
  },
  {
    name: 'partition-of-unsigned-hash',
    story:
      'The hash of a key is taken unsigned where Java drops its sign: five of twelve keys go elsewhere, and joins miss them (platformatic).',
    file: 'src/client/producer/partitioner.ts',
    original: ') & 0x7fff_ffff',
    replacement: ') >>> 0',
    caughtBy: 'src/client/producer/partitioner.test.ts',
  },
  {
    name: 'empty-value-becomes-tombstone',
    story:
      'An empty value is written as null (confluent-kafka-javascript): compaction deletes a key that was set.',
    file: 'src/client/producer/record-accumulator.ts',
    original: `    ? field
    : checkedBytes(name, field)`,
    replacement: `    ? field?.length === 0 ? null : field
    : checkedBytes(name, field)`,
    caughtBy: contents,
    test: 'arrives as it was given',
  },
  {
    name: 'repeated-headers-merged',
    story: 'Of headers with one name only the last is kept (kafkajs, platformatic with text).',
    file: 'src/client/producer/producer-record.ts',
    original: 'return pairs.map(([key, value]) => {',
    replacement: 'return [...new Map(pairs)].map(([key, value]) => {',
    caughtBy: contents,
    test: 'arrives as it was given',
  },
  {
    name: 'null-header-dropped',
    story:
      'A header without a value is left out, and the record is sent all the same (confluent-kafka-javascript).',
    file: 'src/client/producer/producer-record.ts',
    original: 'return pairs.map(([key, value]) => {',
    replacement: 'return pairs.filter(([, value]) => value !== null).map(([key, value]) => {',
    caughtBy: contents,
    test: 'arrives as it was given',
  },
  {
    name: 'negative-batch-length-believed',
    story:
      'A batch says that it has fewer bytes than none, and the reader steps back, or fails otherwise than it should (franz-go).',
    file: 'src/protocol/records/record-batch.ts',
    original: 'if (size < batchHeaderBytes) throw malformed(position, `has ${size} bytes`)',
    replacement: '',
    caughtBy: 'src/protocol/records/record-batches.test.ts',
    test: 'refuses what is not a batch',
  },
]
