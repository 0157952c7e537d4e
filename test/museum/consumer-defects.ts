import type { Defect } from './defects.ts'

const folder = 'src/client/consumer'
const chunks = `${folder}/fetched-chunk.test.ts`
const inGroup = `${folder}/consumer-group.test.ts`
const commits = `${folder}/group/commit-queue.test.ts`
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
    name: 'commit-repeated-for-what-was-lost',
    story:
      'A commit that is refused is made again in the next generation, for a partition that was another member’s meanwhile (platformatic): its offset goes back.',
    file: `${folder}/group/commit-queue.ts`,
    original: 'if (this.#authority.hold(offset) === hold) continue',
    replacement: 'if (hold > 0 || hold <= 0) continue',
    caughtBy: commits,
    test: 'are never made again',
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
    original: 'return (hash & 0x7fff_ffff) % partitionCount',
    replacement: 'return (hash >>> 0) % partitionCount',
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
]
