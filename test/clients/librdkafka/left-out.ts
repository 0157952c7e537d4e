/** Tests of librdkafka that are not run, and why. */
export const leftOut: readonly { readonly tests: readonly string[]; readonly reason: string }[] = [
  { tests: ['0092'], reason: 'its record format went with Kafka 4' },
  {
    tests: ['0118'],
    reason:
      'it counts on a group that waits three seconds for its members; with less it fails on Apache Kafka, too',
  },
  { tests: ['0139', '0150'], reason: 'they bring their own broker' },
]

/**
 * Tests of share groups. They ask for release 4.2, where these are no preview any more; what they need of a
 * broker is in 4.1 already.
 */
export const shareTests: readonly string[] = [
  ...['0170', '0171', '0172', '0173', '0174', '0175', '0176', '0177', '0178', '0179'],
  ...['0180', '0181', '0184', '0185'],
]
