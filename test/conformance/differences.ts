import type { ImplementationName } from './implementation.ts'

const newerVersion = 'the version came with Kafka 4'

/**
 * Where an implementation is known not to do what Apache Kafka 4.1 does: case, and why. A case that
 * is named here must fail there.
 */
export const differences: Partial<Record<ImplementationName, Readonly<Record<string, string>>>> = {
  'kafka-3.9': {
    'Produce before version 3 is not served': 'old versions went with Kafka 4',
    'Produce 13 names the topic by its id': newerVersion,
    'describe: from version 6 on an unknown group is GROUP_ID_NOT_FOUND': newerVersion,
    'from version 1 on the member makes its id itself': newerVersion,
    'a regular expression subscribes to what it matches': newerVersion,
    'a regular expression that is none is INVALID_REGULAR_EXPRESSION': newerVersion,
    'a timestamp more than an hour ahead is INVALID_TIMESTAMP, with the record named':
      'message.timestamp.after.max.ms has no bound by default before Kafka 4',
  },
}
