import type { ImplementationName } from './implementation.ts'

type Differences = Readonly<Record<string, string>>

const newerVersion = 'the version came with Kafka 4'
const newerTransactions = 'transactions of the second version came with Kafka 4'
const shareGroups = 'share groups came with Kafka 4'
const configuredGroups = 'groups have had configuration since Kafka 4'

const kafka39: Differences = {
  'Produce before version 3 is not served': 'old versions went with Kafka 4',
  'Produce 13 names the topic by its id': newerVersion,
  'describe: from version 6 on an unknown group is GROUP_ID_NOT_FOUND': newerVersion,
  'from version 1 on the member makes its id itself': newerVersion,
  'a regular expression subscribes to what it matches': newerVersion,
  'a regular expression that is none is INVALID_REGULAR_EXPRESSION': newerVersion,
  'consumer: a pattern subscribes to what it matches, also to what comes later': newerVersion,
  'members of both protocols share a group while it is upgraded, and go on where it was':
    'group.consumer.migration.policy is disabled by default before Kafka 4',
  'members of both protocols share a group while it is upgraded, and repeat nothing':
    'group.consumer.migration.policy is disabled by default before Kafka 4',
  'a timestamp more than an hour ahead is INVALID_TIMESTAMP, with the record named':
    'message.timestamp.after.max.ms has no bound by default before Kafka 4',
  'zstd is answered to every version of Fetch, also to those before it':
    'Kafka 3 refuses, when the topic is set to zstd (UNSUPPORTED_COMPRESSION_TYPE)',
  'they are told of by the finalized feature transaction.version': newerTransactions,
  'a partition is added by its first record, and the end answers the next epoch': newerTransactions,
  'markers carry the next epoch, and the next transaction starts at sequence 0': newerTransactions,
  'a late record of the last transaction is INVALID_PRODUCER_EPOCH': newerTransactions,
  'a repeated end is recognized by its epoch, and answered alike': newerTransactions,
  'an empty abort is answered with the next epoch, an empty commit is INVALID_TXN_STATE':
    newerTransactions,
  'an end of an old epoch is PRODUCER_FENCED': newerTransactions,
  'a producer that a partition does not know must start at sequence 0': newerTransactions,
  'offsets add their group by themselves': newerTransactions,
  'a producer whose transaction took too long aborts it and goes on': newerTransactions,
  'a producer that starts again goes on from the epoch it was answered': newerTransactions,
  'a pattern finds the topics that a member may describe': newerVersion,
  '8: OffsetFetch 1 needs describe group, describe topic':
    'Kafka 3 answers no topic, so that the error is nowhere',
  '34: DescribeConfigs 4 needs describeConfigs topic, describeConfigs group, describeConfigs cluster':
    configuredGroups,
  '35: AlterConfigs 2 needs alterConfigs topic, alterConfigs group, alterConfigs cluster':
    configuredGroups,
  '40: IncrementalAlterConfigs 1 needs alterConfigs topic, alterConfigs group, alterConfigs cluster':
    configuredGroups,
  '59: ShareGroupHeartbeat 1 needs read group, describe topic': shareGroups,
  '60: ShareGroupDescribe 1 needs describe group': shareGroups,
  '61: ShareFetch 1 needs read group': shareGroups,
  '62: ShareAcknowledge 1 needs read group': shareGroups,
  '63: DescribeShareGroupOffsets 0 needs describe group, describe topic': shareGroups,
  '64: AlterShareGroupOffsets 0 needs read group, read topic': shareGroups,
  '65: DeleteShareGroupOffsets 0 needs delete group, read topic': shareGroups,
}

const embedded: Differences = {
  'Produce before version 3 is not served':
    'it is answered with UNSUPPORTED_VERSION: a client that asks for no versions can show that, and would connect again and again to a broker that closes the connection',
}

/**
 * Where an implementation is known not to do what Apache Kafka 4.1 does: case, and why. A case that
 * is named here must fail there, so that a row which is no longer true is noticed.
 */
export const differences: Partial<Record<ImplementationName, Differences>> = {
  embedded,
  'embedded-3-nodes': embedded,
  'kafka-3.9': kafka39,
}
