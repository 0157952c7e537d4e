import { createHash } from 'node:crypto'
import type { GroupTopics } from '../ports.ts'

/**
 * A number that differs when what a group subscribes to has changed: other topics, one that was
 * deleted and made again, more partitions. 48 bits, which a number holds exactly; 0 for nothing.
 */
export function metadataHash(topics: GroupTopics, subscribed: Iterable<string>): number {
  const known = [...subscribed].flatMap((name) => topics.topic(name) ?? [])
  if (known.length === 0) return 0
  const lines = known
    .map(({ id, name, partitionCount }) => `${id} ${partitionCount} ${name}`)
    .sort()
  const hash = createHash('sha256').update(lines.join('\n')).digest()
  return hash.readUIntBE(0, 6)
}
