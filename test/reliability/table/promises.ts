/** What the project promises, in order; the header of a test names these by number. */
export const promises: readonly { readonly name: string; readonly text: string }[] = [
  {
    name: 'Nothing is lost',
    text: 'An offset is committed only when every record below it has ended.',
  },
  {
    name: 'Order',
    text: 'Records of a key run one after another, in offset order, also over retries, rebalances and restarts.',
  },
  {
    name: 'Nothing is repeated without need',
    text: 'What an acknowledged commit names as ended does not run again.',
  },
  {
    name: 'A bad record blocks nothing for long, and never disappears',
    text: 'Attempts are counted over crashes; then it is a dead letter, with its bytes, key and headers.',
  },
  {
    name: 'Revocation drains, then fences',
    text: 'What runs may end and is committed before a partition is given up; what completes later counts for nothing.',
  },
  {
    name: 'Exactly once inside Kafka',
    text: 'Outputs and offsets are one transaction, fenced by the generation; an outcome is never guessed.',
  },
  {
    name: 'Effectively once outside Kafka',
    text: 'The inbox row, or the offset itself, is in the database transaction of the effect.',
  },
  {
    name: 'Shutdown',
    text: 'A signal stops fetching, drains, commits and leaves, within a deadline; the exit code tells.',
  },
  {
    name: 'No surprise',
    text: 'Every input has limits; whatever comes from others ends in a value or an error of ours.',
  },
]
