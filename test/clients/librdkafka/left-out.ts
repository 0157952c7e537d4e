const shareGroups = 'share groups are not served'
const noBroker = 'it brings its own broker'

/** Tests of librdkafka that are not run, and why. */
export const leftOut: ReadonlyMap<string, string> = new Map([
  ['0092', 'its record format went with Kafka 4'],
  [
    '0118',
    'it counts on a group that waits three seconds for its members; with less it fails on Apache Kafka, too',
  ],
  ['0139', noBroker],
  ['0150', noBroker],
  ...['0170', '0171', '0172', '0173', '0174', '0175', '0176', '0177', '0178', '0179'].map(
    (test) => [test, shareGroups] as const,
  ),
  ...['0180', '0181', '0184', '0185'].map((test) => [test, shareGroups] as const),
])
