import { array, bytes, int32, list, string } from '../wire/field.ts'
import { Message } from '../wire/message.ts'
import { Reader } from '../wire/reader.ts'

/** What a consumer sends with JoinGroup: its topics and what it owns. */
export const consumerSubscription = new Message('ConsumerProtocolSubscription', '0-3', 'none', {
  topics: list('0+', 'string'),
  userData: bytes('0+', { nullable: '0+', default: null }),
  ownedPartitions: array(
    '1+',
    {
      topic: string('1+'),
      partitions: list('1+', 'int32'),
    },
    { ignorable: true },
  ),
  generationId: int32('2+', { default: -1, ignorable: true }),
  rackId: string('3+', { nullable: '3+', default: null, ignorable: true }),
})

/** What the leader of a consumer group assigns to one member with SyncGroup. */
export const consumerAssignment = new Message('ConsumerProtocolAssignment', '0-3', 'none', {
  assignedPartitions: array('0+', {
    topic: string('0+'),
    partitions: list('0+', 'int32'),
  }),
  userData: bytes('0+', { nullable: '0+', default: null }),
})

/**
 * Reads what a consumer embeds in JoinGroup or SyncGroup: a version, then the message. It is the affair of whoever wrote it:
 * what cannot be read is undefined, and never half believed. Newer versions than are known only append fields.
 */
export function readEmbedded<Result>(
  embedded: Buffer,
  read: (reader: Reader, version: number) => Result,
): Result | undefined {
  try {
    const reader = new Reader(embedded)
    const version = reader.int16()
    if (version < 0) return undefined
    return read(reader, Math.min(version, consumerSubscription.versions.last))
  } catch {
    return undefined
  }
}
