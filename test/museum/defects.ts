import { consumerDefects } from './consumer-defects.ts'
import { exactlyOnceDefects } from './exactly-once-defects.ts'
import { producerDefects } from './producer-defects.ts'
import { runtimeDefects } from './runtime-defects.ts'
import { streamDefects } from './stream-defects.ts'
import { transactionDefects } from './transaction-defects.ts'

/** A mistake, as a replacement in one source file, and the suite that must notice it. */
export interface Defect {
  readonly name: string
  /** What goes wrong with it, and where it was seen. */
  readonly story: string
  readonly file: string
  /** Words that occur once in the file. */
  readonly original: string
  readonly replacement: string
  /** The test file, and where one test is meant words of its name. */
  readonly caughtBy: string
  readonly test?: string
}

export const defects: readonly Defect[] = [
  {
    name: 'duplicate-appended-again',
    story:
      'A retry of a batch that the log has is appended once more, as before idempotence (KIP-98).',
    file: 'src/broker/log/admission.ts',
    original: 'const isIdempotent = batch.producerId >= 0',
    replacement: 'const isIdempotent = batch.isTransactional',
    caughtBy: 'src/broker/log/admission.test.ts',
    test: 'of a duplicate',
  },
  {
    name: 'sequence-does-not-wrap',
    story: 'After 2,147,483,647 a producer goes on with 0; who counts on refuses it for ever.',
    file: 'src/broker/log/producer-entry.ts',
    original: 'return sum > sequenceMax ? sum - sequenceMax - 1 : sum',
    replacement: 'return sum',
    caughtBy: 'src/broker/log/producers.test.ts',
  },
  {
    name: 'zombie-epoch-accepted',
    story: 'A producer that was fenced goes on writing: its epoch is not compared.',
    file: 'src/broker/log/producers.ts',
    original: 'if (batch.producerEpoch < entry.epoch) return staleEpoch(batch, entry)',
    replacement: '',
    caughtBy: 'src/broker/log/producers.test.ts',
  },
  {
    name: 'late-marker-ends-next-transaction',
    story:
      'A marker that comes late ends the transaction after the one it was meant for (KIP-890, KIP-1228).',
    file: 'src/broker/log/producers.ts',
    original: '(transactionsVersion >= 2 && repeats)',
    replacement: 'false',
    caughtBy: 'src/broker/log/producers.test.ts',
  },
  {
    name: 'late-end-hits-next-transaction',
    story:
      'EndTxn of the epoch before the current one commits or aborts the next transaction (KIP-890; seen by Jepsen in Kafka).',
    file: 'src/broker/transaction/end-transaction.ts',
    original: `const again = crossed || (metadata.version >= 2 && producerEpoch === request.producerEpoch + 1)
  if (!epochFits(state, again, producerEpoch === request.producerEpoch)) {`,
    replacement: `const again = crossed
  if (producerEpoch < request.producerEpoch) {`,
    caughtBy: 'src/broker/transaction/end-transaction.test.ts',
  },
  {
    name: 'marker-before-decision',
    story:
      'Markers are written before the decision is durable: a crash commits a transaction in one partition and aborts it in another.',
    file: 'src/broker/transaction/coordinator.ts',
    original: 'const outcome = await loaded.append([record])',
    replacement: `if (isPrepared(next.state)) this.#complete(loaded, transaction, next)
    const outcome = await loaded.append([record])`,
    caughtBy: 'src/broker/transaction/completion.test.ts',
  },
  {
    name: 'aborted-transactions-unsorted',
    story:
      'The list of aborted transactions comes in the order of markers; readers that step through it return aborted records (franz-go with Redpanda).',
    file: 'src/broker/log/transactions.ts',
    original: 'return found.sort((one, other) => one.firstOffset - other.firstOffset)',
    replacement: 'return found',
    caughtBy: 'src/broker/log/transactions.test.ts',
  },
  {
    name: 'last-stable-offset-ignored',
    story: 'A reader of committed data is given records of an open transaction.',
    file: 'src/broker/log/partition-log.ts',
    original: "return isolation === 'committed' ? this.lastStableOffset : this.#highWatermark",
    replacement: 'return this.#highWatermark',
    caughtBy: 'src/broker/log/partition-log.test.ts',
  },
  {
    name: 'high-watermark-before-sync',
    story:
      'Readers see records before they are durable, and a power failure takes back what was read.',
    file: 'src/broker/log/partition-log.ts',
    original: `if (this.#commit === undefined) this.#moveHighWatermark(this.logEndOffset)
    return undefined`,
    replacement: `this.#moveHighWatermark(this.logEndOffset)
    return undefined`,
    caughtBy: 'src/broker/log/log-crash.test.ts',
  },
  {
    name: 'failed-sync-forgotten',
    story:
      'After a sync that failed the next one succeeds without the lost pages, and the log acknowledges them (the fsync error of PostgreSQL).',
    file: 'src/broker/log/group-commit.ts',
    original: `this.#failure = error
    this.#log.syncFailed(error)
    round.reject(error)
    this.#waiting?.reject(error)
    this.#waiting = undefined
`,
    replacement: `    round.reject(error)
`,
    caughtBy: 'src/broker/log/group-commit.test.ts',
  },
  {
    name: 'recovery-keeps-bad-checksum',
    story:
      'A batch that was half written before a power failure is kept, because its length is right.',
    file: 'src/broker/log/log-recovery.ts',
    original: 'if (!batch.isCrcValid())',
    replacement: 'if (batch.magic > 2)',
    caughtBy: 'src/broker/log/log-recovery.test.ts',
    test: 'recovery cuts at the first batch with a wrong CRC',
  },
  {
    name: 'stable-fetch-ignored',
    story:
      'OffsetFetch does not look at require_stable: a consumer starts at an offset that a transaction is about to replace, and work is done twice (a client sent false).',
    file: 'src/broker/group/offset/fetch.ts',
    original: 'requireStable && state.offsets.isPending(groupId, name, index)',
    replacement: 'false',
    caughtBy: 'src/broker/group/offset/offsets.test.ts',
  },
  {
    name: 'transactional-commit-without-generation',
    story:
      'TxnOffsetCommit of a member that lost its partitions is taken (kafkajs sends no generation, KIP-447).',
    file: 'src/broker/group/offset/commit.ts',
    original: 'if (generation !== group.generation) {',
    replacement: 'if (!transactional && generation !== group.generation) {',
    caughtBy: 'src/broker/group/offset/offsets.test.ts',
  },
  {
    name: 'commit-order-by-marker',
    story:
      'A commit marker replaces an offset that was committed plainly after the transactional one; compaction and replay then disagree (Redpanda 31483).',
    file: 'src/broker/group/offset/offset-store.ts',
    original: 'const newer = existing === undefined || offset.recordOffset > existing.recordOffset',
    replacement: 'const newer = existing !== offset',
    caughtBy: 'src/broker/group/offset/offsets.test.ts',
  },
  {
    name: 'pending-offset-expired',
    story:
      'Retention removes an offset that an open transaction is about to replace, and the group starts anew.',
    file: 'src/broker/group/offset/remove.ts',
    original: `!offsets.isPending(groupId, topic, index) &&
      `,
    replacement: '',
    caughtBy: 'src/broker/group/offset/offsets.test.ts',
  },
  {
    name: 'joining-member-expired',
    story:
      'The session of a member ends while its JoinGroup is held back: it cannot send heartbeats then, and a slow rebalance never ends.',
    file: 'src/broker/group/classic/rebalance.ts',
    original: 'member === undefined || group.needsNoHeartbeat(member)',
    replacement: 'member === undefined',
    caughtBy: 'src/broker/group/classic/classic-group.test.ts',
  },
  {
    name: 'two-owners',
    story:
      'A partition is given to its next owner before the last one has released it (KIP-848; a rejoining member in franz-go).',
    file: 'src/broker/group/consumer/reconcile.ts',
    original: 'filterPartitions(missing, (...of) => !target.isOwned(...of))',
    replacement: 'missing',
    caughtBy: 'src/broker/group/consumer/consumer-group.property.test.ts',
  },
  {
    name: 'responses-out-of-order',
    story:
      'A response leaves when it is ready, not when it is due; clients match responses by their order.',
    file: 'src/broker/server/connection.ts',
    original: `const slot = this.#slots[0]
      if (slot?.reply === undefined) break
      this.#slots.shift()`,
    replacement: `const at = this.#slots.findIndex((one) => one.reply !== undefined)
      const slot = this.#slots[at]
      if (slot?.reply === undefined) break
      this.#slots.splice(at, 1)`,
    caughtBy: 'src/broker/server/connection.test.ts',
  },
  {
    name: 'scram-nonce-unchecked',
    story:
      'The final message of SCRAM may carry any nonce, so that one can be replayed (CVE-2024-56128).',
    file: 'src/broker/security/scram.ts',
    original: 'if (nonce !== challenge.nonce)',
    replacement: 'if (nonce === undefined)',
    caughtBy: 'src/broker/security/sasl.test.ts',
  },
  {
    name: 'array-length-believed',
    story:
      'Memory is taken for the length that an array declares, before anybody looks at what is there.',
    file: 'src/protocol/wire/struct-codec.ts',
    original: 'if (length * element.bytesMin > reader.remaining) {',
    replacement: 'if (length > 0x7fff_ffff) {',
    caughtBy: 'src/protocol/wire/message.test.ts',
  },
  {
    name: 'frame-length-believed',
    story:
      'A frame of any size is waited for: four bytes of a stranger (an HTTP request) hold a gigabyte.',
    file: 'src/protocol/wire/frame-reader.ts',
    original: 'if (size >= 0 && size <= this.#frameBytesMax) return size',
    replacement: 'if (size >= 0) return size',
    caughtBy: 'src/protocol/wire/frame-reader.test.ts',
  },
  {
    name: 'decompression-unbounded',
    story: 'A compressed batch of a kilobyte becomes as many gigabytes as its sender likes.',
    file: 'src/protocol/compression/gzip.ts',
    original: '{ maxOutputLength: Math.max(outputBytesMax, 1) }',
    replacement: '{ level: 1 }',
    caughtBy: 'src/protocol/compression/compression.test.ts',
  },
  ...consumerDefects,
  ...producerDefects,
  ...runtimeDefects,
  ...exactlyOnceDefects,
  ...streamDefects,
  ...transactionDefects,
]
